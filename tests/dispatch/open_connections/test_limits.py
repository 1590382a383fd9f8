"""How many connections may stay open."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import httpx

from app.main import Application
from tests.dispatch.conftest import PREFIX, Serve, application, refused
from tests.dispatch.open_connections.conftest import holds
from tests.dispatch.open_connections.routes import public, router
from tests.faults.load import eventually
from tests.live import Live, served
from tests.problems import read_problem


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
                assert await eventually(lambda: holds(live, 1), 10)
                async with client.stream("GET", f"{PREFIX}{path}") as first:
                    assert first.status_code == 200
                    problem_of(await refused(live, "/echo", token))
                    for other in ("/events", "/returned"):
                        problem_of(await client.get(f"{PREFIX}{other}"))
                    async with live.connect(f"{PREFIX}/echo", other_token):
                        pass
            assert await eventually(lambda: holds(live, 1), 10)
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
