"""Answers that are made while they are sent: server-sent events and other streams."""

import asyncio
import gc
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack
from time import perf_counter
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Depends, Header
from fastapi.responses import StreamingResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from sqlalchemy import func, select
from starlette.middleware.gzip import GZipMiddleware
from structlog.testing import capture_logs

from app.config import Settings
from app.database.unit_of_work import UnitOfWork
from app.dependencies import UnitsOfWork, Work
from app.exceptions import ServiceUnavailable
from app.main import Application
from tests.dispatch.conftest import PREFIX, application
from tests.factories import lamp
from tests.faults.load import eventually
from tests.lamps.dependencies import Lamps
from tests.lamps.models import Lamp
from tests.lamps.schemas import LampCreate
from tests.live import Live, served
from tests.problems import read_problem

router = APIRouter()
ENDED: list[str] = []
FOLLOWED: list[str] = []
COUNT = select(func.count()).select_from(Lamp)
EVENTS = {"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-cache"}


async def keep_from_the_fast_way() -> AsyncIterator[None]:
    yield


async def create_one(lamps: Lamps, work: Work) -> None:
    await lamps.create(LampCreate.model_validate(lamp()))

    async def follow() -> None:
        FOLLOWED.append("the commit")

    work.after_commit.append(follow)


async def counts(work: UnitOfWork) -> AsyncIterator[int]:
    try:
        while True:
            [[count]] = await work.fetch(COUNT)
            yield count
            await asyncio.sleep(0.01)
    finally:
        ENDED.append("counts")


async def flood(units: UnitsOfWork) -> AsyncIterator[str]:
    """More than a client takes, in a unit of work that is open all the while."""
    try:
        async with units() as work:
            await work.fetch(COUNT)
            while True:
                yield "x" * 10_000
    finally:
        ENDED.append("flood")


async def as_text(stream: AsyncIterator[int]) -> AsyncIterator[str]:
    async for each in stream:
        yield f"data: {each}\n\n"


def returned(stream: AsyncIterator[str]) -> StreamingResponse:
    return StreamingResponse(stream, media_type="text/event-stream", headers=EVENTS)


SLOW = [Depends(keep_from_the_fast_way)]
CREATES = [Depends(create_one)]


@router.get("/counts/declared", response_class=EventSourceResponse)
@router.post("/counts/declared", response_class=EventSourceResponse, dependencies=CREATES)
async def declared_counts(work: Work) -> AsyncIterator[int]:
    async for count in counts(work):
        yield count


@router.get("/counts/returned")
@router.post("/counts/returned", dependencies=CREATES)
@router.get("/counts/slow", dependencies=SLOW)
@router.post("/counts/slow", dependencies=[*SLOW, *CREATES])
async def returned_counts(work: Work) -> StreamingResponse:
    return returned(as_text(counts(work)))


@router.get("/flood/declared", response_class=EventSourceResponse)
async def declared_flood(units: UnitsOfWork) -> AsyncIterator[str]:
    async for each in flood(units):
        yield each


@router.get("/flood/returned")
@router.get("/flood/slow", dependencies=SLOW)
async def returned_flood(units: UnitsOfWork) -> StreamingResponse:
    return returned(flood(units))


@router.get("/flood/sync", response_class=EventSourceResponse)
def synchronous_flood() -> Iterator[str]:
    try:
        while True:
            yield "x" * 10_000
    finally:
        ENDED.append("flood")


@router.get("/since", response_class=EventSourceResponse)
async def since(
    last_event_id: Annotated[int, Header()] = 0,
) -> AsyncIterator[ServerSentEvent]:
    for number in range(last_event_id + 1, 4):
        yield ServerSentEvent(data={"number": number}, id=str(number), event="numbered")


WAYS = ("declared", "returned", "slow")


