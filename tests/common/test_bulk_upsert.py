"""What bulk calls promise beyond one caller: concurrency and size."""

import asyncio
import random
from collections import Counter
from decimal import Decimal
from uuid import UUID

import pytest

from app.database.connections import Database
from app.database.unit_of_work import UnitOfWork
from tests.factories import create_user
from tests.lamps.filters import LampFilter
from tests.lamps.repository import LampRepository
from tests.lamps.schemas import LampCreate

WRITERS, ROUNDS, KEYS = 4, 50, 200


@pytest.fixture
async def owner(database: Database) -> UUID:
    return (await create_user(database, "owner@example.com")).id


def rows(count: int, quantity: int) -> list[LampCreate]:
    price = Decimal(1)
    return [
        LampCreate(name="n", sku=f"{number:05}", price=price, quantity=quantity)
        for number in range(count)
    ]


async def test_writers_over_the_same_keys_never_deadlock(database: Database, owner: UUID) -> None:
    outcomes: Counter[str] = Counter()

    async def write(writer: int) -> None:
        for turn in range(ROUNDS):
            shuffled = rows(KEYS, quantity=writer * ROUNDS + turn)
            random.shuffle(shuffled)
            # Half of the lamps leave a field as it is, so that both ways of writing meet.
            if turn % 2:
                shuffled[:100] = [
                    LampCreate(name="n", sku=each.sku, price=each.price) for each in shuffled[:100]
                ]
            async with UnitOfWork(database) as work:
                results = await LampRepository(work, owner).bulk_upsert(shuffled)
                await work.commit()
            outcomes.update(each.outcome for each in results)

    await asyncio.gather(*(write(writer) for writer in range(WRITERS)))
    assert outcomes["created"] == KEYS
    assert outcomes.total() == WRITERS * ROUNDS * KEYS
    async with UnitOfWork(database) as work:
        assert await LampRepository(work, owner).count(LampFilter()) == KEYS


async def test_twenty_thousand_rows_in_one_call(database: Database, owner: UUID) -> None:
    # Takes about a second: three passes over the rows.
    many = 20_000
    async with UnitOfWork(database) as work:
        lamps = LampRepository(work, owner)
        outcomes = [
            Counter(each.outcome for each in await lamps.bulk_upsert(batch))
            for batch in (rows(many // 2, 1), rows(many, 2), rows(many, 2))
        ]
    assert outcomes == [
        {"created": many // 2},
        {"updated": many // 2, "created": many // 2},
        {"unchanged": many},
    ]


async def test_a_table_that_grows_fast_is_never_joined_row_by_row(
    database: Database, owner: UUID
) -> None:
    # PostgreSQL knows of one row, and keeps a plan for that after a statement's fifth run.
    async with UnitOfWork(database) as work:
        await LampRepository(work, owner).bulk_upsert(rows(1, 1))
        await work.commit()
    async with UnitOfWork(database) as work:
        connection = (await work.begin()).driver
        await connection.execute("ANALYZE lamps")
        for quantity in range(8):
            await LampRepository(work, owner).bulk_upsert(rows(1500, quantity % 2))
        kept = await connection.fetch(
            "SELECT statement FROM pg_prepared_statements "
            "WHERE generic_plans > 0 AND statement LIKE $1",
            "%unnest(%",
        )
    assert kept == []


async def test_deletes_of_the_same_rows_never_deadlock(database: Database, owner: UUID) -> None:
    async with UnitOfWork(database) as work:
        created = await LampRepository(work, owner).bulk_create(rows(KEYS, 1))
        await work.commit()
    ids = [each.id for each in created]

    async def delete() -> int:
        async with UnitOfWork(database) as work:
            shuffled = random.sample(ids, len(ids))
            deleted = await LampRepository(work, owner).bulk_delete(shuffled)
            await work.commit()
            return deleted

    results = await asyncio.gather(*(delete() for _ in range(WRITERS)), return_exceptions=True)
    assert sorted(type(each).__name__ for each in results) == ["NotFound"] * 3 + ["int"]
