"""These tests are synchronous: alembic's environment runs an event loop of its own."""

import asyncio

from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import literal_column, select, table

from app.core.models import Base
from app.migrations import alembic_config, upgrade
from tests.conftest import connect, database_url

ROWS = """
INSERT INTO users (id, email, password_hash) VALUES (gen_random_uuid(), 'a@example.com', 'x');
INSERT INTO sessions (id, user_id, token_hash, expires_at)
SELECT gen_random_uuid(), id, 'hash', now() FROM users;
INSERT INTO items (id, owner_id, name, sku, price, quantity, status)
SELECT gen_random_uuid(), id, 'n', 's', 1, 1, 'draft' FROM users;
INSERT INTO throttles VALUES ('key', now());
"""


async def run(suffix: str, sql: str) -> None:
    connection = await connect(suffix)
    await connection.execute(sql)
    await connection.close()


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


def test_each_migration_goes_down_and_up_with_rows_in_every_table(scratch: str) -> None:
    config = alembic_config(database_url(scratch))
    for revision in ScriptDirectory.from_config(config).walk_revisions():
        below = revision.down_revision
        assert below is None or isinstance(below, str)  # a line, without merges
        asyncio.run(run(scratch, ROWS))
        assert asyncio.run(empty_tables(scratch)) == []
        command.downgrade(config, below or "base")
        command.upgrade(config, revision.revision)
    command.downgrade(config, "base")
    assert asyncio.run(tables(scratch)) == set()
    upgrade(database_url(scratch))
    assert asyncio.run(tables(scratch)) == set(Base.metadata.tables)


def test_there_is_one_head() -> None:
    assert len(ScriptDirectory.from_config(alembic_config("")).get_heads()) == 1