@pytest.fixture(params=WAYS)
async def way(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    return chosen


@pytest.fixture(scope="module")
async def live(settings: Settings) -> AsyncIterator[Live]:
    changes = {"request_timeout": 1.5, "session_check_interval": 0.05}
    async with served(application(router, settings, **changes)) as live:
        yield live


@pytest.fixture(autouse=True)
async def nothing_open(live: Live) -> AsyncIterator[None]:
    ENDED.clear()
    FOLLOWED.clear()
    yield
    assert await eventually(lambda: none_open(live), 10)
    assert live.app.database.in_use == 0


async def none_open(live: Live) -> bool:
    return len(live.app.open_connections) == 0


async def nothing_held(live: Live) -> bool:
    return live.app.database.in_use == 0


async def has_ended() -> bool:
    return bool(ENDED)


async def has_followed() -> bool:
    return bool(FOLLOWED)


async def next_count(lines: AsyncIterator[str]) -> int:
    async for line in lines:
        if line.startswith("data: "):
            return int(line.removeprefix("data: "))
    raise AssertionError("The stream has ended")


def test_which_way_each_takes(live: Live) -> None:
    """A test of both ways is none when a route changes to the other one."""
    taken = {each.path: bool(each.obstacles) for each in live.app.operations()}
    assert [taken[f"{PREFIX}/counts/{way}"] for way in WAYS] == [True, False, True]


async def test_a_stream_reads_and_holds_no_connection(live: Live, token: str, way: str) -> None:
    async with (
        live.client(token) as client,
        client.stream("GET", f"{PREFIX}/counts/{way}") as response,
    ):
        assert dict(response.headers).items() >= {k.lower(): v for k, v in EVENTS.items()}.items()
        assert len(response.headers.get_list("cache-control")) == 1
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        lines = response.aiter_lines()
        assert await next_count(lines) == 0
        assert (await client.post("/api/v1/lamps", json=lamp())).status_code == 201
        async with asyncio.timeout(2):
            while await next_count(lines) == 0:
                pass
        assert await eventually(lambda: nothing_held(live), 10)
    assert await eventually(has_ended, 10)


async def test_streams_outlive_the_time_of_a_request(live: Live, token: str) -> None:
    async with live.client(token) as client, AsyncExitStack() as stack:
        paths = [f"{PREFIX}/counts/{way}" for way in WAYS]
        opened = [await stack.enter_async_context(client.stream("GET", path)) for path in paths]
        streams = [each.aiter_lines() for each in opened]
        ending = perf_counter() + 1.8
        while perf_counter() < ending:
            assert [await next_count(each) for each in streams] == [0, 0, 0]


async def test_what_it_wrote_is_committed_before_the_first_byte(
    live: Live, token: str, way: str
) -> None:
    async with live.client(token) as client:
        async with client.stream("POST", f"{PREFIX}/counts/{way}") as response:
            assert response.status_code == 200
            assert (await client.get("/api/v1/lamps")).json()["total"] == 1
            assert await next_count(response.aiter_lines()) == 1
        assert await eventually(has_ended, 10)
    assert await eventually(has_followed, 10)
    assert FOLLOWED == ["the commit"]


async def test_a_commit_that_fails_is_answered(
    live: Live, token: str, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(_: UnitOfWork) -> None:
        raise ServiceUnavailable

    async with live.client(token) as client:
        with monkeypatch.context() as patched, capture_logs() as logs:
            patched.setattr(UnitOfWork, "commit", fail)
            response = await client.post(f"{PREFIX}/counts/{way}")
        read_problem(response, 503, "SERVICE_UNAVAILABLE")
        assert [each["event"] for each in logs] == ["request"]
        assert (await client.get("/api/v1/lamps")).json()["total"] == 0
    assert FOLLOWED == []


async def test_a_stream_cannot_be_repeated(live: Live, token: str, way: str) -> None:
    async with live.client(token, headers={"Idempotency-Key": "one"}) as client:
        response = await client.post(f"{PREFIX}/counts/{way}")
        problem = read_problem(response, 422, "VALIDATION_ERROR")
        assert "Idempotency-Key" in problem["detail"]
        assert (await client.get("/api/v1/lamps")).json()["total"] == 0


async def test_a_head_is_answered_and_nothing_runs_on(live: Live, token: str, way: str) -> None:
    async with live.client(token) as client:
        response = await client.head(f"{PREFIX}/counts/{way}")
        assert response.status_code == 200
        assert response.headers["Content-Type"] == EVENTS["Content-Type"]
        assert response.headers["Cache-Control"] == "no-cache"
        assert (await client.get("/health/live")).status_code == 200


@pytest.mark.parametrize("way", [*WAYS, "sync"])
async def test_a_client_that_vanishes_ends_the_generator(live: Live, token: str, way: str) -> None:
    """Also one that waits at its `yield`, and without the garbage collector."""
    gc.disable()
    try:
        with capture_logs() as logs:
            _, writer = await open_stream(live, token, f"{PREFIX}/flood/{way}")
            await asyncio.sleep(0.1)
            writer.transport.abort()
            assert await eventually(has_ended, 10)
            assert await eventually(lambda: none_open(live), 10)
            assert await eventually(lambda: holds(logs), 10)
    finally:
        gc.enable()
    assert [each["event"] for each in logs] == ["request"]


async def test_a_client_that_does_not_read_is_cut(
    live: Live, token: str, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.dispatch.open_connections.UNREAD", 0.3)
    reader, writer = await open_stream(live, token, f"{PREFIX}/flood/{way}")
    assert await eventually(has_ended, 5)
    async with asyncio.timeout(5):
        while await reader.read(100_000):
            pass
    writer.close()


async def holds(logs: Sequence[Any]) -> bool:
    return len(logs) > 0


async def open_stream(
    live: Live, token: str, path: str
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A client that reads the head of the answer and no more than its buffers hold."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.settimeout(0)
    await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", live.port))
    reader, writer = await asyncio.open_connection(sock=sock, limit=4096)
    head = f"GET {path} HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {token}\r\n\r\n"
    writer.write(head.encode())
    assert (await reader.readline()).split()[1] == b"200"
    return reader, writer


async def test_a_client_comes_back_with_the_last_id(live: Live, token: str) -> None:
    async with live.client(token) as client:
        first = await client.get(f"{PREFIX}/since")
        again = await client.get(f"{PREFIX}/since", headers={"Last-Event-ID": "2"})
    assert first.text.count("event: numbered") == 3
    assert again.text == 'event: numbered\ndata: {"number": 3}\nid: 3\n\n'


async def test_compression_leaves_events_alone(app: Application, token: str) -> None:
    made = application(router, app.settings)
    made.add_middleware(GZipMiddleware, minimum_size=1)
    async with (
        served(made) as live,
        live.client(token) as client,
        client.stream("GET", f"{PREFIX}/counts/declared") as response,
    ):
        assert "Content-Encoding" not in response.headers
        async with asyncio.timeout(1):
            assert await next_count(response.aiter_lines()) == 0
