import asyncio
from typing import Any

import httpx
import pytest

from tests.conformance.resources import each_of, having
from tests.conformance.things import Things
from tests.problems import read_problem

pytestmark = pytest.mark.general

REPEATABLE = ("POST", "POST /bulk", "PUT /bulk", "POST /bulk/delete", "POST /{id}/restore")

each_repeatable = each_of(*REPEATABLE)

type Request = dict[str, Any]


async def new_request(things: Things, route: str) -> Request:
    """One that the route has something to do for."""
    match route:
        case "POST /{id}/restore":
            return {"id": (await things.deleted())["id"]}
        case "POST /bulk/delete":
            return {"json": {"ids": [(await things.create())["id"]]}}
        case "POST":
            return {"json": await things.body()}
        case _:
            return {"json": {"items": await things.bodies(2)}}


async def send(things: Things, route: str, request: Request, key: str = "one") -> httpx.Response:
    return await things.send(route, **request, headers={"Idempotency-Key": key})


def answer(response: httpx.Response) -> tuple[int, bytes, dict[str, str]]:
    headers = {name: each for name, each in response.headers.items() if name != "x-correlation-id"}
    return response.status_code, response.content, headers


async def versions(things: Things) -> list[int]:
    return [row["version"] for row in await things.rows(deleted="include")]


@each_repeatable
async def test_a_repetition_is_answered_alike_and_runs_nothing(things: Things, route: str) -> None:
    request = await new_request(things, route)
    first = await send(things, route, request)
    assert first.is_success
    before = await things.rows(deleted="include")
    assert answer(await send(things, route, request)) == answer(first)
    assert await things.rows(deleted="include") == before


@each_repeatable
async def test_twenty_at_once_run_once(things: Things, route: str) -> None:
    request = await new_request(things, route)
    responses = await asyncio.gather(*(send(things, route, request) for _ in range(20)))
    assert responses[0].is_success
    assert all(answer(each) == answer(responses[0]) for each in responses)
    expected = {"POST /bulk/delete": [2], "POST /{id}/restore": [3], "POST": [1]}
    assert await versions(things) == expected.get(route, [1, 1])


@each_repeatable
async def test_a_key_is_of_one_request(things: Things, route: str) -> None:
    request, other = await new_request(things, route), await new_request(things, route)
    await send(things, route, request)
    before = await things.rows(deleted="include")
    read_problem(await send(things, route, other), 422, "IDEMPOTENCY_KEY_REUSED")
    for another in {*REPEATABLE} & things.resource.routes.keys() - {route}:
        same = {"id": before[0]["id"]} | {"json": request.get("json", {})}
        read_problem(await send(things, another, same), 422, "IDEMPOTENCY_KEY_REUSED")
    assert await things.rows(deleted="include") == before


@each_repeatable
async def test_a_key_is_of_one_user(things: Things, theirs: Things, route: str) -> None:
    mine, other = await new_request(things, route), await new_request(theirs, route)
    assert (await send(things, route, mine)).is_success
    assert (await send(theirs, route, other)).is_success


@each_repeatable
async def test_a_refusal_is_repeated_too(things: Things, route: str) -> None:
    request = await new_request(things, route)
    wrong = request | ({"json": {"x": 1}} if "json" in request else {"params": {"x": 1}})
    first = await send(things, route, wrong)
    assert first.status_code == 422
    again = await send(things, route, wrong)
    assert (again.status_code, again.content) == (422, first.content)
    assert (await send(things, route, request, key="two")).is_success


@having("POST", "DELETE /{id}", key=True)
async def test_a_conflict_stays_one_when_its_cause_is_gone(things: Things) -> None:
    body = await things.body()
    row = await things.create(body)
    first = await send(things, "POST", {"json": body})
    read_problem(first, 409, "CONFLICT")
    await things.delete(row)
    again = await send(things, "POST", {"json": body})
    assert (again.status_code, again.content) == (409, first.content)


@each_repeatable
async def test_a_key_is_1_to_255_printable_characters(things: Things, route: str) -> None:
    request = await new_request(things, route)
    before = await things.rows(deleted="include")
    for key in ("", "x" * 256, "a\tb", "\N{LATIN SMALL LETTER E WITH ACUTE}".encode()):
        response = await things.send(route, **request, headers={"Idempotency-Key": key})
        problem = read_problem(response, 422, "VALIDATION_ERROR")
        assert [error["loc"] for error in problem["errors"]] == [["header", "Idempotency-Key"]]
    assert await things.rows(deleted="include") == before
    assert (await send(things, route, request, key="~ " * 127 + "!")).is_success
