"""What a delete does to the rows that refer to what is deleted."""

from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest

from app.core.repository import EVERYONE
from app.database.connections import Database
from app.database.unit_of_work import UnitOfWork
from app.exceptions import Conflict, NotFound, PreconditionFailed
from tests.common.references.shop import Invoices, InvoiceUpdate, ReceiptCreate, Shop, invoice


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
