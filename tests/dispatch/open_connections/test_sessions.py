"""A connection lives as long as its session, and is a use of it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from time import perf_counter
from typing import Any

import asyncpg
import httpx
import pytest

from app.database.unit_of_work import UnitOfWork
from app.exceptions import ServiceUnavailable
from app.main import Application
from tests.accounts.steps import ALICE, AUTH, NEW_PASSWORD, SESSIONS, execute, fetch, login, post
from tests.conftest import connect, new_client
from tests.dispatch.conftest import PREFIX, Serve, close_code
from tests.dispatch.open_connections.conftest import INTERVAL, holds
from tests.dispatch.open_connections.routes import ENDED, router
from tests.factories import PASSWORD
from tests.faults.load import eventually
from tests.live import Live
from tests.statements import recorded_statements

type End = Callable[[httpx.AsyncClient, Application], Awaitable[None]]


@pytest.fixture
async def admin(database_name: str) -> AsyncIterator["asyncpg.Connection"]:
    connection = await connect(database_name)
    yield connection
    await connection.close()


async def log_out(client: httpx.AsyncClient, _: Application) -> None:
    assert (await client.post(f"{AUTH}/logout")).status_code == 204


async def revoke_it_on_another_device(_: httpx.AsyncClient, app: Application) -> None:
    async with new_client(app) as other:
        token = (await login(other, email=ALICE)).json()["token"]
        headers = {"Authorization": f"Bearer {token}"}
        assert (await other.delete(SESSIONS, headers=headers)).status_code == 204


async def change_the_password_there(_: httpx.AsyncClient, app: Application) -> None:
    async with new_client(app) as other:
        token = (await login(other, email=ALICE)).json()["token"]
        other.headers["Authorization"] = f"Bearer {token}"
        changed = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
        assert (await post(other, "password", **changed)).is_success


def by_sql(sql: str) -> End:
    async def end(_: httpx.AsyncClient, app: Application) -> None:
        await execute(app.database, sql)

    return end


ENDS: dict[str, End] = {
    "a logout": log_out,
    "a revocation": revoke_it_on_another_device,
    "a new password": change_the_password_there,
    "its age": by_sql("UPDATE sessions SET expires_at = now()"),
    "idleness": by_sql("UPDATE sessions SET last_used_at = now() - interval '8 days'"),
    "a disabled user": by_sql("UPDATE users SET is_active = false"),
    "a deleted user": by_sql("UPDATE users SET deleted_at = now()"),
}


class TestRevocation:
    @pytest.mark.parametrize("end", ENDS.values(), ids=ENDS.keys())
    async def test_ends_with_the_session(
        self, app: Application, live: Live, token: str, end: End
    ) -> None:
        async with (
            live.client(token) as client,
            live.connect(f"{PREFIX}/echo", token) as socket,
            client.stream("GET", f"{PREFIX}/events") as response,
        ):
            events = response.aiter_lines()
            assert await anext(events) == 'data: "tick"'
            await end(client, app)
            async with asyncio.timeout(3):
                assert await close_code(socket) == 4401
                assert [line async for line in events][-1] == ""  # a whole event
        assert await eventually(lambda: holds(live, 0), 10)
        assert ENDED == ["events"]

    async def test_what_could_be_taken_for_whole_breaks_off(
        self, app: Application, live: Live, token: str
    ) -> None:
        async with (
            live.client(token) as client,
            client.stream("GET", f"{PREFIX}/export") as response,
        ):
            lines = response.aiter_lines()
            assert await anext(lines) == '{"number":0}'
            await log_out(client, app)
            with pytest.raises(httpx.RemoteProtocolError):
                await anext(line async for line in lines if not line)
        assert ENDED == ["export"]

    async def test_an_endpoint_that_does_not_receive_is_cancelled(
        self, app: Application, live: Live, token: str
    ) -> None:
        async with live.client(token) as client:
            async with live.connect(f"{PREFIX}/deaf", token) as socket:
                await log_out(client, app)
                assert await close_code(socket) == 4401
            assert ENDED == []  # it has a second to end by itself
            assert await eventually(lambda: holds(live, 0), 10)
        assert ENDED == ["deaf"]

    async def test_others_go_on(
        self, app: Application, live: Live, token: str, other_token: str
    ) -> None:
        async with (
            live.client(token) as client,
            live.connect(f"{PREFIX}/echo", token) as socket,
            live.connect(f"{PREFIX}/echo", other_token) as other,
        ):
            await log_out(client, app)
            assert await close_code(socket) == 4401
            await asyncio.sleep(4 * INTERVAL)
            await other.send("still here")
            assert await other.recv() == "still here"

    async def test_one_statement_asks_for_all_of_them(
        self, live: Live, token: str, other_token: str
    ) -> None:
        async with (
            live.connect(f"{PREFIX}/echo", token),
            live.connect(f"{PREFIX}/echo", token),
            live.connect(f"{PREFIX}/echo", other_token),
        ):
            with recorded_statements() as statements:
                started = perf_counter()
                while len(statements) < 2:  # noqa: ASYNC110 - nobody tells when there are
                    await asyncio.sleep(INTERVAL)
                assert len(statements) <= 1 + (perf_counter() - started) / INTERVAL
        await asyncio.sleep(0.05)
        with recorded_statements() as statements:
            await asyncio.sleep(3 * INTERVAL)
        assert statements == []  # nobody is there to ask for

    async def test_goes_on_when_the_database_is_away_for_a_moment(
        self, app: Application, live: Live, token: str, admin: "asyncpg.Connection"
    ) -> None:
        async with live.client(token) as client, live.connect(f"{PREFIX}/echo", token) as socket:
            await admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'plinth' AND datname = current_database()"
            )
            await asyncio.sleep(3 * INTERVAL)
            await socket.send("still here")
            assert await socket.recv() == "still here"
            await log_out(client, app)
            assert await close_code(socket) == 4401


async def make_last_use_old(app: Application) -> None:
    await execute(app.database, "UPDATE sessions SET last_used_at = now() - interval '1 hour'")


async def was_used_lately(app: Application) -> bool:
    sessions = "SELECT now() - last_used_at < interval '1 minute' AS is_recent FROM sessions"
    return all(row["is_recent"] for row in await fetch(app.database, sessions))


class TestUse:
    async def test_a_message_is_a_use_of_the_session(
        self, app: Application, live: Live, token: str
    ) -> None:
        async with live.connect(f"{PREFIX}/echo", token) as socket:
            await make_last_use_old(app)
            await asyncio.sleep(3 * INTERVAL)
            assert not await was_used_lately(app)
            await socket.send("hello")
            assert await eventually(lambda: was_used_lately(app), seconds=5)

    async def test_a_message_that_comes_while_the_server_asks_is_one(
        self, app: Application, live: Live, token: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        connections = live.app.open_connections
        ask, asked, go_on = connections._accepted, asyncio.Event(), asyncio.Event()

        async def ask_slowly(*arguments: Any) -> set[bytes]:
            accepted = await ask(*arguments)
            asked.set()
            await go_on.wait()
            return accepted

        monkeypatch.setattr(connections, "_accepted", ask_slowly)
        async with live.connect(f"{PREFIX}/echo", token) as socket:
            await make_last_use_old(app)
            await asyncio.wait_for(asked.wait(), 5)
            await socket.send("hello")
            assert await socket.recv() == "hello"
            go_on.set()
            assert await eventually(lambda: was_used_lately(app), seconds=5)

    async def test_a_use_is_told_later_when_the_database_is_away(
        self, app: Application, live: Live, token: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        connections = live.app.open_connections
        ask, told = connections._accepted, asyncio.Event()

        async def fail_once(work: UnitOfWork, all_of_them: Any, used: Any) -> set[bytes]:
            if used and not told.is_set():
                told.set()
                raise ServiceUnavailable
            return await ask(work, all_of_them, used)

        monkeypatch.setattr(connections, "_accepted", fail_once)
        async with live.connect(f"{PREFIX}/echo", token) as socket:
            await make_last_use_old(app)
            await socket.send("hello")
            assert await eventually(lambda: was_used_lately(app), seconds=5)
            assert told.is_set()

    async def test_one_on_which_nothing_moves_is_closed(self, serve: Serve, token: str) -> None:
        live = await serve(router, session_check_interval=INTERVAL, websocket_idle=1.5)
        async with live.connect(f"{PREFIX}/echo", token) as socket:
            for _ in range(6):
                await asyncio.sleep(0.3)
                await socket.send("still here")
                assert await socket.recv() == "still here"
            assert await close_code(socket) == 4408
