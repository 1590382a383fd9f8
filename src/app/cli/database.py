import asyncio

from app.cli.local_database import local_database
from app.config import Settings, load_settings
from app.database import Database
from app.idempotency import repository as idempotency
from app.migrations import applied_revision, head_revision, upgrade

BATCH = 5000  # rows of one transaction, which holds them until it ends


def migrate() -> None:
    """Bring the database's tables up to date; safe to run from several places at once."""
    with local_database(load_settings()) as settings:
        assert settings.database_url is not None
        upgrade(settings.database_url.get_secret_value())
    print(f"The database is at revision {head_revision()}")


async def applied(settings: Settings) -> str | None:
    """The revision that the database is at; None for an empty one."""
    assert settings.database_url is not None
    database = Database(settings.database_url.get_secret_value(), settings)
    try:
        async with database.unit_of_work() as work:
            return await applied_revision(work)
    finally:
        await database.close()


def purge() -> None:
    """Delete the idempotency keys that have expired; requests do so by the way, a few each."""
    with local_database(load_settings()) as settings:
        count = asyncio.run(_purge(settings))
    print(f"Deleted {count} expired idempotency keys")


async def _purge(settings: Settings) -> int:
    assert settings.database_url is not None
    database = Database(settings.database_url.get_secret_value(), settings)
    purged, total = BATCH, 0
    while purged == BATCH:
        async with database.unit_of_work() as work:
            purged = await idempotency.purge(work, BATCH)
            await work.commit()
        total += purged
    await database.close()
    return total
