"""A real PostgreSQL for the suite, with a database for each worker, made from a migrated template.

TEST_DATABASE_URL names a server to use instead of the embedded one; its database's name must say
that it is for tests. TEST_POSTGRES_VERSION chooses the embedded version, 18 or 16.
"""

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path

import asyncpg
import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import delete, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

import tests
from app.cli.embedded.server import EmbeddedPostgres
from app.config import Environment, Settings
from app.core import registry
from app.core.models import Base
from app.database.connections import Database
from app.database.migrations import upgrade
from app.database.unit_of_work import UnitOfWork
from app.logging import configure_logging
from app.main import Application, create_app
from tests.factories import SignIn, create_token, create_user, find_user
from tests.lamps.models import Lamp
from tests.mailbox import Mailbox

SERVER = "PLINTH_TEST_SERVER"
TEMPLATE = "template"
APPEND_ONLY = "security_events"  # whose trigger stands in the way
CLEAR_APPEND_ONLY = f"""
DO $$ BEGIN IF EXISTS (SELECT FROM {APPEND_ONLY}) THEN
    ALTER TABLE {APPEND_ONLY} DISABLE TRIGGER append_only;
    DELETE FROM {APPEND_ONLY};
    ALTER TABLE {APPEND_ONLY} ENABLE TRIGGER append_only;
END IF; END $$
"""  # noqa: S608 - ours
DATABASES = {"database_name", "scratch"}  # fixtures
FAULTS = Path(__file__).parent / "faults"

registry.PLACES.append(tests)  # for the entity in tests/lamps

_embedded = pytest.StashKey[EmbeddedPostgres]()
_made_template = pytest.StashKey[bool]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--part", help="2/3: runs every third test alone, from the second one on")


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):
        return
    url = os.environ.get("TEST_DATABASE_URL")
    if url is None:
        folder = Path(tempfile.mkdtemp(prefix="plinth-test-"))
        version = int(os.environ.get("TEST_POSTGRES_VERSION", "18"))
        server = EmbeddedPostgres(folder, version=version, durable=False)
        server.start()
        config.stash[_embedded] = server
        url = server.url("test")
    name = make_url(url).database or ""
    if "test" not in name:
        raise pytest.UsageError(
            f"TEST_DATABASE_URL names the database {name!r}; the suite drops and creates databases "
            "and only touches one with `test` in its name"
        )
    os.environ[SERVER] = url
    asyncio.run(create_database(TEMPLATE, None))
    config.stash[_made_template] = True
    make_tables(database_url(TEMPLATE))


def pytest_unconfigure(config: pytest.Config) -> None:
    if server := config.stash.get(_embedded, None):
        server.stop("immediate")
        shutil.rmtree(server.data_dir)
    elif config.stash.get(_made_template, False):
        asyncio.run(drop_database(TEMPLATE))


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> Generator[None]:
    for each in items:
        if FAULTS in each.path.parents:
            each.add_marker(pytest.mark.faults)
        if isinstance(each, pytest.Function) and DATABASES.intersection(each.fixturenames):
            each.add_marker(pytest.mark.database)
    yield
    if part := config.getoption("--part"):  # of what the others left
        number, parts = map(int, part.split("/"))
        chosen = items[number - 1 :: parts]
        config.hook.pytest_deselected(items=[each for each in items if each not in chosen])
        items[:] = chosen


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    """Keep the server from a test whose fixtures do not ask for a database."""
    server = None if item.get_closest_marker("database") else os.environ.pop(SERVER)
    try:
        yield
    finally:
        if server is not None:
            os.environ[SERVER] = server


def database_url(suffix: str) -> str:
    """The URL of one of the suite's databases, on whichever server it runs."""
    url = make_url(os.environ[SERVER]).set(drivername="postgresql+asyncpg")
    return url.set(database=f"{url.database}_{suffix}").render_as_string(hide_password=False)


def make_tables(url: str) -> None:
    """The application's, by its migrations, and that of the suite's own entity."""
    upgrade(url)
    asyncio.run(_make_table_of_lamps(url))


async def _make_table_of_lamps(url: str) -> None:
    driver = make_url(url).set(drivername="postgresql+asyncpg")
    async with create_async_engine(driver, poolclass=NullPool).begin() as connection:
        table = Base.metadata.tables[Lamp.__tablename__]
        await connection.run_sync(Base.metadata.create_all, [table])


