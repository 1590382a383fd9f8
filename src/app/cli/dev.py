import asyncio
import os
import signal
import socket
import threading
import time
from functools import partial
from pathlib import Path
from typing import Annotated, Any
from urllib.error import HTTPError
from urllib.request import urlopen

import typer
from uvicorn import Config
from uvicorn.supervisors import ChangeReload

from app.cli import dev_server
from app.cli.dev_address import announced, url
from app.cli.local_database import local_database
from app.cli.servers import Prefix, protocols
from app.config import SettingsError, load_settings
from app.database.migrations import ROOT, applied

WATCHED = [ROOT / "src", ROOT / "alembic"]


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
            if settings.database_url is not None:
                asyncio.run(applied(ready))  # no reload mends a database that cannot be asked
            assert ready.database_url is not None
            os.environ["DATABASE_URL"] = ready.database_url.get_secret_value()
            address = url(host, port)
            threading.Thread(target=_greet, args=(address, started), daemon=True).start()
            with announced(settings.data_dir, address):
                _serve(
                    host=host,
                    port=port,
                    root_path=settings.root_path if root_path is None else root_path,
                    lifespan="on",  # what refuses to start is not served
                    **protocols(settings),
                    access_log=False,
                    proxy_headers=False,
                    server_header=False,
                    log_level="warning",
                    timeout_graceful_shutdown=2,
                )
    except KeyboardInterrupt:
        pass


class Reload(ChangeReload):
    """Sees a change of `.env` too, within a few seconds."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._seen = _last_change(Path(".env"))

    def should_restart(self) -> list[Path] | None:
        changes = super().should_restart()
        if (found := _last_change(Path(".env"))) != self._seen:
            self._seen = found
            return [*(changes or []), Path(".env")]
        return changes


def _serve(**options: Any) -> None:
    watched = [str(each) for each in WATCHED]
    config = Config("app.main:create_app", **options, reload=True, reload_dirs=watched)
    run = partial(dev_server.run, os.getpid(), options)
    Reload(config, run, [config.bind_socket()]).run()


def _last_change(path: Path) -> float | None:
    return path.stat().st_mtime if path.exists() else None


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
        except HTTPError:  # the reason why it does not start yet
            time.sleep(0.5)
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
