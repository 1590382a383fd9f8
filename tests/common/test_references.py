"""References between entities: what they may be to, and what a delete does to them."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import String, select, text, update
from sqlalchemy.orm import Mapped, mapped_column

from app.common.memory_repository import MemoryRepository
from app.common.postgres_repository import PostgresRepository
from app.core.models import OnDelete, Owned, reference, unique_among_live, uuid7
from app.core.repository import EVERYONE
from app.core.schemas import UNSET, Schema
from app.core.types import Id, Text
from app.database.connections import Database
from app.database.unit_of_work import UnitOfWork
from app.exceptions import Conflict, Invalid, NotFound, PreconditionFailed
from app.main import Application
from tests import factories
from tests.common.tables import IsolatedEntity, created
from tests.statements import recorded_statements


class Named:
    name: Mapped[str] = mapped_column(String(50))


class Customer(Owned, Named, IsolatedEntity):
    __tablename__ = "test_customers"


class Invoice(Owned, Named, IsolatedEntity):
    __tablename__ = "test_invoices"
    __table_args__ = (unique_among_live("test_invoices", "owner_id", "name"),)
    natural_key = ("name",)

    customer_id: Mapped[UUID] = reference("test_customers", ondelete="restrict")
    payer_id: Mapped[UUID | None] = reference("test_customers", ondelete="setnull")


class Project(Owned, Named, IsolatedEntity):
    __tablename__ = "test_projects"

    customer_id: Mapped[UUID] = reference("test_customers", ondelete="cascade")


class Task(Named, IsolatedEntity):
    """Everyone's, with a tree of its own; its table comes before those that it refers to."""

    __tablename__ = "test_a_tasks"

    project_id: Mapped[UUID] = reference("test_projects", ondelete="cascade")
    parent_id: Mapped[UUID | None] = reference("test_a_tasks", ondelete="cascade")


class Receipt(Named, IsolatedEntity):
    __tablename__ = "test_task_receipts"

    task_id: Mapped[UUID | None] = reference("test_a_tasks")


class NamedCreate(Schema):
    name: Text = "n"


class InvoiceCreate(NamedCreate):
    customer_id: Id
    payer_id: Id | None = None


class InvoiceUpdate(Schema):
    name: Text = UNSET
    customer_id: Id = UNSET
    payer_id: Id | None = UNSET


class ProjectCreate(NamedCreate):
    customer_id: Id


class TaskCreate(NamedCreate):
    project_id: Id
    parent_id: Id | None = None


class ReceiptCreate(NamedCreate):
    task_id: Id | None = None


class Customers(PostgresRepository[Customer, NamedCreate, NamedCreate]): ...


class Invoices(PostgresRepository[Invoice, InvoiceCreate, InvoiceUpdate]): ...


class Projects(PostgresRepository[Project, ProjectCreate, ProjectCreate]): ...


class Tasks(PostgresRepository[Task, TaskCreate, TaskCreate]): ...


class Receipts(PostgresRepository[Receipt, ReceiptCreate, ReceiptCreate]): ...


class Shop:
    """What one caller has, in one unit of work."""

    def __init__(self, work: UnitOfWork, caller: UUID) -> None:
        self.work = work
        self.customers = Customers(work, caller)
        self.invoices = Invoices(work, caller)
        self.projects = Projects(work, caller)
        self.tasks = Tasks(work, caller)
        self.receipts = Receipts(work, EVERYONE)

    async def customer(self) -> UUID:
        return (await self.customers.create(NamedCreate())).id

    async def project(self, customer: UUID) -> UUID:
        return (await self.projects.create(ProjectCreate(customer_id=customer))).id

    async def task(self, project: UUID, parent: UUID | None = None) -> UUID:
        return (await self.tasks.create(TaskCreate(project_id=project, parent_id=parent))).id


@pytest.fixture(scope="module")
async def tables(session_app: Application) -> AsyncIterator[None]:
    async with created(session_app.database, Customer, Invoice, Project, Task, Receipt):
        yield


@pytest.fixture
async def owner(tables: None, database: Database) -> UUID:  # noqa: ARG001
    """Their rows are deleted with them when the test is over."""
    return (await factories.create_user(database, "owner@example.com")).id