async def connect(suffix: str | None = None) -> "asyncpg.Connection":
    """A connection beside the application's own, to one of the suite's databases or the server."""
    url = make_url(database_url(suffix or ""))
    database = url.database if suffix else "postgres"
    plain = url.set(drivername="postgresql", database=database)
    return await asyncpg.connect(plain.render_as_string(hide_password=False))


async def create_database(suffix: str, template: str | None) -> None:
    await drop_database(suffix)
    connection = await connect()
    name, source = (make_url(database_url(each)).database for each in (suffix, template or ""))
    await connection.execute(
        f'CREATE DATABASE "{name}" TEMPLATE "{source if template else "template0"}"'
    )
    await connection.close()


async def drop_database(suffix: str) -> None:
    connection = await connect()
    name = make_url(database_url(suffix)).database
    await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    await connection.close()


@pytest.fixture(scope="session")
def database_name(worker_id: str) -> Iterator[str]:
    """The suffix of this worker's own database, which is dropped at the end."""
    asyncio.run(create_database(worker_id, TEMPLATE))
    yield worker_id
    asyncio.run(drop_database(worker_id))


@pytest.fixture
def scratch(worker_id: str) -> Iterator[str]:
    """The suffix of a migrated database that a test may do anything to."""
    suffix = f"{worker_id}_scratch"
    asyncio.run(create_database(suffix, TEMPLATE))
    yield suffix
    asyncio.run(drop_database(suffix))


@pytest.fixture(scope="session")
def settings(database_name: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(
        app_name="Plinth",  # whatever a project made from it is called
        environment=Environment.TEST,
        database_url=SecretStr(database_url(database_name)),
        data_dir=tmp_path_factory.mktemp("data"),
        secret_key=SecretStr("kQ3v9Zt7Lw2Xr5Np8Bs1Hd6Yf4Jc0Gm_"),
        throttle_enabled=False,
        request_timeout=60,  # a busy machine needs seconds for a dozen passwords
        docs_enabled=True,
        log_format="json",
    )


@pytest.fixture(scope="session")
async def session_app(settings: Settings) -> AsyncIterator[Application]:
    configure_logging(settings)
    app = create_app(settings)
    assert isinstance(app, Application)
    yield app
    await app.database.close()


@pytest.fixture
async def app(session_app: Application) -> AsyncIterator[Application]:
    """The application on an empty database."""
    yield session_app
    # Some tables' rows go in less time than TRUNCATE needs to look at its files.
    tables = [each for each in reversed(Base.metadata.sorted_tables) if each.name != APPEND_ONLY]
    clear = [*(str(delete(table)) for table in tables), CLEAR_APPEND_ONLY]
    async with UnitOfWork(session_app.database) as work:
        await work.execute(text("; ".join(clear)))
        await work.commit()


@pytest.fixture
def database(app: Application) -> Database:
    return app.database


@pytest.fixture
async def work(database: Database) -> AsyncIterator[UnitOfWork]:
    """A unit of work that the test may commit; otherwise nothing of it stays."""
    async with UnitOfWork(database) as work:
        yield work


@pytest.fixture
async def client(app: Application) -> AsyncIterator[httpx.AsyncClient]:
    """A client that is not signed in."""
    async with new_client(app) as client:
        yield client


def new_client(app: Application, headers: dict[str, str] | None = None) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers)


@pytest.fixture
async def sign_in(app: Application) -> AsyncIterator[SignIn]:
    """Makes clients that are signed in: as a new user, or as one that is there once more."""
    clients: list[httpx.AsyncClient] = []

    async def make(email: str, *, superuser: bool = False) -> httpx.AsyncClient:
        user = await find_user(app.database, email)
        user = user or await create_user(app.database, email, superuser=superuser)
        token = await create_token(app.database, user)
        clients.append(new_client(app, {"Authorization": f"Bearer {token}"}))
        return clients[-1]

    yield make
    for client in clients:
        await client.aclose()


@pytest.fixture
def mailbox(app: Application) -> Iterator[Mailbox]:
    """Gets what the application mails."""
    before, mailbox = app.mailer, Mailbox()
    app.mailer = mailbox
    yield mailbox
    app.mailer = before


@pytest.fixture
async def alice(sign_in: SignIn) -> httpx.AsyncClient:
    return await sign_in("alice@example.com")


@pytest.fixture
async def bob(sign_in: SignIn) -> httpx.AsyncClient:
    return await sign_in("bob@example.com")


@pytest.fixture
async def root(sign_in: SignIn) -> httpx.AsyncClient:
    """A superuser."""
    return await sign_in("root@example.com", superuser=True)
