"""What was confirmed is there, and what was not confirmed has left nothing."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, NoReturn

import asyncpg
import httpx
import pytest
from fastapi import APIRouter, HTTPException
from starlette.responses import Response

from app.core.repository import EVERYONE
from app.dependencies import Work
from app.exceptions import Conflict
from app.main import Application
from app.users.repository import UserRepository
from app.users.schemas import UserCreate, UserRead
from tests.conftest import new_client
from tests.factories import PASSWORD, create_token, create_user, lamp
from tests.faults.conftest import NewApp
from tests.faults.servers import Server

LAMPS = "/api/v1/lamps"
READ_BACKS = 500


class Trigger:
    """Does something at the COMMIT of a new lamp, by a constraint that waits until then."""

    def __init__(self, connection: "asyncpg.Connection") -> None:
        self._connection = connection

    async def create(self, does: str) -> None:
        await self._connection.execute(
            f"""
            CREATE SEQUENCE commits;
            CREATE FUNCTION at_commit() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN PERFORM nextval('commits'); {does}; RETURN NULL; END $$;
            CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON lamps
                DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION at_commit();
            """
        )

    async def runs(self) -> int:
        return int(await self._connection.fetchval("SELECT nextval('commits') - 1"))

    async def drop(self) -> None:
        await self._connection.execute("DROP FUNCTION IF EXISTS at_commit CASCADE")
        await self._connection.execute("DROP SEQUENCE IF EXISTS commits")


@pytest.fixture
async def at_commit(admin: "asyncpg.Connection") -> AsyncIterator[Trigger]:
    trigger = Trigger(admin)
    yield trigger
    await trigger.drop()


@pytest.mark.parametrize(
    ("state", "status", "runs"),
    [("23505", 409, 1), ("23514", 422, 1), ("P0001", 500, 1), ("40001", 503, 4)],
)
async def test_a_commit_that_fails_is_no_success(
    alice: httpx.AsyncClient, at_commit: Trigger, state: str, status: int, runs: int
) -> None:
    await at_commit.create(f"RAISE EXCEPTION 'refused' USING ERRCODE = '{state}'")
    response = await alice.post(LAMPS, json=lamp())
    assert response.status_code == status
    assert await at_commit.runs() == runs
    assert (await alice.get(LAMPS)).json()["total"] == 0


async def test_a_connection_lost_in_its_commit_is_not_tried_again(
    alice: httpx.AsyncClient, at_commit: Trigger
) -> None:
    await at_commit.create("PERFORM pg_terminate_backend(pg_backend_pid())")
    response = await alice.post(LAMPS, json=lamp())
    assert response.status_code == 503
    assert response.headers["Retry-After"]
    assert await at_commit.runs() == 1


# Over a second: five hundred rows, each written over one connection and read over another.
async def test_what_a_201_names_is_there_on_every_other_connection(
    app: Application, server: Server
) -> None:
    token = await create_token(app.database, await create_user(app.database, "alice@example.com"))
    missed: list[str] = []

    async def write_and_read(writer: httpx.AsyncClient, reader: httpx.AsyncClient) -> None:
        for _ in range(READ_BACKS // 5):
            created = await writer.post(LAMPS, json=lamp())
            assert created.status_code == 201, created.text
            read = await reader.get(created.headers["Location"])
            if read.status_code != 200 or read.json() != created.json():
                missed.append(read.text)

    async with server.client(token) as writer, server.client(token) as reader:
        await asyncio.gather(*(write_and_read(writer, reader) for _ in range(5)))
        assert (await reader.get(LAMPS)).json()["total"] == READ_BACKS
    assert missed == []


def raise_conflict() -> NoReturn:
    raise Conflict


def raise_not_found() -> NoReturn:
    raise HTTPException(404)


def raise_defect() -> NoReturn:
    raise RuntimeError("a defect")


def answer_a_refusal() -> Response:
    return Response(status_code=409)


def answer_what_is_not_declared() -> dict[str, str]:
    return {"id": "not an id"}


@pytest.mark.parametrize(
    ("ending", "status"),
    [
        (raise_conflict, 409),
        (raise_not_found, 404),
        (raise_defect, 500),
        (answer_a_refusal, 409),
        (answer_what_is_not_declared, 500),
    ],
)
async def test_an_error_takes_back_what_was_written(
    new_app: NewApp, admin: "asyncpg.Connection", ending: Callable[[], Any], status: int
) -> None:
    router = APIRouter()

    @router.post("/write", response_model=UserRead)
    async def write(work: Work) -> Any:
        data = UserCreate(email="alice@example.com", password_hash="none")
        written = await UserRepository(work, EVERYONE).create(data)
        assert await work.fetch_one(UserRepository(work, EVERYONE).query())
        return ending() or written

    async with new_client(new_app(router)) as client:
        assert (await client.post("/write")).status_code == status
    assert await admin.fetchval("SELECT count(*) FROM users") == 0


async def test_a_counted_attempt_outlives_the_error_that_it_ends_in(
    new_app: NewApp, admin: "asyncpg.Connection"
) -> None:
    app = new_app(throttle_enabled=True, db_pool_size=1, db_max_overflow=0)
    login = {"email": "nobody@example.com", "password": PASSWORD}
    async with new_client(app) as client:
        assert (await client.post("/api/v1/auth/login", json=login)).status_code == 401
    assert await admin.fetchval("SELECT count(*) FROM throttles") == 3  # of all kinds
