"""What a row may refer to, when it is written."""

from uuid import UUID

import pytest
from sqlalchemy.orm import Mapped

from app.common.memory_repository import MemoryRepository
from app.common.postgres_repository import PostgresRepository
from app.core.models import reference, uuid7
from app.core.repository import EVERYONE
from app.exceptions import Conflict, Invalid, PreconditionFailed
from tests.common.references.shop import (
    Invoice,
    InvoiceCreate,
    InvoiceUpdate,
    Named,
    NamedCreate,
    Shop,
    TaskCreate,
    Tasks,
    errors_of,
    invoice,
)
from tests.common.tables import IsolatedEntity
from tests.statements import recorded_statements


def changed(field: str, value: UUID) -> InvoiceUpdate:
    return InvoiceUpdate.model_validate({field: value})


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
