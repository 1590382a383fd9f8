"""A server that stops ends what never would, and lets requests finish."""

import asyncio
import gc
from contextlib import AsyncExitStack
from time import perf_counter

import httpx
from websockets.asyncio.client import ClientConnection

from tests.dispatch.conftest import PREFIX, Serve, close_code, refused
from tests.dispatch.open_connections.routes import BEGAN, ENDED, router
from tests.faults.load import eventually
from tests.problems import read_problem

UNLIMITED = httpx.Limits(max_connections=None)


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

        assert await eventually(all_ended, 10)

    async def test_lets_nothing_in_any_more(self, serve: Serve, token: str) -> None:
        live = await serve(router)
        live.app.open_connections.drain()
        read_problem(await refused(live, "/echo", token), 503, "SERVICE_UNAVAILABLE")
        async with live.client(token) as client:
            answer = await client.get(f"{PREFIX}/events")
            read_problem(answer, 503, "SERVICE_UNAVAILABLE")
