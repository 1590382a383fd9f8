import asyncio
import sys
from typing import Annotated

import structlog
import typer
from sqlalchemy import func, select

from app.cli.protocols import open_files
from app.cli.servers import Prefix, protocols
from app.cli.workers import run
from app.config import Settings, SettingsError, load_settings
from app.database.connections import Database
from app.database.migrations import applied_revision, head_revision, missing
from app.database.unit_of_work import UnitOfWork
from app.database.unreachable import Unreachable
from app.exceptions import ServiceUnavailable
from app.logging import configure_logging

GRACE = 15  # seconds for accepted requests to finish on SIGTERM
# Seconds that a worker may take to start. The supervisor asks whether it lives, and replaces one
# that does not answer. A worker answers only after its imports: on a busy machine, always too late.
WORKER_START = 60
RESERVE = 10  # connections left for migrations, `psql` and monitoring

_log = structlog.get_logger(__name__)


def serve(
    host: Annotated[str | None, typer.Option(help="Default: HOST.")] = None,
    port: Annotated[int | None, typer.Option(help="Default: PORT.")] = None,
    workers: Annotated[int | None, typer.Option(help="Default: WORKERS.")] = None,
    root_path: Prefix = None,
) -> None:
    """Serve in production. Never migrates: /health/ready says when migrations are missing."""
    settings = load_settings()
    if settings.database_url is None:
        raise SettingsError("DATABASE_URL: is required; `app dev` brings a database of its own")
    workers = workers or settings.workers
    configure_logging(settings)
    head_revision()  # migrations that form no line are refused here
    _require_database(settings, workers)
    open_files.allow(settings.max_connections)
    status = run(
        "app.main:create_app",
        factory=True,
        host=host or settings.host,
        port=port or settings.port,
        workers=workers,
        root_path=settings.root_path if root_path is None else root_path,
        lifespan="on",  # what refuses to start is not served
        **protocols(settings),
        access_log=False,
        proxy_headers=False,
        server_header=False,
        log_level="warning",
        timeout_graceful_shutdown=GRACE,
        timeout_worker_healthcheck=WORKER_START,
    )
    if status:
        sys.exit(status)


def _require_database(settings: Settings, workers: int) -> None:
    """Raises SettingsError for a database that refuses us, or has too few connections.

    One that does not answer may do so later, and one without migrations have them later.
    """
    try:
        limit, revision, lacks = asyncio.run(_look_at_database(settings))
    except ServiceUnavailable as error:
        if isinstance(error.__cause__, Unreachable) and error.__cause__.is_final:
            raise SettingsError(str(error.__cause__)) from None
        return  # the connection's own warning has said why
    wanted = workers * (settings.db_pool_size + settings.db_max_overflow) + RESERVE
    if wanted > limit:
        raise SettingsError(
            f"WORKERS: {workers} x (DB_POOL_SIZE + DB_MAX_OVERFLOW) + {RESERVE} in reserve are "
            f"{wanted} connections, and the database allows {limit}: lower one of them"
        )
    if lacks:
        _log.warning("database_not_ready", reason=lacks)
    elif revision != head_revision():
        _log.info("database_of_newer_release", revision=revision, needed=head_revision())


async def _look_at_database(settings: Settings) -> tuple[int, str | None, str | None]:
    """Its limit of connections, its revision, and what keeps it from being ready."""
    assert settings.database_url is not None
    database = Database(settings.database_url.get_secret_value(), settings)
    try:
        async with UnitOfWork(database) as work:
            row = await work.fetch_one(select(func.current_setting("max_connections")))
            limit = int(row[0]) if row else 0
            return limit, await applied_revision(work), await missing(work)
    finally:
        await database.close()
