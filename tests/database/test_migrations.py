"""These tests are synchronous: alembic's environment runs an event loop of its own."""

import asyncio
import re
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import (
    ARRAY,
    JSON,
    CheckConstraint,
    Column,
    Enum,
    String,
    Table,
    literal_column,
    select,
    table,
)
from sqlalchemy.dialects.postgresql import insert

from app.config import Settings
from app.core.models import Base
from app.database.connections import Database
from app.database.migrations import alembic_config, upgrade
from app.database.unit_of_work import UnitOfWork
from tests.conftest import connect, database_url
from tests.lamps.models import Lamp

SAMPLES: dict[type, Any] = {
    bool: True,
    bytes: b"x",
    date: date(2026, 1, 5),
    datetime: datetime(2026, 1, 5, tzinfo=UTC),
    Decimal: Decimal(0),  # which any precision has room for
    float: 1.0,
    int: 1,
    str: "x",
    time: time(12),
    UUID: UUID(int=1),
}


def sample(column: Column[Any]) -> Any:
    """Any value that the column may have: its bound, where a CHECK gives it one."""
    kind = column.type
    bound = _bound(column)
    if isinstance(kind, Enum):
        return kind.enums[0]
    if isinstance(kind, ARRAY):
        return [sample(Column(kind.item_type))] * int(bound or 0)
    if isinstance(kind, JSON):
        return []
    if bound is None:
        return SAMPLES[kind.python_type]
    if isinstance(kind, String):
        return "x" * int(bound)
    parse = getattr(kind.python_type, "fromisoformat", kind.python_type)
    return parse(bound)


def _bound(column: Column[Any]) -> str | None:
    owner: Table | None = column.table  # an array's element has none
    for constraint in owner.constraints if owner is not None else ():
        if isinstance(constraint, CheckConstraint) and constraint.name == _check_name(column):
            found = re.search(r"[<>]= '?([^' ]+)", str(constraint.sqltext))
            return found and found[1]
    return None


def _check_name(column: Column[Any]) -> str:
    return f"ck_{column.table.name}_{column.name}"


def migrated() -> list[Table]:
    """The tables that migrations make, each after those that it refers to."""
    return [each for each in Base.metadata.sorted_tables if each.name != Lamp.__tablename__]


async def drop_lamps(suffix: str) -> None:
    connection = await connect(suffix)
    await connection.execute(f"DROP TABLE {Lamp.__tablename__}")
    await connection.close()


async def fill(suffix: str, settings: Settings) -> None:
    """Put a row into every table that has none, whatever the entities are."""
    database = Database(database_url(suffix), settings)
    keys: dict[str, Any] = {}
    async with UnitOfWork(database) as work:
        for each in migrated():
            values = {column.name: sample(column) for column in each.columns}
            keys[each.name] = values.get("id")
            for key in each.foreign_keys:
                values[key.parent.name] = keys[key.column.table.name]
            await work.execute(insert(each).values(values).on_conflict_do_nothing())
        await work.commit()
    await database.close()


async def tables(suffix: str) -> set[str]:
    connection = await connect(suffix)
    rows = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    await connection.close()
    return {row[0] for row in rows} - {"alembic_version"}


async def empty_tables(suffix: str) -> list[str]:
    connection = await connect(suffix)
    names = await tables(suffix)
    empty = [
        name
        for name in names
        if not await connection.fetchval(str(select(literal_column("1")).select_from(table(name))))
    ]
    await connection.close()
    return empty


def test_models_and_migrations_agree(scratch: str) -> None:
    command.check(alembic_config(database_url(scratch)))


def test_each_migration_goes_down_and_up_with_rows_in_every_table(
    scratch: str, settings: Settings
) -> None:
    asyncio.run(drop_lamps(scratch))
    config = alembic_config(database_url(scratch))
    for revision in ScriptDirectory.from_config(config).walk_revisions():
        below = revision.down_revision
        assert below is None or isinstance(below, str)  # a line, without merges
        asyncio.run(fill(scratch, settings))
        assert asyncio.run(empty_tables(scratch)) == []
        command.downgrade(config, below or "base")
        command.upgrade(config, "head")
    command.downgrade(config, "base")
    assert asyncio.run(tables(scratch)) == set()
    upgrade(database_url(scratch))
    assert asyncio.run(tables(scratch)) == {each.name for each in migrated()}


def test_there_is_one_head() -> None:
    assert len(ScriptDirectory.from_config(alembic_config("")).get_heads()) == 1
