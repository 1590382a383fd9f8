"""A key lives for 24 hours; later requests delete those that have expired."""

import asyncio

import httpx
from sqlalchemy import text

from app.database.connections import Database
from app.database.unit_of_work import UnitOfWork
from app.idempotency.repository import purge
from tests.factories import lamp
from tests.idempotency.steps import KEY, KEYED, SENT, count, same
from tests.problems import LAMPS


async def age_all_keys(database: Database, by: str) -> None:
    async with UnitOfWork(database) as work:
        aged = "UPDATE idempotency_keys SET created_at = created_at - CAST(:by AS text)::interval"
        await work.execute(text(aged).bindparams(by=by))
        await work.commit()


class TestExpiry:
    async def test_after_24_hours_it_runs_anew(
        self, alice: httpx.AsyncClient, database: Database
    ) -> None:
        first = await alice.post(LAMPS, json=SENT, headers=KEYED)
        await age_all_keys(database, "23 hours 59 minutes")
        assert same(first, await alice.post(LAMPS, json=SENT, headers=KEYED))
        await age_all_keys(database, "1 minute")
        second = await alice.post(LAMPS, json=lamp(), headers=KEYED)
        assert second.status_code == 201
        assert second.json()["id"] != first.json()["id"]
        await age_all_keys(database, "23 hours 59 minutes")
        assert (await alice.post(LAMPS, json=lamp(), headers=KEYED)).status_code == 422

    async def test_twenty_at_once_run_it_anew_once(
        self, alice: httpx.AsyncClient, database: Database
    ) -> None:
        first = await alice.post(LAMPS, json=SENT, headers=KEYED)
        await alice.delete(first.headers["Location"])
        await age_all_keys(database, "24 hours")
        answers = await asyncio.gather(
            *(alice.post(LAMPS, json=SENT, headers=KEYED) for _ in range(20))
        )
        assert answers[0].status_code == 201
        assert same(*answers)
        assert answers[0].json()["id"] != first.json()["id"]

    async def test_each_answer_that_is_stored_deletes_two_that_expired(
        self, alice: httpx.AsyncClient, database: Database
    ) -> None:
        keys = [{KEY: f"{number}"} for number in range(5)]
        for each in keys:
            await alice.post(LAMPS, json={}, headers=each)
        await age_all_keys(database, "25 hours")
        left = []
        for number in range(4):
            new = {KEY: f"new {number}"}
            for _ in range(2):  # a replay deletes nothing
                await alice.post(LAMPS, json={}, headers=new)
            left.append(await count(database, "idempotency_keys"))
        assert left == [4, 3, 3, 4]

    async def test_no_plan_deletes_more_than_that(
        self, alice: httpx.AsyncClient, database: Database
    ) -> None:
        """Not even one that would read a subquery again for each row."""
        for number in range(5):
            await alice.post(LAMPS, json={}, headers={KEY: f"{number}"})
        await age_all_keys(database, "25 hours")
        async with UnitOfWork(database) as work:
            for kind in ("hashagg", "hashjoin", "material", "mergejoin", "sort"):
                await work.execute(text(f"SET LOCAL enable_{kind} = off"))
            assert await purge(work, 2) == 2

    async def test_what_expired_is_deleted_whosever_it_was(
        self, alice: httpx.AsyncClient, bob: httpx.AsyncClient, database: Database
    ) -> None:
        await alice.post(LAMPS, json=SENT, headers=KEYED)
        await age_all_keys(database, "25 hours")
        await bob.post(LAMPS, json=SENT, headers=KEYED)
        assert await count(database, "idempotency_keys") == 1
