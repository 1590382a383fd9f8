"""Connections that stay open: how many there may be, and when the server ends them."""

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from time import perf_counter
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import APIRouter, WebSocket
from fastapi.responses import StreamingResponse
from fastapi.sse import EventSourceResponse
from websockets.asyncio.client import ClientConnection

from app.auth.dependencies import CurrentSession
from app.config import Settings
from app.database.unit_of_work import UnitOfWork
from app.exceptions import ServiceUnavailable
from app.main import Application
from tests.accounts.steps import ALICE, AUTH, NEW_PASSWORD, SESSIONS, execute, fetch, login, post
from tests.conftest import connect, new_client
from tests.dispatch.conftest import PREFIX, Serve, application, close_code, refused
from tests.factories import PASSWORD
from tests.faults.load import eventually
from tests.live import Live, served
from tests.problems import read_problem
from tests.statements import recorded_statements

router = APIRouter()
public = APIRouter()
INTERVAL = 0.05  # seconds; the default is 5
UNLIMITED = httpx.Limits(max_connections=None)

type End = Callable[[httpx.AsyncClient, Application], Awaitable[None]]

BEGAN: list[str] = []
ENDED: list[str] = []


@router.websocket("/echo")
@public.websocket("/echo")
async def echo(websocket: WebSocket) -> None:
    await websocket.accept()
    async for message in websocket.iter_text():
        await websocket.send_text(message)


@router.websocket("/deaf")
async def never_receive(websocket: WebSocket) -> None:
    await websocket.accept()
    BEGAN.append("deaf")
    try:
        await asyncio.sleep(60)
    finally:
        ENDED.append("deaf")


@router.get("/events", response_class=EventSourceResponse)
@public.get("/events", response_class=EventSourceResponse)
async def events() -> AsyncIterator[str]:
    BEGAN.append("events")
    try:
        while True:
            yield "tick"
            await asyncio.sleep(0.02)
    finally:
        ENDED.append("events")


@router.get("/returned")
async def events_that_are_returned(_: CurrentSession) -> StreamingResponse:
    return StreamingResponse(ticks(), media_type="text/event-stream")


@router.get("/export")
async def export() -> AsyncIterator[dict[str, int]]:
    """Lines of JSON, which a client would take for whole."""
    try:
        for number in range(10_000):
            yield {"number": number}
            await asyncio.sleep(0.02)
    finally:
        ENDED.append("export")


@router.get("/slow")
async def be_slow() -> str:
    BEGAN.append("slow")
    await asyncio.sleep(0.5)
    return "done"


async def ticks() -> AsyncIterator[str]:
    BEGAN.append("returned")
    try:
        while True:
            yield "data: tick\n\n"
            await asyncio.sleep(0.02)
    finally:
        ENDED.append("returned")


@pytest.fixture
async def admin(database_name: str) -> AsyncIterator["asyncpg.Connection"]:
    connection = await connect(database_name)
    yield connection
    await connection.close()


@pytest.fixture(scope="module")
async def live(settings: Settings) -> AsyncIterator[Live]:
    limits = {"max_open_connections_per_user": 2, "max_open_connections": 3}
    made = application(router, settings, session_check_interval=INTERVAL, **limits)
    async with served(made) as live:
        yield live


@pytest.fixture(autouse=True)
async def nothing_open(live: Live) -> None:
    assert await eventually(lambda: holds(live, 0), 3)
    BEGAN.clear()
    ENDED.clear()


async def holds(live: Live, number: int) -> bool:
    return len(live.app.open_connections) == number


def problem_of(response: httpx.Response) -> None:
    problem = read_problem(response, 429, "RATE_LIMITED")
    assert problem["detail"] == "At most 2 connections may stay open at once"
    assert int(response.headers["Retry-After"]) > 0


