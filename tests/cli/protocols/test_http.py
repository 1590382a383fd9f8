"""What a client may have the server hold, before the application is asked and after it answered."""

import asyncio
import resource
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
import pytest

from app.cli.protocols import http, open_files
from app.config import Settings
from app.main import Application, create_app
from app.middleware.request_limits import MAX_HEAD
from tests.connection import PATIENCE, connected
from tests.live import Live, served

SOON = 0.3  # seconds
LIVE = b"GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n"
REGISTER = b"POST /api/v1/auth/register HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[Live]:
    app = create_app(settings)
    assert isinstance(app, Application)
    async with served(app) as live:
        yield live


@pytest.fixture(scope="module")
async def live(settings: Settings) -> AsyncIterator[Live]:
    async with serving(settings) as live:
        yield live


class TestTheHead:
    @pytest.mark.parametrize(
        "begin",
        [b"GET /", b"GET /?q=", b"GET / HTTP/1.1\r\nHost: a\r\nX-Long: ", b"GET / HTTP/1.1\r\nX"],
        ids=["path", "query", "value", "name"],
    )
    async def test_what_never_ends_is_refused(self, live: Live, begin: bytes) -> None:
        async with connected(live) as connection:
            await connection.send(begin)
            piece = b"a" * MAX_HEAD
            assert await connection.send_until_refused(piece, 500) < 500

    async def test_one_byte_too_many(self, live: Live) -> None:
        begin = b"GET / HTTP/1.1\r\nX-Long: "
        async with connected(live) as connection:
            await connection.send(begin + b"a" * (MAX_HEAD - len(begin)))
            await connection.send(b"a")
            status, detail = await connection.refusal()
        assert (status, detail) == (400, "The head of a request may hold at most 65536 bytes")

    async def test_it_counts_for_each_request_anew(self, live: Live) -> None:
        async with connected(live) as connection:
            for _ in range(4):
                await connection.send(
                    LIVE[:-2] + b"X-Long: " + b"a" * (MAX_HEAD // 2) + b"\r\n\r\n"
                )
                assert (await connection.answer())[0] == 200

    async def test_a_body_does_not_count(self, live: Live) -> None:
        body = b'{"a": "' + b"a" * (2 * MAX_HEAD) + b'"}'
        async with connected(live) as connection:
            await connection.send(REGISTER + b"Content-Length: %d\r\n\r\n" % len(body) + body)
            assert (await connection.answer())[0] == 422
            await connection.send(LIVE)
            assert (await connection.answer())[0] == 200

    async def test_silence_is_ended(self, live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(http, "HEAD_TIME", SOON)
        async with connected(live) as connection:
            assert await connection.ended()

    @pytest.mark.parametrize("before", [b"", LIVE], ids=["the first", "a later one"])
    async def test_one_that_does_not_end_in_time(
        self, live: Live, monkeypatch: pytest.MonkeyPatch, before: bytes
    ) -> None:
        monkeypatch.setattr(http, "HEAD_TIME", SOON)
        async with connected(live) as connection:
            if before:
                await connection.send(before)
                assert (await connection.answer())[0] == 200
            await connection.send(LIVE[:-2])
            status, detail = await connection.refusal()
        assert (status, detail) == (400, "The head of the request did not arrive in time")

    async def test_one_that_takes_its_time_but_ends(self, live: Live) -> None:
        async with connected(live) as connection:
            for each in LIVE:
                await connection.send(bytes([each]))
            assert (await connection.answer())[0] == 200

    async def test_what_is_no_http(self, live: Live) -> None:
        async with connected(live) as connection:
            await connection.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n")
            assert await connection.refusal() == (400, "The request is not HTTP/1.1")


class TestABodyThatIsNotWaitedFor:
    TOO_LARGE = REGISTER + b"Content-Length: 2000000\r\n\r\n"

    async def test_its_connection_is_closed(
        self, live: Live, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(http, "LINGER", SOON)
        async with connected(live) as connection:
            await connection.send(self.TOO_LARGE + b"half of it")
            assert (await connection.answer())[0] == 413
            assert await connection.ended()

    async def test_a_slow_one_does_not_keep_it_open(
        self, live: Live, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(http, "LINGER", SOON)
        async with connected(live) as connection:
            await connection.send(self.TOO_LARGE)
            async with asyncio.timeout(PATIENCE):
                while True:
                    if not await connection.send_until_refused(b"a", 1):
                        break
                    await asyncio.sleep(SOON / 10)

    async def test_one_that_comes_leaves_the_connection_usable(self, live: Live) -> None:
        async with connected(live) as connection:
            await connection.send(self.TOO_LARGE)
            assert (await connection.answer())[0] == 413
            await connection.send(b"a" * 2_000_000)
            await connection.send(LIVE)
            assert (await connection.answer())[0] == 200


class TestConnections:
    async def test_one_address_has_so_many(self, settings: Settings) -> None:
        few = settings.model_copy(update={"max_connections_per_address": 3})
        async with serving(few) as live, AsyncExitStack() as open_ones:
            for _ in range(3):
                each = await open_ones.enter_async_context(connected(live))
                await each.send(LIVE)
                assert (await each.answer())[0] == 200
            async with connected(live) as connection:
                status, detail = await connection.refusal()
            assert (status, detail) == (503, "There are too many connections")
            await open_ones.aclose()
            async with asyncio.timeout(PATIENCE), live.client() as client:
                while True:
                    if await is_live(client):
                        break
                    await asyncio.sleep(SOON / 10)

    @pytest.mark.parametrize(("total", "status"), [(100, 200), (3, 503)])
    async def test_a_trusted_proxy_may_have_all(
        self, settings: Settings, total: int, status: int
    ) -> None:
        limits = {"max_connections_per_address": 3, "max_connections": total}
        few = settings.model_copy(update={**limits, "trusted_proxies": ["127.0.0.0/8"]})
        async with serving(few) as live, AsyncExitStack() as open_ones:
            for _ in range(3):
                await open_ones.enter_async_context(connected(live))
            async with connected(live) as connection:
                await connection.send(LIVE)
                assert (await connection.answer())[0] == status


def test_open_files_are_for_connections_too(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = [(256, 1024)]
    monkeypatch.setattr(resource, "getrlimit", lambda _: limits[-1])
    monkeypatch.setattr(resource, "setrlimit", lambda _, pair: limits.append(pair))
    open_files.allow(500)
    assert limits[-1] == (700, 1024)
    open_files.allow(2000)
    assert limits[-1] == (1024, 1024)
    assert open_files.connections_allowed.__wrapped__() == 824


async def is_live(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/health/live")).status_code == 200
    except httpx.TransportError:
        return False