@pytest.fixture
async def other(database: Database) -> UUID:
    return (await factories.create_user(database, "other@example.com")).id


@pytest.fixture
def shop(work: UnitOfWork, owner: UUID) -> Shop:
    return Shop(work, owner)


def invoice(customer: UUID, name: str = "n", **fields: Any) -> InvoiceCreate:
    return InvoiceCreate(name=name, customer_id=customer, **fields)


def changed(field: str, value: UUID) -> InvoiceUpdate:
    return InvoiceUpdate.model_validate({field: value})


def errors_of(raised: pytest.ExceptionInfo[Any]) -> list[tuple[Any, str]]:
    return [(each.loc, each.code) for each in raised.value.errors]


class TestWhatIsReferredTo:
    async def test_must_be_there(self, shop: Shop, other: UUID) -> None:
        """What is missing, deleted or another owner's cannot be told apart."""
        deleted = await shop.customer()
        await shop.customers.delete(deleted)
        theirs = await Shop(shop.work, other).customer()
        details = set()
        for absent in (uuid7(), deleted, theirs):
            with pytest.raises(Invalid) as raised:
                await shop.invoices.create(invoice(absent))
            assert errors_of(raised) == [(("body", "customer_id"), "reference")]
            assert str(absent) not in raised.value.errors[0].message
            details.add((raised.value.detail, raised.value.errors[0].message))
        assert len(details) == 1

    async def test_everyone_may_refer_to_what_anyone_owns(self, shop: Shop) -> None:
        project = await shop.project(await shop.customer())
        created = await Tasks(shop.work, EVERYONE).create(TaskCreate(project_id=project))
        assert created.project_id == project

    async def test_a_caller_of_what_nobody_owns_may_not(self, shop: Shop, other: UUID) -> None:
        project = await shop.project(await shop.customer())
        with pytest.raises(Invalid):
            await Tasks(shop.work, other).create(TaskCreate(project_id=project))

    async def test_on_update_where_it_is_set(self, shop: Shop) -> None:
        customer = await shop.customer()
        created = await shop.invoices.create(invoice(customer, payer_id=customer))
        for field in ("customer_id", "payer_id"):
            with pytest.raises(Invalid) as raised:
                await shop.invoices.update(created.id, changed(field, uuid7()))
            assert errors_of(raised) == [(("body", field), "reference")]
        with recorded_statements() as statements:
            await shop.invoices.update(created.id, InvoiceUpdate(name="x", payer_id=None))
        assert [each.split()[0] for each in statements] == ["UPDATE"]

    async def test_of_many_rows_by_their_positions(self, shop: Shop) -> None:
        customer, missing = await shop.customer(), uuid7()
        rows = [
            invoice(customer, "c"),
            invoice(missing, "b", payer_id=missing),
            invoice(customer, "a", payer_id=uuid7()),
        ]
        for call in (shop.invoices.bulk_create, shop.invoices.bulk_upsert):
            with pytest.raises(Invalid) as raised:
                await call(rows)
            assert [each.loc[2:] for each in raised.value.errors] == [
                (1, "customer_id"),
                (1, "payer_id"),
                (2, "payer_id"),
            ]
            assert raised.value.errors[0].loc[:2] == ("body", "items")

    async def test_is_held_by_one_statement_for_each_table(self, shop: Shop) -> None:
        customers = [await shop.customer() for _ in range(3)]
        rows = [invoice(each, f"{each}", payer_id=customers[0]) for each in customers]
        with recorded_statements() as statements:
            await shop.invoices.bulk_create(rows)
            await shop.invoices.bulk_upsert(rows)
        held = [each for each in statements if "FOR SHARE" in each]
        assert len(held) == 2
        assert all("ORDER BY test_customers.id FOR SHARE" in each for each in held)

    async def test_when_a_row_comes_back(self, shop: Shop) -> None:
        customer = await shop.customer()
        created = await shop.invoices.create(invoice(await shop.customer(), payer_id=customer))
        await shop.invoices.delete(created.id)
        await shop.customers.delete(customer)
        with pytest.raises(PreconditionFailed):
            await shop.invoices.restore(created.id, frozenset({7}))
        with pytest.raises(Conflict) as raised:
            await shop.invoices.restore(created.id)
        assert errors_of(raised) == [(("body", "payer_id"), "reference")]
        await shop.customers.restore(customer)

    async def test_in_memory_anything_goes(self, owner: UUID) -> None:
        class MemoryInvoices(MemoryRepository[Invoice, InvoiceCreate, InvoiceUpdate]): ...

        missing = uuid7()
        created = await MemoryInvoices(owner).create(invoice(missing))
        assert created.customer_id == missing


