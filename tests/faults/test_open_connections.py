"""The server stops while hundreds of connections are open that would never end by themselves."""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path
from time import perf_counter

import httpx
import pytest
from websockets.asyncio.client import connect

from app.cli.serve import GRACE
from app.main import Application
from tests.conftest import database_url
from tests.dispatch.conftest import close_code
from tests.factories import create_token, create_user
from tests.faults.servers import Server, serving

LIVE = "/api/v1/live"
EACH = 100  # connections of each kind
WITHIN = 6  # seconds; the server would wait for GRACE
ENOUGH = {"MAX_OPEN_CONNECTIONS_PER_USER": "1000"}


# Over a second: a server starts, and three hundred connections are opened.
@pytest.mark.parametrize("workers", [1, 2])
async def test_a_stopped_server_ends_what_would_not_end(
    app: Application, database_name: str, tmp_path: Path, workers: int
) -> None:
    assert WITHIN < GRACE
    token = await create_token(app.database, await create_user(app.database, "a@example.com"))
    url = database_url(database_name)
    with serving(url, tmp_path, workers=workers, **ENOUGH) as server:
        async with AsyncExitStack() as stack:
            client = await stack.enter_async_context(
                httpx.AsyncClient(
                    base_url=server.url,
                    headers={"Authorization": f"Bearer {token}"},
                    timeout=30,
                    limits=httpx.Limits(max_connections=None),
                )
            )
            codes = [
                asyncio.create_task(close_code(await stack.enter_async_context(each)))
                for each in sockets(server, token)
            ]
            opened: list[httpx.Response] = []
            for _ in range(EACH):
                stream = client.stream("GET", f"{LIVE}/events")
                opened.append(await stack.enter_async_context(stream))
            bodies = [asyncio.create_task(read(each)) for each in opened]
            slow = [asyncio.create_task(client.get(f"{LIVE}/slow")) for _ in range(8)]
            await asyncio.sleep(0.5)
            started = perf_counter()
            remaining = await asyncio.to_thread(server.terminate, WITHIN)
            seconds = perf_counter() - started
            assert [(await each).text for each in slow] == ['"done"'] * 8
            assert Counter(await asyncio.gather(*codes)) == {1012: 2 * EACH}
            assert set(await asyncio.gather(*bodies)) == {'data: "hello"\n\n'}
    assert remaining == []
    assert seconds < WITHIN
    assert (tmp_path / "server.log").read_text() == ""


def sockets(server: Server, token: str) -> list[connect]:
    headers = {"Authorization": f"Bearer {token}"}
    address = f"ws://127.0.0.1:{httpx.URL(server.url).port}{LIVE}"
    return [
        connect(f"{address}/{path}", additional_headers=headers, proxy=None)
        for path in ["echo"] * EACH + ["deaf"] * EACH
    ]


async def read(response: httpx.Response) -> str:
    return (await response.aread()).decode()
