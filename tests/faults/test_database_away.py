"""The database stops, connections are cut, the network swallows what is sent: 503, then well."""

import asyncio
from collections.abc import AsyncIterator
from time import perf_counter
from typing import Any

import asyncpg
import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import make_url

from app.cli.embedded.server import EmbeddedPostgres
from app.main import Application
from tests.conftest import database_url
from tests.factories import create_lamps, lamp
from tests.faults.conftest import NewApp, idle_in_transaction, sign_in_to
from tests.faults.load import Load, Send, ask, eventually, under_load
from tests.faults.proxy import Proxy, proxy_to

LAMPS = "/api/v1/lamps"
FEW = 300  # requests of a machine that is too busy to judge a percentage
CUT = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE application_name = 'plinth' AND datname = current_database()"
)


def reads_and_writes(client: httpx.AsyncClient, each: int) -> list[Send]:
    def write() -> Any:
        return client.post(LAMPS, json=lamp())

    def read() -> Any:
        return client.get(LAMPS, params={"size": 1})

    return [write, read] * each


async def acknowledged_and_missing(client: httpx.AsyncClient, load: Load) -> set[str]:
    acknowledged = {response.json()["id"] for response in load.with_status(201)}
    assert acknowledged
    page, found = 1, set[str]()
    while lamps := (await client.get(LAMPS, params={"page": page, "size": 100})).json()["items"]:
        found |= {each["id"] for each in lamps}
        page += 1
    return acknowledged - found


# Over a second: PostgreSQL is away for one and a half.
async def test_an_immediate_stop_under_load_loses_nothing(
    new_app: NewApp, postgres: EmbeddedPostgres
) -> None:
    postgres.start()
    app = new_app(database_url=SecretStr(postgres.url()))
    async with await sign_in_to(app, "stop@example.com") as client:
        async with under_load(*reads_and_writes(client, 4)) as load:
            await asyncio.sleep(0.4)
            await asyncio.to_thread(postgres.stop, "immediate")
            stopped = perf_counter()
            await asyncio.sleep(0.2)
            live = await ask(lambda: client.get("/health/live"))
            ready = await ask(lambda: client.get("/health/ready"))
            await asyncio.sleep(1.3)
            await asyncio.to_thread(postgres.start)
            started = perf_counter()

            async def healthy() -> bool:
                return (await client.get("/health/ready")).status_code == 200

            assert await eventually(healthy, 1)
            await asyncio.sleep(max(0.0, started + 1 - perf_counter()))
            recovered = perf_counter()
            await asyncio.sleep(0.3)
        assert (live.status, ready.status) == (200, 503)
        assert set(load.statuses) == {200, 201, 503}
        assert all(response.headers["Retry-After"] for response in load.with_status(503))
        assert load.slowest < 2
        assert 503 in load.since(stopped)
        assert set(load.since(recovered)) == {200, 201}
        assert await acknowledged_and_missing(client, load) == set()
    assert app.database.in_use == 0


# Over a second: eight times all connections are cut, every 200 ms.
async def test_connections_cut_under_load_are_hardly_noticed(
    new_app: NewApp, admin: "asyncpg.Connection"
) -> None:
    app = new_app()
    async with await sign_in_to(app) as client:
        for _ in range(3):  # on a busy machine few requests stand against those in a COMMIT
            async with under_load(*reads_and_writes(client, 4), pause=0.002) as load:
                for _ in range(8):
                    await asyncio.sleep(0.2)
                    await admin.execute(CUT)
            assert set(load.statuses) <= {200, 201, 503}
            assert await acknowledged_and_missing(client, load) == set()
            total = load.statuses.total()
            if load.statuses[503] <= 0.02 * total or total < FEW:
                break
        else:
            pytest.fail(f"Too many requests failed: {load.statuses}")
        after = await asyncio.gather(*(client.get(LAMPS) for _ in range(30)))
        assert {response.status_code for response in after} == {200}
    assert app.database.in_use == 0
    assert await idle_in_transaction(admin) == 0


@pytest.mark.parametrize("at_once", [1, 15])
async def test_connections_cut_while_idle_are_not_noticed(
    new_app: NewApp, admin: "asyncpg.Connection", at_once: int
) -> None:
    app = new_app(db_pool_size=10, db_max_overflow=5)
    async with await sign_in_to(app) as client:
        for _ in range(3):
            responses = await asyncio.gather(*(client.get(LAMPS) for _ in range(at_once)))
            assert {response.status_code for response in responses} == {200}
            await admin.execute(CUT)
            await asyncio.sleep(0.05)


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    port = make_url(database_url("")).port
    assert port is not None
    async with proxy_to(port) as proxy:
        yield proxy


@pytest.fixture
def app_behind_proxy(new_app: NewApp, proxy: Proxy, database_name: str) -> Application:
    url = make_url(database_url(database_name)).set(host="127.0.0.1", port=proxy.port)
    return new_app(
        database_url=SecretStr(url.render_as_string(hide_password=False)),
        db_connect_timeout=0.5,
        db_pool_timeout=0.5,
        db_command_timeout=0.5,
        request_timeout=1.0,
    )


async def test_a_black_hole_is_a_503_within_the_deadline_and_heals(
    app_behind_proxy: Application, proxy: Proxy, admin: "asyncpg.Connection"
) -> None:
    app = app_behind_proxy
    async with await sign_in_to(app) as client:
        sends = reads_and_writes(client, 6)

        async def healthy() -> bool:
            answers = await asyncio.gather(*(ask(send) for send in sends))
            return {answer.status for answer in answers} == {200, 201}

        assert await eventually(healthy, 5)
        for _ in range(2):
            proxy.stall()
            answers = await asyncio.gather(*(ask(send) for send in sends))
            assert {answer.status for answer in answers} == {503}
            assert max(answer.seconds for answer in answers) < 1.3
            assert (await client.get("/health/live")).status_code == 200
            proxy.resume()
            assert await eventually(healthy, 3)
    assert app.database.in_use == 0
    assert await idle_in_transaction(admin) == 0


async def test_a_black_hole_within_a_transaction_is_a_503_and_leaves_none(
    app_behind_proxy: Application, proxy: Proxy, admin: "asyncpg.Connection"
) -> None:
    app = app_behind_proxy
    async with await sign_in_to(app) as client:
        (created,) = await create_lamps(client, {})
        path = f"{LAMPS}/{created['id']}"
        async with admin.transaction():
            await admin.execute("SELECT FROM lamps FOR UPDATE")
            waiting = asyncio.create_task(ask(lambda: client.patch(path, json={"quantity": 3})))
            await asyncio.sleep(0.1)
            proxy.stall()
        answer = await waiting
        assert answer.status == 503
        assert answer.seconds < 1.3
        proxy.resume()
        assert (await client.patch(path, json={"quantity": 4})).json()["quantity"] == 4
    assert app.database.in_use == 0
    assert await idle_in_transaction(admin) == 0