class TestDelete:
    async def test_restrict(self, shop: Shop) -> None:
        customer = await shop.customer()
        created = await shop.invoices.create(invoice(customer))
        message = f"^Customer {customer} is still referred to by test invoices$"
        with pytest.raises(Conflict, match=message):
            await shop.customers.delete(customer)
        await shop.customers.restore(customer)
        with pytest.raises(Conflict, match=message):
            await shop.customers.bulk_delete([customer, await shop.customer()])
        await shop.customers.restore(customer)
        await shop.invoices.delete(created.id)
        assert await shop.customers.delete(customer)

    async def test_restrict_changes_nothing(self, database: Database, owner: UUID) -> None:
        async with UnitOfWork(database) as work:
            shop = Shop(work, owner)
            customers = [await shop.customer() for _ in range(2)]
            project = await shop.project(customers[0])
            await shop.invoices.create(invoice(customers[0]))
            await work.commit()
        calls: list[Callable[[Shop], Awaitable[object]]] = [
            lambda shop: shop.customers.delete(customers[0]),
            lambda shop: shop.customers.bulk_delete(customers),
        ]
        for call in calls:
            async with UnitOfWork(database) as work:
                with pytest.raises(Conflict):
                    await call(Shop(work, owner))
        async with UnitOfWork(database) as work:
            shop = Shop(work, owner)
            assert all([await shop.customers.get(each) for each in customers])
            assert await shop.projects.get(project)

    async def test_setnull(self, shop: Shop) -> None:
        payer = await shop.customer()
        created = await shop.invoices.create(invoice(await shop.customer(), payer_id=payer))
        await shop.customers.delete(payer)
        found = await shop.invoices.get(created.id)
        assert found is not None
        assert (found.payer_id, found.version) == (None, 2)

    async def test_cascade_and_on_from_there(self, shop: Shop) -> None:
        customer = await shop.customer()
        project = await shop.project(customer)
        root = await shop.task(project)
        leaf = await shop.task(project, await shop.task(project, root))
        kept = await shop.task(await shop.project(await shop.customer()))
        assert await shop.tasks.delete(root)
        assert await shop.tasks.get(leaf) is None
        again = await shop.task(project)
        await shop.customers.bulk_delete([customer])
        assert await shop.projects.get(project) is None
        assert await shop.tasks.get(again) is None
        assert await shop.tasks.get(kept) is not None

    async def test_a_restriction_further_down_the_cascade(self, shop: Shop) -> None:
        customer = await shop.customer()
        task = await shop.task(await shop.project(customer))
        await shop.receipts.create(ReceiptCreate(task_id=task))
        with pytest.raises(Conflict) as raised:
            await shop.customers.delete(customer)
        message = "A row that would be deleted with it is still referred to by test task receipts"
        assert raised.value.detail == message

    async def test_reaches_the_rows_of_all_owners(self, shop: Shop, other: UUID) -> None:
        customer = await shop.customer()
        theirs = Shop(shop.work, other)
        created = await theirs.invoices.create(invoice(await theirs.customer()))
        everyones = Invoices(shop.work, EVERYONE)
        await everyones.update(created.id, InvoiceUpdate(payer_id=customer))
        await shop.customers.delete(customer)
        found = await theirs.invoices.get(created.id)
        assert found is not None
        assert found.payer_id is None

    async def test_deleted_rows_keep_nothing(self, shop: Shop) -> None:
        customer = await shop.customer()
        created = await shop.invoices.create(invoice(customer))
        await shop.invoices.delete(created.id)
        assert await shop.customers.delete(customer)

    async def test_what_is_not_deleted_is_not_followed(self, shop: Shop, other: UUID) -> None:
        customer = await shop.customer()
        project = await shop.project(customer)
        theirs = Shop(shop.work, other)
        assert not await theirs.customers.delete(customer)
        with pytest.raises(NotFound):
            await theirs.customers.bulk_delete([customer])
        with pytest.raises(PreconditionFailed):
            await shop.customers.delete(customer, frozenset({7}))
        assert await shop.projects.get(project)


