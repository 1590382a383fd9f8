"""Applications that throttle, and clients at other network addresses."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager
from typing import Any

import httpx

from app.main import Application, create_app


@asynccontextmanager
async def throttling(app: Application, **settings: Any) -> AsyncGenerator[Application]:
    """An application of its own on the same database, as after a restart."""
    changes = settings | {"throttle_enabled": True}
    enabled = create_app(app.settings.model_copy(update=changes))
    assert isinstance(enabled, Application)
    try:
        yield enabled
    finally:
        await enabled.database.close()


def client_at(app: Application, address: str = "127.0.0.1", **headers: str) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, client=(address, 1234))
    return httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers)


async def statuses(*requests: Awaitable[httpx.Response]) -> Counter[int]:
    return Counter(response.status_code for response in await asyncio.gather(*requests))
