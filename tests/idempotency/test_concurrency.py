"""Of requests with the same key that arrive together, one runs."""

import asyncio
from collections.abc import Callable
from time import perf_counter
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.database.connections import Database
from app.dependencies import Work
from app.exceptions import Conflict, ServiceUnavailable
from tests.conftest import connect
from tests.factories import lamp
from tests.faults.load import eventually
from tests.idempotency.steps import KEY, KEYED, RUN, Serve, count, raise_, same, write
from tests.lamps.dependencies import Lamps
from tests.lamps.models import Lamp
from tests.problems import LAMPS, read_problem

LOCK_TIMEOUT = 0.1


async def is_waited_for(database_name: str, waiting: int = 1) -> None:
    """Return when so many statements wait for another transaction."""
    connection = await connect(database_name)
    blocked = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )

    async def all_wait() -> bool:
        return int(await connection.fetchval(blocked)) == waiting

    assert await eventually(all_wait, 10)
    await connection.close()


class Held:
    """An endpoint whose first run stops, with its key claimed and a row written, until told."""

    def __init__(self, ending: Callable[[], Any] = lambda: None) -> None:
        self.runs = 0
        self.started, self.go_on = asyncio.Event(), asyncio.Event()
        self._ending = ending

    async def endpoint(self, lamps: Lamps) -> Lamp:
        self.runs += 1
        written = await write(lamps)
        if self.runs == 1:
            self.started.set()
            await self.go_on.wait()
            self._ending()
        return written

    async def first(self, client: httpx.AsyncClient) -> "asyncio.Task[httpx.Response]":
        """Send the first request, and return when it holds its key."""
        task = asyncio.create_task(client.post(RUN, headers=KEYED))
        await self.started.wait()
        return task


class TestConcurrency:
    @pytest.mark.parametrize("pool", [{}, {"db_pool_size": 1, "db_max_overflow": 0}])
    async def test_twenty_at_once_are_one(
        self, serve: Serve, database: Database, pool: dict[str, int]
    ) -> None:
        client = await serve(write, **pool)
        answers = await asyncio.gather(*(client.post(RUN, headers=KEYED) for _ in range(20)))
        assert answers[0].status_code == 201
        assert same(*answers)
        assert await count(database, "lamps") == 1
        assert await count(database, "idempotency_keys") == 1

    async def test_twenty_at_once_with_bodies_of_their_own(self, alice: httpx.AsyncClient) -> None:
        answers = await asyncio.gather(
            *(alice.post(LAMPS, json=lamp(), headers=KEYED) for _ in range(20))
        )
        assert sorted(each.status_code for each in answers) == [201, *[422] * 19]
        assert (await alice.get(LAMPS)).json()["total"] == 1

    async def test_a_duplicate_waits_for_the_first(
        self, serve: Serve, database: Database, database_name: str
    ) -> None:
        held = Held()
        client = await serve(held.endpoint)
        first = await held.first(client)
        duplicates = [asyncio.create_task(client.post(RUN, headers=KEYED)) for _ in range(3)]
        await is_waited_for(database_name, 3)
        held.go_on.set()
        answers = await asyncio.gather(first, *duplicates)
        assert answers[0].status_code == 201
        assert same(*answers)
        assert (held.runs, await count(database, "lamps")) == (1, 1)

    async def test_a_duplicate_of_an_error_waits_for_it_too(
        self, serve: Serve, database_name: str
    ) -> None:
        held = Held(raise_(Conflict("not today")))
        client = await serve(held.endpoint)
        first = await held.first(client)
        duplicate = asyncio.create_task(client.post(RUN, headers=KEYED))
        await is_waited_for(database_name)
        held.go_on.set()
        assert read_problem(await first, 409, "CONFLICT")["detail"] == "not today"
        assert same(await first, await duplicate)

    async def test_a_duplicate_takes_the_place_of_a_first_that_left_no_answer(
        self, serve: Serve, database: Database, database_name: str
    ) -> None:
        held = Held(raise_(ServiceUnavailable()))
        client = await serve(held.endpoint)
        first = await held.first(client)
        duplicates = [asyncio.create_task(client.post(RUN, headers=KEYED)) for _ in range(3)]
        await is_waited_for(database_name, 3)
        held.go_on.set()
        assert (await first).status_code == 503
        answers = await asyncio.gather(*duplicates)
        assert answers[0].status_code == 201
        assert same(*answers)
        assert (held.runs, await count(database, "lamps")) == (2, 1)

    async def test_a_duplicate_waits_no_longer_than_a_lock_may_take(
        self, serve: Serve, database: Database
    ) -> None:
        held = Held()
        client = await serve(held.endpoint, db_lock_timeout=LOCK_TIMEOUT)
        first = await held.first(client)
        started = perf_counter()
        problem = read_problem(await client.post(RUN, headers=KEYED), 409, "CONFLICT")
        assert LOCK_TIMEOUT <= perf_counter() - started < LOCK_TIMEOUT + 1
        assert "still running" in problem["detail"]
        assert "errors" not in problem
        assert (await client.post(RUN, headers={KEY: "another"})).status_code == 201
        held.go_on.set()
        assert same(await first, await client.post(RUN, headers=KEYED))
        assert (held.runs, await count(database, "lamps")) == (2, 2)

    @pytest.mark.parametrize("state", ["40001", "40P01"])
    async def test_a_unit_of_work_that_is_retried_is_stored_once(
        self, serve: Serve, database: Database, state: str
    ) -> None:
        runs = 0

        async def endpoint(work: Work, lamps: Lamps) -> Lamp:
            nonlocal runs
            runs += 1
            written = await write(lamps)
            if runs < 3:
                raising = f"DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '{state}'; END $$"
                await work.execute(text(raising))
            return written

        client = await serve(endpoint)
        answers = await asyncio.gather(*(client.post(RUN, headers=KEYED) for _ in range(4)))
        assert answers[0].status_code == 201
        assert same(*answers)
        assert (runs, await count(database, "lamps")) == (3, 1)
        assert await count(database, "idempotency_keys") == 1