class TestLimits:
    async def test_a_user_has_so_many_of_all_kinds(
        self, live: Live, token: str, other_token: str
    ) -> None:
        async with live.client(token) as client, live.connect(f"{PREFIX}/echo", token):
            for path in ("/events", "/returned"):
                assert await eventually(lambda: holds(live, 1), 3)
                async with client.stream("GET", f"{PREFIX}{path}") as first:
                    assert first.status_code == 200
                    problem_of(await refused(live, "/echo", token))
                    for other in ("/events", "/returned"):
                        problem_of(await client.get(f"{PREFIX}{other}"))
                    async with live.connect(f"{PREFIX}/echo", other_token):
                        pass
            assert await eventually(lambda: holds(live, 1), 3)
            async with live.connect(f"{PREFIX}/echo", token):
                pass

    async def test_a_process_has_so_many(self, live: Live, token: str, other_token: str) -> None:
        async with (
            live.connect(f"{PREFIX}/echo", token),
            live.connect(f"{PREFIX}/echo", token),
            live.connect(f"{PREFIX}/echo", other_token),
        ):
            response = await refused(live, "/echo", other_token)
            read_problem(response, 503, "SERVICE_UNAVAILABLE")
            assert int(response.headers["Retry-After"]) > 0

    async def test_many_at_once_do_not_pass_the_limit(self, live: Live, token: str) -> None:
        async with AsyncExitStack() as stack:

            async def attempt() -> Any:
                return await stack.enter_async_context(live.connect(f"{PREFIX}/echo", token))

            attempts = await asyncio.gather(*(attempt() for _ in range(8)), return_exceptions=True)
            assert sum(isinstance(each, Exception) for each in attempts) == 6

    async def test_a_stream_that_ends_by_itself_counts_when_it_takes_long(
        self, serve: Serve, token: str
    ) -> None:
        live = await serve(router, max_open_connections_per_user=1, request_timeout=1.5)
        path = f"{PREFIX}/export"
        async with live.client(token) as client, client.stream("GET", path) as first:
            async with client.stream("GET", path) as second:
                assert (first.status_code, second.status_code) == (200, 200)
            await asyncio.sleep(1.6)
            async with client.stream("GET", path) as third:
                assert third.status_code == 429

    async def test_strangers_are_told_apart_by_their_addresses(self, app: Application) -> None:
        changes = {"max_open_connections_per_user": 1, "trusted_proxies": ["127.0.0.1"]}
        made = application(router, app.settings, **changes)
        made.include_router(public)
        async with served(made) as live:
            one, two = ({"headers": {"X-Forwarded-For": f"192.0.2.{end}"}} for end in (1, 2))
            async with (
                live.connect("/echo", **one),
                live.connect("/echo", **two),
                live.client(**one) as client,
            ):
                read_problem(await client.get("/events"), 429, "RATE_LIMITED")


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
        assert await eventually(lambda: holds(live, 0), 3)
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
            assert await eventually(lambda: holds(live, 0), 3)
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


class TestShutdown:
    async def test_what_never_ends_is_ended_and_requests_finish(
        self, serve: Serve, token: str
    ) -> None:
        live = await serve(router, max_open_connections_per_user=100)
        async with AsyncExitStack() as stack:
            client = await stack.enter_async_context(live.client(token, limits=UNLIMITED))

            async def connect(path: str) -> ClientConnection:
                return await stack.enter_async_context(live.connect(f"{PREFIX}{path}", token))

            async def read(path: str) -> str:
                return (await client.get(f"{PREFIX}{path}")).text

            sockets = await asyncio.gather(*map(connect, ["/echo"] * 20 + ["/deaf"] * 5))
            streams = [
                asyncio.create_task(read(path)) for path in ["/events"] * 20 + ["/returned"] * 5
            ]
            slow = asyncio.create_task(client.get(f"{PREFIX}/slow"))
            kinds = ["deaf"] * 5 + ["events"] * 20 + ["returned"] * 5

            async def all_began() -> bool:
                return sorted(BEGAN) == [*kinds, "slow"]

            assert await eventually(all_began, 10)
            started = perf_counter()
            live.server.should_exit = True
            async with asyncio.timeout(5):
                codes = await asyncio.gather(*map(close_code, sockets))
                bodies = await asyncio.gather(*streams)
                assert (await slow).json() == "done"
                await live.serving
            assert perf_counter() - started < 3  # the server would wait for 5
        assert set(codes) == {1012}
        assert all(body.endswith("\n\n") for body in bodies)

        async def all_ended() -> bool:  # one that waits to be read is ended by its collection
            gc.collect()
            return sorted(ENDED) == kinds

        assert await eventually(all_ended, 3)

    async def test_lets_nothing_in_any_more(self, serve: Serve, token: str) -> None:
        live = await serve(router)
        live.app.open_connections.drain()
        read_problem(await refused(live, "/echo", token), 503, "SERVICE_UNAVAILABLE")
        async with live.client(token) as client:
            answer = await client.get(f"{PREFIX}/events")
            read_problem(answer, 503, "SERVICE_UNAVAILABLE")
