"""Runs migrations on an async engine; what the tables should be comes from the registry."""

import asyncio
from typing import Any

from alembic import context
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, MetaData, Table, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool
from sqlalchemy.schema import SetTableComment

from app.cli.local_database import local_database
from app.config import load_settings
from app.core.registry import load_models
from app.database.migrations import LINE, REVISION, applied_line

MIGRATION_LOCK = 7_165_432_109  # any number that no one else uses
LOCK_TIMEOUT = "30ms"  # while a migration waits for a table, its readers wait behind it

metadata = load_models().metadata


def run(connection: Connection) -> None:
    # The one who waits does so here, before its own lock timeout is set.
    connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": MIGRATION_LOCK})
    connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT}'"))
    known = MigrationContext.configure(connection).get_current_revision()
    context.config.attributes[REVISION] = known
    context.config.attributes[LINE] = (connection.scalar(applied_line) or "").split()
    connection.commit()
    context.configure(
        connection=connection,
        target_metadata=metadata,
        transaction_per_migration=True,
        on_version_apply=record_line,
    )
    with context.begin_transaction():
        context.run_migrations()


def record_line(
    ctx: MigrationContext,
    step: Any,  # noqa: ARG001 - alembic passes each by its name
    heads: Any,
    run_args: Any,  # noqa: ARG001
) -> None:
    """Leave in the database what is applied, for code that does not have the latest revisions."""
    assert ctx.connection is not None
    assert ctx.script is not None
    line = [each.revision for each in ctx.script.iterate_revisions(tuple(heads), "base")]
    versions = Table("alembic_version", MetaData(), comment=" ".join(line))
    ctx.connection.execute(SetTableComment(versions))


async def connect_and_run(url: str) -> None:
    engine = create_async_engine(url, poolclass=NullPool, hide_parameters=True)
    async with engine.connect() as connection:
        await connection.run_sync(run)
    await engine.dispose()


def main() -> None:
    if context.is_offline_mode():
        context.configure(dialect_name="postgresql", target_metadata=metadata, literal_binds=True)
        with context.begin_transaction():
            context.run_migrations()
        return
    url = context.config.attributes.get("url")
    if url is not None:
        asyncio.run(connect_and_run(url))
        return
    with local_database(load_settings()) as settings:
        assert settings.database_url is not None
        asyncio.run(connect_and_run(settings.database_url.get_secret_value()))


main()
