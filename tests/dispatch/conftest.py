"""Applications with routes of a test's own, behind a real server."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from typing import Any, Protocol

import httpx
import pytest
from fastapi import APIRouter
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus

from app.api.v1.router import v1
from app.config import Settings
from app.main import Application, create_app
from tests.factories import create_token, create_user
from tests.live import Live, served

PREFIX = "/api/live"


class Serve(Protocol):
    async def __call__(self, router: APIRouter, **settings: Any) -> Live: ...


def application(router: APIRouter, settings: Settings, **changes: Any) -> Application:
    """One with a router below PREFIX, where all is as it is below /api/v1."""
    app = create_app(settings.model_copy(update=changes))
    assert isinstance(app, Application)
    app.mount_api(replace(v1(), prefix=PREFIX, routers=[router], public=frozenset()))
    return app


@pytest.fixture
async def serve(app: Application) -> AsyncIterator[Serve]:
    async with AsyncExitStack() as stack:

        async def start(router: APIRouter, **changes: Any) -> Live:
            made = application(router, app.settings, **changes)
            return await stack.enter_async_context(served(made))

        yield start


@pytest.fixture
async def token(app: Application) -> str:
    """Of a user with the address alice@example.com."""
    return await create_token(app.database, await create_user(app.database, "alice@example.com"))


@pytest.fixture
async def other_token(app: Application) -> str:
    return await create_token(app.database, await create_user(app.database, "bob@example.com"))


async def refused(live: Live, path: str, token: str | None = None, **more: Any) -> httpx.Response:
    """The answer to a handshake, as any client sees answers."""
    with pytest.raises(InvalidStatus) as raised:
        async with live.connect(f"{PREFIX}{path}", token, **more):
            pass
    response = raised.value.response
    headers = [*response.headers.raw_items()]
    return httpx.Response(response.status_code, headers=headers, content=bytes(response.body))


async def close_code(socket: ClientConnection) -> int | None:
    """What the server closes with, after whatever it sends before."""
    with suppress(ConnectionClosed):
        while True:
            await socket.recv()
    received = socket.protocol.close_rcvd
    return received.code if received else None
