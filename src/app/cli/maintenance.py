import asyncio
from collections.abc import Awaitable, Callable

from app.accounts.email_tokens import EmailTokenRepository
from app.auth.repository import SessionRepository
from app.cli.local_database import local_database
from app.config import Settings, load_settings
from app.database.connections import Database
from app.database.migrations import head_revision, upgrade
from app.database.unit_of_work import UnitOfWork
from app.idempotency import repository as idempotency

BATCH = 5000  # rows that one transaction deletes, and locks until it ends

type Purge = Callable[[UnitOfWork], Awaitable[int]]


def migrate() -> None:
    """Bring the database's tables up to date; safe to run from several places at once."""
    with local_database(load_settings()) as settings:
        assert settings.database_url is not None
        revision = upgrade(settings.database_url.get_secret_value())
    print(f"The database is at revision {revision}")
    if revision != head_revision():
        print(f"A newer release has migrated it; this one needs {head_revision()}, which it has")


def purge() -> None:
    """Delete what has expired: idempotency keys, sessions, and tokens that were mailed."""
    with local_database(load_settings()) as settings:
        counts = asyncio.run(_purge(settings))
    for what, count in counts.items():
        print(f"Deleted {count} expired {what}")


async def _purge(settings: Settings) -> dict[str, int]:
    assert settings.database_url is not None
    database = Database(settings.database_url.get_secret_value(), settings)
    purges: dict[str, Purge] = {
        "idempotency keys": lambda work: idempotency.purge(work, BATCH),
        "sessions": lambda work: SessionRepository(work).purge(settings.session_idle, BATCH),
        "mailed tokens": lambda work: EmailTokenRepository(work).purge(BATCH),
    }
    try:
        return {what: await _all(database, purge) for what, purge in purges.items()}
    finally:
        await database.close()


async def _all(database: Database, purge: Purge) -> int:
    total, purged = 0, BATCH
    while purged == BATCH:
        async with UnitOfWork(database) as work:
            purged = await purge(work)
            await work.commit()
        total += purged
    return total
