"""Migrations meet each other and those who read: one waits, and nobody stalls."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from time import perf_counter

import pytest
from alembic.config import Config

from app.database import migrations
from tests.conftest import connect, create_database, database_url, drop_database

ADD_COLUMN = """
revision = "tomorrow"
down_revision = "{head}"
branch_labels = depends_on = None


def upgrade():
    from alembic import op

    op.execute("ALTER TABLE users ADD COLUMN color text")
"""

SLOW_DDL = """
CREATE FUNCTION public.dawdle() RETURNS event_trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_sleep(0.1); END $$;
CREATE EVENT TRIGGER dawdle ON ddl_command_end EXECUTE FUNCTION public.dawdle();
"""


@pytest.fixture
async def empty(database_name: str) -> AsyncIterator[str]:
    """The suffix of a database without tables."""
    suffix = f"{database_name}_migrated"
    await create_database(suffix, None)
    yield suffix
    await drop_database(suffix)


# Over a second: the command starts as a process, three times.
async def test_of_three_migrators_at_once_one_does_it(empty: str, tmp_path: Path) -> None:
    connection = await connect(empty)
    await connection.execute(SLOW_DDL)  # so that they surely meet
    environment = os.environ | {"DATABASE_URL": database_url(empty), "ENVIRONMENT": "test"}
    app = Path(sys.executable).with_name("app")
    migrators = [
        await asyncio.create_subprocess_exec(
            app, "migrate", cwd=tmp_path, env=environment, stderr=subprocess.PIPE
        )
        for _ in range(3)
    ]
    outputs = [await migrator.communicate() for migrator in migrators]
    assert [migrator.returncode for migrator in migrators] == [0, 0, 0], outputs
    applied = await connection.fetch("SELECT version_num FROM alembic_version")
    await connection.close()
    assert [row[0] for row in applied] == [migrations.head_revision()]


@pytest.fixture
def one_more_revision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tomorrow.py").write_text(ADD_COLUMN.format(head=migrations.head_revision()))
    original = migrations.alembic_config

    def config(url: str) -> Config:
        config = original(url)
        locations = [str(tmp_path), str(migrations.ROOT / "alembic" / "versions")]
        config.set_main_option("version_locations", os.pathsep.join(locations))
        return config

    monkeypatch.setattr(migrations, "alembic_config", config)


# Over a second: the one who reads takes that long.
async def test_a_migration_behind_a_long_reader_lets_others_read(
    empty: str, request: pytest.FixtureRequest
) -> None:
    url = database_url(empty)
    await asyncio.to_thread(migrations.upgrade, url)
    request.getfixturevalue("one_more_revision")
    long_reader, reader = await connect(empty), await connect(empty)
    slowest = 0.0
    transaction = long_reader.transaction()
    await transaction.start()
    await long_reader.fetch("SELECT * FROM users")
    migrating = asyncio.create_task(asyncio.to_thread(migrations.upgrade, url))
    until = perf_counter() + 1.2
    while perf_counter() < until:
        started = perf_counter()
        await reader.fetch("SELECT * FROM users")
        slowest = max(slowest, perf_counter() - started)
        await asyncio.sleep(0.005)
    assert not migrating.done()
    await transaction.rollback()
    await migrating
    assert await reader.fetch("SELECT color FROM users") == []
    for connection in (long_reader, reader):
        await connection.close()
    assert slowest < 0.05