def test_setnull_needs_a_column_that_may_be_null() -> None:
    class Wrong(Named, IsolatedEntity):
        __tablename__ = "test_wrong"

        customer_id: Mapped[UUID] = reference("test_customers", ondelete="setnull")

    try:
        with pytest.raises(TypeError, match="customer_id: setnull"):

            class Wrongs(PostgresRepository[Wrong, NamedCreate, NamedCreate]): ...

    finally:
        IsolatedEntity.metadata.remove(IsolatedEntity.metadata.tables["test_wrong"])


def test_the_database_knows_the_reference_by_a_name_of_its_own() -> None:
    table = IsolatedEntity.metadata.tables["test_invoices"]
    [key] = table.columns.payer_id.foreign_keys
    assert key.constraint is not None
    assert key.constraint.name == "fk_test_invoices_payer_id"
    assert table.columns.payer_id.nullable
    assert not table.columns.customer_id.nullable


type Write = Callable[[Shop, UUID], Awaitable[Any]]


async def restore_one(shop: Shop, _: UUID) -> None:
    [row] = await shop.work.fetch(select(Invoice.id).where(Invoice.deleted_at.is_not(None)))
    await shop.invoices.restore(row["id"])


async def move_one(shop: Shop, parent: UUID) -> None:
    [row] = await shop.work.fetch(select(Invoice.id).where(Invoice.deleted_at.is_(None)))
    await shop.invoices.update(row["id"], InvoiceUpdate(customer_id=parent))


WRITES: dict[str, Write] = {
    "create": lambda shop, parent: shop.invoices.create(invoice(parent)),
    "bulk_create": lambda shop, parent: shop.invoices.bulk_create([invoice(parent)]),
    "bulk_upsert": lambda shop, parent: shop.invoices.bulk_upsert([invoice(parent, "live")]),
    "update": move_one,
    "restore": restore_one,
}


