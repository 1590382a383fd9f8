"""Each limit ends what runs over it as a 503, and leaves a connection that works."""

import asyncio
from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import Any

import asyncpg
import pytest
from fastapi import APIRouter
from sqlalchemy import text

from app.core.repository import EVERYONE
from app.database.unit_of_work import UnitOfWork
from app.dependencies import Work
from app.users.repository import UserRepository
from app.users.schemas import UserCreate
from tests.conftest import new_client
from tests.factories import create_lamps
from tests.faults.conftest import NewApp, idle_in_transaction, sign_in_to
from tests.faults.load import eventually

LAMPS = "/api/v1/lamps"
ALICE = UserCreate(email="alice@example.com", password_hash="none")
SLEEP = text("SELECT pg_sleep(3)")

type Use = Callable[[UnitOfWork], Awaitable[Any]]


async def sleep_in_the_database(work: UnitOfWork) -> None:
    await work.execute(SLEEP)


async def sleep_after_a_write(work: UnitOfWork) -> None:
    await UserRepository(work, EVERYONE).create(ALICE)
    await work.execute(SLEEP)


async def dawdle_after_a_write(work: UnitOfWork) -> None:
    await UserRepository(work, EVERYONE).create(ALICE)
    await asyncio.sleep(0.3)
    await work.execute(text("SELECT 1"))


@pytest.mark.parametrize(
    ("use", "limit"),
    [
        (sleep_in_the_database, "db_statement_timeout"),
        (sleep_after_a_write, "db_statement_timeout"),
        (sleep_in_the_database, "db_command_timeout"),
        (sleep_after_a_write, "db_command_timeout"),
        (sleep_in_the_database, "request_timeout"),
        (sleep_after_a_write, "request_timeout"),
        (dawdle_after_a_write, "request_timeout"),
        (dawdle_after_a_write, "db_idle_timeout"),
    ],
)
async def test_what_takes_too_long_is_a_503(
    new_app: NewApp, admin: "asyncpg.Connection", use: Use, limit: str
) -> None:
    router = APIRouter()

    @router.post("/use")
    async def route(work: Work) -> None:
        await use(work)

    @router.get("/backend")
    async def backend(work: Work) -> int:
        row = await work.fetch_one(text("SELECT pg_backend_pid()"))
        assert row is not None
        return int(row[0])

    async def ended() -> bool:
        sleeping = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
        return not await admin.fetchval(f"{sleeping} AND datname = current_database()")

    limits = {"db_statement_timeout": 0.6, limit: 0.2}
    app = new_app(router, db_pool_size=1, db_max_overflow=0, **limits)
    async with new_client(app) as client:
        before = (await client.get("/backend")).json()
        started = perf_counter()
        response = await client.post("/use")
        assert perf_counter() - started < 4  # with its retries
        assert response.status_code == 503
        assert response.headers["Retry-After"]
        after = await client.get("/backend")
        assert after.status_code == 200
    if limit == "db_statement_timeout":
        assert after.json() == before
    assert app.database.in_use == 0
    assert await eventually(ended, 1)  # what nobody waits for, by the limit of statements
    assert await admin.fetchval("SELECT count(*) FROM users") == 0
    assert await idle_in_transaction(admin) == 0


async def test_a_row_that_stays_locked_is_a_503(
    new_app: NewApp, admin: "asyncpg.Connection"
) -> None:
    app = new_app(db_lock_timeout=0.2, db_pool_size=1, db_max_overflow=0)
    async with await sign_in_to(app) as client:
        (created,) = await create_lamps(client, {})
        path = f"{LAMPS}/{created['id']}"
        async with admin.transaction():
            await admin.execute("SELECT FROM lamps FOR UPDATE")
            started = perf_counter()
            response = await client.patch(path, json={"quantity": 7})
            assert perf_counter() - started < 0.7
            assert response.status_code == 503
            assert response.headers["Retry-After"]
            assert (await client.get(path)).json()["quantity"] == 0
        assert (await client.patch(path, json={"quantity": 7})).status_code == 200
