"""Requests that meet: one of them wins, and none of them is an error of ours."""

import asyncio
import random
from collections import Counter
from typing import Any

import asyncpg
import httpx

from app.main import Application
from tests.factories import PASSWORD, create_lamps, lamp
from tests.faults.conftest import NewApp, sign_in_to
from tests.faults.load import under_load
from tests.statements import recorded_statements

LAMPS = "/api/v1/lamps"
BULK = f"{LAMPS}/bulk"
WRITERS, KEYS = 4, 200


async def test_of_twenty_sign_ups_of_one_address_one_succeeds(
    client: httpx.AsyncClient, admin: "asyncpg.Connection"
) -> None:
    account = {"email": "alice@example.com", "password": PASSWORD}
    responses = await asyncio.gather(
        *(client.post("/api/v1/auth/register", json=account) for _ in range(20))
    )
    assert sorted(response.status_code for response in responses) == [201, *[409] * 19]
    assert await admin.fetchval("SELECT count(*) FROM users") == 1


async def test_two_restores_of_one_row_bring_it_back_once(alice: httpx.AsyncClient) -> None:
    (created,) = await create_lamps(alice, {})
    path = f"{LAMPS}/{created['id']}"
    for _ in range(10):
        await alice.delete(path)
        responses = await asyncio.gather(*(alice.post(f"{path}/restore") for _ in range(2)))
        assert [response.status_code for response in responses] == [200, 200]
        assert (await alice.get(LAMPS)).json()["total"] == 1


async def test_of_two_restores_to_one_unique_value_one_succeeds(alice: httpx.AsyncClient) -> None:
    paths = []
    for _ in range(2):
        (created,) = await create_lamps(alice, {"sku": "ONE"})
        paths.append(f"{LAMPS}/{created['id']}")
        await alice.delete(paths[-1])
    responses = await asyncio.gather(*(alice.post(f"{path}/restore") for path in paths))
    assert sorted(response.status_code for response in responses) == [200, 409]
    assert (await alice.get(LAMPS)).json()["total"] == 1


# Over a second: each change meets the load for a while.
async def test_a_column_may_change_its_type_under_load(
    new_app: NewApp, admin: "asyncpg.Connection"
) -> None:
    app: Application = new_app()
    changes = ["quantity TYPE bigint", "quantity TYPE integer", "name TYPE text"]
    async with await sign_in_to(app) as client:
        (created,) = await create_lamps(client, {})
        path = f"{LAMPS}/{created['id']}"
        sends = [
            lambda: client.get(path),
            lambda: client.get(LAMPS, params={"size": 5}),
            lambda: client.post(LAMPS, json=lamp()),
            lambda: client.patch(path, json={"quantity": 5}),
        ]
        async with under_load(*sends, *sends) as load:
            for change in [*changes, "name TYPE varchar(255)"]:
                await asyncio.sleep(0.3)
                await admin.execute(f"ALTER TABLE lamps ALTER COLUMN {change}")
            await asyncio.sleep(0.3)
    assert set(load.statuses) == {200, 201}


def shuffled_rows(turn: int) -> list[dict[str, Any]]:
    """A row for each key; in each second turn only half of them set a quantity."""
    rows: list[dict[str, Any]] = [
        {"sku": f"{number}", "name": "n", "price": 1} for number in range(KEYS)
    ]
    for row in rows[KEYS // 2 * (turn % 2) :]:
        row["quantity"] = turn % 3
    random.shuffle(rows)
    return rows


# Over a second: four writers upsert two hundred rows fifty times.
async def test_each_outcome_of_an_upsert_is_true_whoever_else_writes(
    alice: httpx.AsyncClient, admin: "asyncpg.Connection"
) -> None:
    outcomes: dict[str, Counter[str]] = {f"{number}": Counter() for number in range(KEYS)}
    ids: dict[str, set[str]] = {sku: set() for sku in outcomes}

    async def write() -> None:
        for turn in range(50):
            rows = shuffled_rows(turn)
            response = await alice.put(BULK, json={"items": rows})
            assert response.status_code == 200, response.text
            for row, result in zip(rows, response.json()["results"], strict=True):
                outcomes[row["sku"]][result["outcome"]] += 1
                ids[row["sku"]].add(result["id"])

    await asyncio.gather(*(write() for _ in range(WRITERS)))
    stored = await admin.fetch("SELECT sku, id::text, version FROM lamps")
    assert len(stored) == KEYS
    for row in stored:
        told = outcomes[row["sku"]]
        assert ids[row["sku"]] == {row["id"]}
        assert (told["created"], told.total()) == (1, WRITERS * 50)
        assert row["version"] == 1 + told["updated"]
        assert told["unchanged"]


# Over a second: four writers create, upsert and delete what the others do.
async def test_bulk_calls_of_every_kind_never_deadlock_and_tell_the_truth(
    alice: httpx.AsyncClient, admin: "asyncpg.Connection"
) -> None:
    created, deleted, writes = list[str](), list[str](), Counter[str]()
    requests = 0

    async def send(method: str, path: str, body: dict[str, Any]) -> httpx.Response:
        nonlocal requests
        requests += 1
        response = await alice.request(method, path, json=body)
        assert response.status_code in {200, 201, 404, 409}, response.text
        return response

    async def write() -> None:
        for turn in range(12):
            upserted = await send("PUT", BULK, {"items": shuffled_rows(turn)})
            results = upserted.json()["results"]
            created.extend(each["id"] for each in results if each["outcome"] == "created")
            writes.update(each["id"] for each in results if each["outcome"] == "updated")
            chosen = random.sample([each["id"] for each in results], KEYS * 3 // 4)
            gone = await send("POST", f"{BULK}/delete", {"ids": chosen})
            deleted.extend(chosen if gone.status_code == 200 else [])
            made = await send("POST", BULK, {"items": shuffled_rows(0)[: KEYS // 8]})
            if made.status_code == 201:
                created.extend(each["id"] for each in made.json()["items"])

    with recorded_statements() as statements:
        await asyncio.gather(*(write() for _ in range(WRITERS)))
    assert statements.count("BEGIN") == requests  # a deadlock would be tried again
    stored = await admin.fetch("SELECT id::text, version, deleted_at FROM lamps")
    assert sorted(created) == sorted(row["id"] for row in stored)
    assert sorted(deleted) == sorted(row["id"] for row in stored if row["deleted_at"])
    for row in stored:
        assert row["version"] == 1 + writes[row["id"]] + (row["deleted_at"] is not None)
