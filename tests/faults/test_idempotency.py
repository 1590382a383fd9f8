"""A client that repeats its request until there is an answer has it run once, whatever breaks."""

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import make_url

from app.main import Application
from tests.conftest import database_url
from tests.factories import create_token, create_user, lamp
from tests.faults.conftest import NewApp, sign_in_to
from tests.faults.load import ask, eventually
from tests.faults.proxy import proxy_to
from tests.faults.servers import START_SECONDS, serving
from tests.faults.test_commit import Trigger

LAMPS = "/api/v1/lamps"
KEYED = {"Idempotency-Key": "k"}
CLIENTS, KILLS = 8, 3

type Sent = list[tuple[str, dict[str, Any], httpx.Response]]


@pytest.fixture
async def at_commit(admin: "asyncpg.Connection") -> AsyncIterator[Trigger]:
    trigger = Trigger(admin)
    yield trigger
    await trigger.drop()


async def post(client: httpx.AsyncClient, body: dict[str, Any], key: str) -> httpx.Response | None:
    """The answer, if there was one that a client takes for the last word."""
    answer = await ask(lambda: client.post(LAMPS, json=body, headers={"Idempotency-Key": key}))
    running = answer.status == 409 and answer.response and "errors" not in answer.response.json()
    return None if answer.status in {0, 503} or running else answer.response


async def post_until_answered(
    client: httpx.AsyncClient, body: dict[str, Any], key: str
) -> httpx.Response:
    while True:
        response = await post(client, body, key)
        if response is not None:
            return response
        await asyncio.sleep(0.02)


# Over a second: all workers are killed three times, and start anew.
async def test_whoever_is_killed_each_key_runs_once(
    app: Application,
    admin: "asyncpg.Connection",
    at_commit: Trigger,
    database_name: str,
    tmp_path: Path,
) -> None:
    await at_commit.create("PERFORM pg_sleep(0.02)")  # so that many a kill meets a COMMIT
    token = await create_token(app.database, await create_user(app.database, "a@example.com"))
    url = database_url(database_name)
    sent: Sent = []
    broken: list[str] = []
    stopped = False

    async def write(client: httpx.AsyncClient) -> None:
        while not stopped:
            body, key = lamp(), uuid4().hex
            response = await post(client, body, key)
            if response is None:
                broken.append(key)
                response = await post_until_answered(client, body, key)
            sent.append((key, body, response))

    with serving(url, tmp_path, workers=2) as server:
        async with AsyncExitStack() as stack:
            clients = [  # a connection each
                await stack.enter_async_context(server.client(token)) for _ in range(CLIENTS)
            ]

            async def is_up() -> bool:
                return (await ask(lambda: clients[0].get("/health/ready"))).status == 200

            assert await eventually(is_up, START_SECONDS)
            async with asyncio.TaskGroup() as group:
                for client in clients:
                    group.create_task(write(client))
                for _ in range(KILLS):
                    await asyncio.sleep(0.4)
                    for worker in await server.serving_workers(url):
                        os.kill(worker, signal.SIGKILL)
                    assert await eventually(is_up, START_SECONDS)
                stopped = True
            at_once = [post_until_answered(each, lamp(sku="one"), "one") for each in clients * 3]
            [*answers] = await asyncio.gather(*at_once)
            assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
            for key, body, response in random.sample(sent, min(50, len(sent))):
                again = await post_until_answered(clients[0], body, key)
                assert again.content == response.content
    assert broken
    assert {response.status_code for _, _, response in sent} == {201}
    rows = await admin.fetch("SELECT id::text, sku, version FROM lamps")
    assert len(rows) == len(sent) + 1
    found = {row["sku"]: (row["id"], row["version"]) for row in rows}
    for _, body, response in sent:
        answered = response.json()
        assert found[body["sku"]] == (answered["id"], answered["version"])
        assert response.headers["Location"] == f"{LAMPS}/{answered['id']}"
    assert await admin.fetchval("SELECT count(*) FROM idempotency_keys") == len(rows)
    assert await at_commit.runs() == len(rows)


@pytest.mark.parametrize(
    ("does", "expected"),
    [
        ("RAISE EXCEPTION 'refused' USING ERRCODE = '23505'", (409, 1)),
        ("RAISE EXCEPTION 'refused' USING ERRCODE = 'P0001'", (500, 1)),
        ("RAISE EXCEPTION 'refused' USING ERRCODE = '40001'", (503, 4)),
        ("PERFORM pg_terminate_backend(pg_backend_pid())", (503, 1)),
    ],
)
async def test_a_commit_that_fails_stores_nothing(
    alice: httpx.AsyncClient,
    admin: "asyncpg.Connection",
    at_commit: Trigger,
    does: str,
    expected: tuple[int, int],
) -> None:
    await at_commit.create(does)
    body = lamp()
    failed = await alice.post(LAMPS, json=body, headers=KEYED)
    assert (failed.status_code, await at_commit.runs()) == expected
    assert await admin.fetchval("SELECT count(*) FROM idempotency_keys") == 0
    await at_commit.drop()
    assert (await alice.post(LAMPS, json=body, headers=KEYED)).status_code == 201
    assert (await alice.get(LAMPS)).json()["total"] == 1


async def test_a_commit_that_is_retried_is_stored_once(
    alice: httpx.AsyncClient, at_commit: Trigger
) -> None:
    failing = "IF currval('commits') < 3 THEN RAISE EXCEPTION 'x' USING ERRCODE = '40P01'; END IF"
    await at_commit.create(failing)
    body = lamp()
    first = await alice.post(LAMPS, json=body, headers=KEYED)
    assert (first.status_code, await at_commit.runs()) == (201, 3)
    assert (await alice.post(LAMPS, json=body, headers=KEYED)).content == first.content
    assert (await alice.get(LAMPS)).json()["total"] == 1


async def test_a_commit_whose_confirmation_is_lost_is_answered_by_the_next_try(
    new_app: NewApp, admin: "asyncpg.Connection", at_commit: Trigger, database_name: str
) -> None:
    await at_commit.create("PERFORM pg_sleep(0.2)")
    url = make_url(database_url(database_name))
    assert url.port is not None
    async with proxy_to(url.port) as proxy:
        through = url.set(host="127.0.0.1", port=proxy.port)
        app = new_app(
            database_url=SecretStr(through.render_as_string(hide_password=False)),
            db_command_timeout=0.5,
        )
        async with await sign_in_to(app) as client:

            async def commits() -> bool:
                sleeping = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
                return bool(await admin.fetchval(sleeping))

            async def is_written() -> bool:
                return bool(await admin.fetchval("SELECT count(*) FROM lamps"))

            body = lamp()
            lost = asyncio.create_task(client.post(LAMPS, json=body, headers=KEYED))
            assert await eventually(commits, 10)
            proxy.stall()
            assert await eventually(is_written, 10)
            response = await lost
            assert response.status_code == 503
            assert response.headers["Retry-After"]
            proxy.resume()
            for _ in range(2):
                again = await client.post(LAMPS, json=body, headers=KEYED)
                assert again.status_code == 201
            assert await admin.fetchval("SELECT id::text FROM lamps") == again.json()["id"]
            assert (await client.get(again.headers["Location"])).json() == again.json()
