"""What may succeed when run again is run again as a whole, and not for ever."""

import asyncio
from time import perf_counter

import asyncpg
import pytest
from fastapi import APIRouter
from sqlalchemy import text

from app.core.repository import EVERYONE
from app.dependencies import Work
from app.users.repository import UserRepository
from app.users.schemas import UserCreate
from tests.conftest import new_client
from tests.factories import create_user
from tests.faults.conftest import NewApp

RETRIES = 3
ALICE = UserCreate(email="alice@example.com", password_hash="none")


@pytest.mark.parametrize("state", ["40P01", "40001"])
@pytest.mark.parametrize("failures", [1, RETRIES, RETRIES + 1])
async def test_runs_the_whole_unit_of_work_again(
    new_app: NewApp, admin: "asyncpg.Connection", state: str, failures: int
) -> None:
    router, runs = APIRouter(), 0

    @router.post("/write", status_code=201)
    async def write(work: Work) -> None:
        nonlocal runs
        runs += 1
        await UserRepository(work, EVERYONE).create(ALICE)
        if runs <= failures:
            raising = f"DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '{state}'; END $$"
            await work.execute(text(raising))

    async with new_client(new_app(router)) as client:
        response = await client.post("/write")
    written = await admin.fetchval("SELECT count(*) FROM users")
    if failures > RETRIES:
        assert (response.status_code, written, runs) == (503, 0, RETRIES + 1)
        assert response.headers["Retry-After"]
    else:
        assert (response.status_code, written, runs) == (201, 1, failures + 1)


async def test_of_two_requests_in_a_deadlock_both_succeed(new_app: NewApp) -> None:
    router, locked = APIRouter(), asyncio.Barrier(2)
    runs: list[str] = []

    @router.post("/rename/{first}/{second}")
    async def rename(first: str, second: str, work: Work) -> None:
        runs.append(first)
        await work.execute(text("SET LOCAL deadlock_timeout = '20ms'"))
        for email in (first, second):
            await work.execute(
                text("UPDATE users SET display_name = :by WHERE email = :email").bindparams(
                    by=first, email=email
                )
            )
            if email == first and len(runs) <= 2:
                await locked.wait()

    app = new_app(router)
    for email in ("a@example.com", "b@example.com"):
        await create_user(app.database, email)
    async with new_client(app) as client:
        responses = await asyncio.gather(
            client.post("/rename/a@example.com/b@example.com"),
            client.post("/rename/b@example.com/a@example.com"),
        )
    assert [response.status_code for response in responses] == [200, 200]
    assert len(runs) == 3


async def test_retries_stay_within_the_time_of_one_request(new_app: NewApp) -> None:
    router = APIRouter()

    @router.post("/slow")
    async def slow(work: Work) -> None:
        await asyncio.sleep(0.4)
        await work.execute(text("DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40001'; END $$"))

    async with new_client(new_app(router, request_timeout=0.5)) as client:
        await client.get("/health/live")  # the first request has everything built
        started = perf_counter()
        assert (await client.post("/slow")).status_code == 503
    assert perf_counter() - started < 1.2  # four runs would take longer
