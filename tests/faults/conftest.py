"""Applications and servers of all kinds, and a PostgreSQL that a test may stop."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import asyncpg
import httpx
import pytest
from fastapi import APIRouter

from app.cli.embedded.server import EmbeddedPostgres
from app.main import Application, create_app
from tests.conftest import connect, database_url, make_tables, new_client
from tests.factories import create_token, create_user
from tests.faults.servers import Server, serving


class NewApp(Protocol):
    def __call__(self, router: APIRouter | None = None, **settings: Any) -> Application: ...


@pytest.fixture
async def new_app(app: Application) -> AsyncIterator[NewApp]:
    """Makes applications with settings or routes of their own, on the suite's database."""
    made: list[Application] = []

    def make(router: APIRouter | None = None, **changes: Any) -> Application:
        application = create_app(app.settings.model_copy(update=changes))
        assert isinstance(application, Application)
        if router is not None:
            application.include_router(router)
        made.append(application)
        return application

    yield make
    for application in made:
        await application.database.close()


@pytest.fixture
async def admin(database_name: str) -> AsyncIterator["asyncpg.Connection"]:
    """A connection to the suite's database beside the application's."""
    connection = await connect(database_name)
    yield connection
    await connection.close()


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL with a migrated database that nobody else uses; it keeps what it confirms."""
    with tempfile.TemporaryDirectory(prefix="plinth-test-") as folder:
        server = EmbeddedPostgres(Path(folder, "data"))
        try:
            make_tables(server.start())
            yield server
        finally:
            server.stop("immediate")
            with suppress(FileNotFoundError):
                shutil.rmtree((server.data_dir / "postgres").resolve())


@pytest.fixture(scope="session")
def server(database_name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """`app serve` with one process on the suite's database."""
    folder = tmp_path_factory.mktemp("server")
    with serving(database_url(database_name), folder) as server:
        yield server


async def sign_in_to(app: Application, email: str = "alice@example.com") -> httpx.AsyncClient:
    token = await create_token(app.database, await create_user(app.database, email))
    return new_client(app, {"Authorization": f"Bearer {token}"})


async def backends(admin: "asyncpg.Connection") -> set[int]:
    """The processes that serve the application's connections to the suite's database."""
    rows = await admin.fetch(
        "SELECT pid FROM pg_stat_activity"
        " WHERE application_name = 'plinth' AND datname = current_database()"
    )
    return {row["pid"] for row in rows}


async def idle_in_transaction(admin: "asyncpg.Connection") -> int:
    """How many of the application's transactions nobody goes on with."""
    await asyncio.sleep(0.05)  # PostgreSQL shows its backends a little late
    found = await admin.fetchval(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'plinth'"
        " AND datname = current_database() AND state LIKE 'idle in transaction%'"
    )
    return int(found)
