import asyncio
import os
import signal
import socket
import sys
import threading
import time
from typing import Annotated, Any
from urllib.request import urlopen

import typer
import uvicorn
from sqlalchemy import func, select

from app.cli.local_database import local_database
from app.cli.workers import use_workers
from app.config import Settings, SettingsError, load_settings, path_prefix
from app.database.connections import Database
from app.database.migrations import ROOT, upgrade
from app.database.unit_of_work import UnitOfWork
from app.exceptions import AppError

GRACE = 15  # seconds for accepted requests to finish on SIGTERM
# Seconds that a worker may take to start. The supervisor asks whether it lives, and replaces one
# that does not answer. A worker answers only after its imports: on a busy machine, always too late.
WORKER_START = 60
RESERVE = 10  # connections left for migrations, `psql` and monitoring
PARENT = "PLINTH_DEV_PARENT"
Prefix = Annotated[
    str | None,
    typer.Option(help="Default: ROOT_PATH.", parser=path_prefix, metavar="PATH"),
]


def dev(
    host: Annotated[str | None, typer.Option(help="Default: HOST.")] = None,
    port: Annotated[int | None, typer.Option(help="Default: PORT.")] = None,
    root_path: Prefix = None,
) -> None:
    """Serve with reload, on a database that is started and migrated if none is configured."""
    started = time.monotonic()
    settings = load_settings()
    if settings.production:
        raise SettingsError("ENVIRONMENT: `app dev` is not for production; use `app serve`")
    host, port = host or settings.host, port or settings.port
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        with local_database(settings, own=True) as ready:
            _require_free(host, port)
            assert ready.database_url is not None
            url = ready.database_url.get_secret_value()
            upgrade(url)
            address = f"http://{host}:{port}"
            threading.Thread(target=_greet, args=(address, started), daemon=True).start()
            os.environ |= {"DATABASE_URL": url, PARENT: str(os.getpid())}
            uvicorn.run(
                "app.cli.dev_server:dev_app",
                factory=True,
                host=host,
                port=port,
                root_path=settings.root_path if root_path is None else root_path,
                lifespan="on",  # what refuses to start is not served
                reload=True,
                reload_dirs=[str(ROOT / "src")],
                **_protocols(settings),
                access_log=False,
                proxy_headers=False,
                server_header=False,
                log_level="warning",
                timeout_graceful_shutdown=2,
            )
    except KeyboardInterrupt:
        pass


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
    _require_connections(settings, workers)
    use_workers()
    uvicorn.run(
        "app.main:create_app",
        factory=True,
        host=host or settings.host,
        port=port or settings.port,
        workers=workers,
        root_path=settings.root_path if root_path is None else root_path,
        lifespan="on",  # what refuses to start is not served
        **_protocols(settings),
        access_log=False,
        proxy_headers=False,
        server_header=False,
        log_level="warning",
        timeout_graceful_shutdown=GRACE,
        timeout_worker_healthcheck=WORKER_START,
    )


def _protocols(settings: Settings) -> dict[str, Any]:
    return {
        "http": "app.cli.protocols:HttpProtocol",
        "ws": "app.cli.protocols:WebSocketProtocol",
        "ws_max_size": settings.max_message_size,
        # A compressor for each connection, and a size that tells something of what is secret.
        "ws_per_message_deflate": False,
    }


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _require_free(host: str, port: int) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            reason = f"PORT: {host}:{port} cannot be used ({error.strerror}); try --port {port + 1}"
            raise SettingsError(reason) from None


def _greet(address: str, started: float) -> None:
    """Print where the API is, as soon as it answers."""
    while True:
        try:
            with urlopen(f"{address}/health/live", timeout=1):  # noqa: S310 - our own address
                break
        except OSError:
            time.sleep(0.05)
    print(
        f"""
  Ready after {time.monotonic() - started:.1f} s.

  Documentation   {address}/docs
  Sign in         there: POST /api/v1/auth/register, then /auth/login, and put the token
                  into Authorize; or as a superuser, in another terminal:
                  uv run app user create --superuser --email you@example.com
  Stop            Ctrl-C
""",
        flush=True,
    )


def _require_connections(settings: Settings, workers: int) -> None:
    """Raises SettingsError if the workers' pools need more connections than the database allows."""
    wanted = workers * (settings.db_pool_size + settings.db_max_overflow) + RESERVE
    try:
        limit = asyncio.run(_max_connections(settings))
    except AppError:
        print("The database does not answer yet; /health/ready says when it does", file=sys.stderr)
        return
    if wanted > limit:
        raise SettingsError(
            f"WORKERS: {workers} x (DB_POOL_SIZE + DB_MAX_OVERFLOW) + {RESERVE} in reserve are "
            f"{wanted} connections, and the database allows {limit}: lower one of them"
        )


async def _max_connections(settings: Settings) -> int:
    assert settings.database_url is not None
    database = Database(settings.database_url.get_secret_value(), settings)
    try:
        async with UnitOfWork(database) as work:
            row = await work.fetch_one(select(func.current_setting("max_connections")))
    finally:
        await database.close()
    return int(row[0]) if row else 0
