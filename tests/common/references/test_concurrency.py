"""A row is written while what it refers to is deleted, and the other way round."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text, update

from app.core.models import OnDelete
from app.database.connections import Database
from app.database.unit_of_work import UnitOfWork
from app.exceptions import Conflict, Invalid
from tests.common.references.shop import (
    Customer,
    Invoice,
    InvoiceUpdate,
    Project,
    ProjectCreate,
    Shop,
    invoice,
)

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
