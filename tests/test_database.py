"""The statements that a connection has prepared."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from sqlalchemy import Integer, bindparam, column, func, literal_column, select, table, text

from app.database import MAX_PREPARED, UnitOfWork
from app.exceptions import TransientFailure
from app.sql import Statement
from tests.conftest import connect

THINGS = table("test_things", column("size", Integer))
LEAST = bindparam("least", 1, Integer)
ALL = Statement(select(literal_column("*")).select_from(THINGS).where(THINGS.columns.size >= LEAST))
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
