"""What the server answers before the application is asked, or in its place."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import WebSocket

from app.config import Settings
from app.main import Application, create_app
from tests.live import Live, served
from tests.problems import CANARY, LAMPS, read_problem

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
GOOD = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": KEY,
}
MALFORMED = {
    "a key": GOOD | {"Sec-WebSocket-Key": CANARY},
    "no key": {name: value for name, value in GOOD.items() if name != "Sec-WebSocket-Key"},
    "a version": GOOD | {"Sec-WebSocket-Version": "canary7f3a9"},
    "a long line": GOOD | {"Cookie": CANARY * 1000},
    "many lines": GOOD | {f"X-{number}": CANARY for number in range(200)},
}


@pytest.fixture(scope="module")
async def live(settings: Settings) -> AsyncIterator[Live]:
    app = create_app(settings)
    assert isinstance(app, Application)
    async with served(app) as live:
        yield live


@pytest.mark.parametrize("headers", MALFORMED.values(), ids=MALFORMED.keys())
async def test_what_is_no_handshake(live: Live, headers: dict[str, str]) -> None:
    async with live.client() as client:
        response = await client.get(LAMPS, headers=headers)
    read_problem(response, 400, "BAD_REQUEST")
    assert CANARY not in response.text
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Connection"] == "close"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_another_method(live: Live, method: str) -> None:
    async with live.client() as client:
        response = await client.request(method, LAMPS, headers=GOOD, content=b"canary")
    read_problem(response, 400, "BAD_REQUEST")


async def test_another_upgrade_is_not_made(live: Live) -> None:
    upgrade = {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": ""}
    async with live.client() as client:
        response = await client.get("/health/live", headers=upgrade)
    assert response.status_code == 200


async def test_a_server_that_stops_answers_handshakes_under_way(settings: Settings) -> None:
    app = create_app(settings)
    assert isinstance(app, Application)
    begun, go_on = asyncio.Event(), asyncio.Event()

    @app.websocket("/waiting")
    async def wait(websocket: WebSocket) -> None:
        begun.set()
        await go_on.wait()
        await websocket.accept()

    async with served(app) as live:
        shaking_hands = asyncio.create_task(get_upgraded(live))
        await begun.wait()
        live.server.should_exit = True
        await asyncio.sleep(0.2)
        go_on.set()
        response = await shaking_hands
    read_problem(response, 503, "SERVICE_UNAVAILABLE")


async def get_upgraded(live: Live) -> httpx.Response:
    async with live.client() as client:
        return await client.get("/waiting", headers=GOOD)
