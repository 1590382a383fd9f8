"""The statements that a connection has prepared, and those that run in batches."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import asyncpg
import pytest
from sqlalchemy import Integer, bindparam, column, func, literal_column, select, table, text

from app.config import Settings
from app.database.connections import MAX_PREPARED, Database
from app.database.sql import Row, Statement, Values
from app.database.unit_of_work import UnitOfWork
from app.exceptions import Invalid, TransientFailure
from tests.conftest import connect, database_url

THINGS = table("test_things", column("size", Integer))
LEAST = bindparam("least", 1, Integer)
ALL = Statement(select(literal_column("*")).select_from(THINGS).where(THINGS.columns.size >= LEAST))
NUMBER = bindparam("number", None, Integer)
TENTH = Statement(select(literal_column("10") / NUMBER, func.pg_sleep(0.01)))
SLOW = Statement(select(NUMBER, func.pg_sleep(60)))
ADD = "ALTER TABLE test_things ADD colour text"


@pytest.fixture
async def beside(database_name: str) -> AsyncIterator["asyncpg.Connection[Any]"]:
    """A connection that may change the table which the statement reads."""
    connection = await connect(database_name)
    await connection.execute("CREATE TABLE test_things (size integer)")
    await connection.execute("INSERT INTO test_things VALUES (1)")
    yield connection
    await connection.execute("DROP TABLE test_things")
    await connection.close()


async def columns(work: UnitOfWork) -> list[str]:
    [row] = await work.fetch(ALL)
    return [*row.keys()]


async def test_a_statement_outlives_a_change_of_its_table(
    work: UnitOfWork, beside: "asyncpg.Connection[Any]"
) -> None:
    assert await columns(work) == ["size"]
    await beside.execute(ADD)
    assert await columns(work) == ["size", "colour"]


async def test_a_transaction_that_met_a_change_is_to_be_tried_again(
    work: UnitOfWork, beside: "asyncpg.Connection[Any]"
) -> None:
    assert await columns(work) == ["size"]
    await work.execute(text("SELECT 1"))
    assert work.in_transaction
    await beside.execute(ADD)
    with pytest.raises(TransientFailure):
        await columns(work)
    await work.rollback()
    assert await columns(work) == ["size", "colour"]


async def test_as_many_are_kept_as_may_be(work: UnitOfWork) -> None:
    for number in range(2 * MAX_PREPARED):
        [row] = await work.fetch(select(literal_column(f"{number}")).where(LEAST == 1))
        assert row[0] == number
    prepared = select(func.count()).select_from(table("pg_prepared_statements"))
    [row] = await work.fetch(prepared.where(LEAST == 1))
    # The last to go are closed a little later, and the pool has some of its own.
    assert MAX_PREPARED <= row[0] < 1.5 * MAX_PREPARED


async def test_what_is_in_use_stays_prepared(work: UnitOfWork) -> None:
    often = select(literal_column("'often'")).where(LEAST == 1)
    for number in range(2 * MAX_PREPARED):
        await work.fetch(select(literal_column(f"{number}")).where(LEAST == 1))
        await work.fetch(often)
    runs = text(
        "SELECT generic_plans + custom_plans FROM pg_prepared_statements "
        "WHERE statement LIKE :start"
    )
    [row] = await work.fetch(runs, {"start": "SELECT 'often'%"})
    assert row[0] == 2 * MAX_PREPARED


async def test_values_are_made_and_rows_taken_while_a_batch_runs(work: UnitOfWork) -> None:
    seen: list[object] = []

    def batches() -> Iterator[Values]:
        for number in (1, 2, 5):
            seen.append(f"made {number}")
            yield {"number": number}

    def take(rows: list[Row]) -> None:
        seen.extend(row[0] for row in rows)

    await work.fetch_batches(TENTH, batches(), take)
    assert seen == ["made 1", "made 2", 10, "made 5", 5, 2]
    assert work.statements == 3


async def test_no_batch_follows_one_that_failed(work: UnitOfWork) -> None:
    seen: list[Row] = []
    batches = ({"number": number} for number in (1, 0, 2, 5))
    with pytest.raises(Invalid):
        await work.fetch_batches(TENTH, batches, seen.extend)
    assert [row[0] for row in seen] == [10]
    assert next(batches) == {"number": 5}
    [row] = await work.fetch(TENTH, {"number": 1})
    assert row[0] == 10


async def test_a_batch_is_given_up_when_the_next_cannot_be_made(work: UnitOfWork) -> None:
    def batches() -> Iterator[Values]:
        yield {"number": 1}
        raise ArithmeticError

    async with asyncio.timeout(5):
        with pytest.raises(ArithmeticError):
            await work.fetch_batches(SLOW, batches(), list)
        [row] = await work.fetch(TENTH, {"number": 1})
    assert row[0] == 10


async def test_batches_end_with_their_request(work: UnitOfWork) -> None:
    async with asyncio.timeout(5):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await work.fetch_batches(SLOW, [{"number": 1}] * 2, list)
        [row] = await work.fetch(TENTH, {"number": 1})
    assert row[0] == 10


def test_each_event_loop_has_connections_of_its_own(settings: Settings, database_name: str) -> None:
    database = Database(database_url(database_name), settings)
    pid = Statement(select(func.pg_backend_pid()))

    async def ask() -> int:
        async with UnitOfWork(database) as work:
            row = await work.fetch_one(pid)
            assert row is not None
            await work.session().scalar(select(1))
        assert database.in_use == 0
        return int(row[0])

    async def is_gone(pid: int) -> bool:
        activity = table("pg_stat_activity", column("pid", Integer))
        own = Statement(select(activity.columns.pid).where(activity.columns.pid == pid))
        async with UnitOfWork(database) as work:
            for _ in range(500):  # the server notices a moment later
                if not await work.fetch(own):
                    return True
                await asyncio.sleep(0.01)
        return False

    def run[T](coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run(coroutine)  # as a test client does with each request

    with ThreadPoolExecutor(1) as thread:  # this one has a loop already
        first = thread.submit(lambda: run(ask())).result()
        assert thread.submit(lambda: run(ask())).result() != first
        assert thread.submit(lambda: run(is_gone(first))).result()
        thread.submit(lambda: run(database.close())).result()


async def test_a_unit_of_an_older_loop_returns_its_connection(
    settings: Settings, database_name: str
) -> None:
    database = Database(database_url(database_name), settings)
    one = Statement(select(bindparam("one", 1, Integer)))

    async def ask() -> None:
        async with UnitOfWork(database) as work:
            await work.fetch(one)

    async with UnitOfWork(database) as work:
        await work.fetch(one)
        await asyncio.to_thread(lambda: asyncio.run(ask()))
        await work.fetch(one)
    await ask()
    assert database.in_use == 0
    await database.close()