class TestTwoWhoMeet:
    """A child is written while its parent is deleted, in transactions of their own."""

    @pytest.fixture
    async def parent(self, database: Database, owner: UUID) -> UUID:
        """One that no live row refers to; a live and a deleted invoice are there to be written."""
        async with UnitOfWork(database) as work:
            shop = Shop(work, owner)
            parent = await shop.customer()
            await shop.invoices.create(invoice(await shop.customer(), "live"))
            deleted = await shop.invoices.create(invoice(parent, "deleted"))
            await shop.invoices.delete(deleted.id)
            await work.commit()
        return parent

    async def meet(
        self,
        database: Database,
        first: Callable[[UnitOfWork], Awaitable[Any]],
        second: Callable[[UnitOfWork], Awaitable[Any]],
    ) -> Any:
        """Run the first, then the second up to where it waits; what became of that one."""

        async def run() -> Any:
            async with UnitOfWork(database) as work:
                result = await second(work)
                await work.commit()
                return result

        async with UnitOfWork(database) as work:
            await first(work)
            waiting = asyncio.create_task(run())
            async with UnitOfWork(database) as observer:
                locked = text("SELECT FROM pg_locks WHERE NOT granted LIMIT 1")
                while not await observer.fetch(locked):
                    assert not waiting.done(), waiting
                    await observer.commit()
            await work.commit()
        return (await asyncio.gather(waiting, return_exceptions=True))[0]

    @pytest.mark.parametrize("write", WRITES)
    async def test_the_parent_goes_first(
        self, database: Database, owner: UUID, parent: UUID, write: str
    ) -> None:
        result = await self.meet(
            database,
            lambda work: Shop(work, owner).customers.delete(parent),
            lambda work: WRITES[write](Shop(work, owner), parent),
        )
        assert isinstance(result, Conflict if write == "restore" else Invalid)

    @pytest.mark.parametrize("write", WRITES)
    @pytest.mark.parametrize("many", [False, True])
    async def test_the_child_comes_first(
        self, database: Database, owner: UUID, parent: UUID, write: str, *, many: bool
    ) -> None:
        async def delete(work: UnitOfWork) -> Any:
            customers = Shop(work, owner).customers
            return await (customers.bulk_delete([parent]) if many else customers.delete(parent))

        result = await self.meet(
            database, lambda work: WRITES[write](Shop(work, owner), parent), delete
        )
        assert isinstance(result, Conflict)

    @pytest.mark.parametrize("rule", ["cascade", "setnull"])
    async def test_a_child_that_came_first_is_not_forgotten(
        self, database: Database, owner: UUID, parent: UUID, rule: OnDelete
    ) -> None:
        made: list[UUID] = []

        async def write(work: UnitOfWork) -> None:
            shop = Shop(work, owner)
            if rule == "cascade":
                made.append(await shop.project(parent))
            else:
                row = invoice(await shop.customer(), payer_id=parent)
                made.append((await shop.invoices.create(row)).id)

        deleted = await self.meet(
            database, write, lambda work: Shop(work, owner).customers.delete(parent)
        )
        assert deleted is True
        async with UnitOfWork(database) as work:
            shop = Shop(work, owner)
            if rule == "cascade":
                assert await shop.projects.get(made[0]) is None
            else:
                found = await shop.invoices.get(made[0])
                assert found is not None
                assert found.payer_id is None

    async def test_a_child_that_is_just_being_written_goes_along(
        self, database: Database, owner: UUID, parent: UUID
    ) -> None:
        async with UnitOfWork(database) as work:
            shop = Shop(work, owner)
            project = await shop.project(parent)
            await work.commit()

        async def rename(work: UnitOfWork) -> None:
            values = {"name": "new", "version": Project.version + 1}
            await work.execute(update(Project).where(Project.id == project).values(values))

        await self.meet(database, rename, lambda work: Shop(work, owner).customers.delete(parent))
        async with UnitOfWork(database) as work:
            [row] = await work.fetch(select(Project.name, Project.version, Project.deleted_at))
        assert (row["name"], row["version"]) == ("new", 3)
        assert row["deleted_at"] is not None


async def run_all(calls: Sequence[Awaitable[Any]]) -> list[str]:
    results = await asyncio.gather(*calls, return_exceptions=True)
    return sorted({type(each).__name__ for each in results if isinstance(each, Exception)})


async def test_a_crowd_leaves_no_child_behind_and_never_deadlocks(
    database: Database, owner: UUID
) -> None:
    async with UnitOfWork(database) as work:
        shop = Shop(work, owner)
        customers = [await shop.customer() for _ in range(20)]
        await work.commit()

    async def add(number: int) -> None:
        async with UnitOfWork(database) as work:
            shop = Shop(work, owner)
            chosen = random.sample(customers, 3)
            await shop.projects.bulk_create([ProjectCreate(customer_id=each) for each in chosen])
            rows = [invoice(chosen[0], f"{number % 5}", payer_id=each) for each in chosen[:1]]
            if number % 2:
                await shop.invoices.bulk_upsert(rows)
            await work.commit()

    async def remove(number: int) -> None:
        async with UnitOfWork(database) as work:
            shop = Shop(work, owner)
            chosen = sorted(random.sample(customers, 2))
            for each in chosen if number % 2 else ():
                await shop.customers.restore(each)
            await shop.customers.bulk_delete(chosen)
            await work.commit()

    calls = [call(number) for number in range(40) for call in (add, remove)]
    random.shuffle(calls)
    assert set(await run_all(calls)) <= {"Conflict", "Invalid", "NotFound"}
    async with UnitOfWork(database) as work:
        for child, column in (
            (Invoice, Invoice.customer_id),
            (Invoice, Invoice.payer_id),
            (Project, Project.customer_id),
        ):
            orphans = select(child.id).join(Customer, Customer.id == column)
            live = child.deleted_at.is_(None)
            assert not await work.fetch(orphans.where(live, Customer.deleted_at.is_not(None)))
