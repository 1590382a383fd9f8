"""If-Match, on all that edits a row."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.conformance.resources import each_of, having
from tests.conformance.things import Row, Things
from tests.problems import read_problem

pytestmark = pytest.mark.general

STALE = ['"1"', 'W/"{}"', '"1", "9"', '"{}x"', '"0{}"', '"99999999999"']
MALFORMED = ["{}", '"{}', "W/{}", '"1" "{}"', '"{}",', '*, "{}"', ""]

each_edit = each_of("PATCH /{id}", "DELETE /{id}", "POST /{id}/restore")


@pytest.fixture
async def row(things: Things, route: str) -> Row:
    """One of version 2 or 3, in the bin where the route restores."""
    row = await things.create()
    await things.send("PATCH /{id}", row["id"], json=await things.change(row))
    if "restore" in route:
        await things.delete(row)
    return await things.read(row)


async def edit(things: Things, route: str, row: Row, tags: str) -> httpx.Response:
    """Send it with these tags, in which {} stands for the row's version."""
    request: dict[str, Any] = {"headers": {"If-Match": tags.format(row["version"])}}
    if route.startswith("PATCH"):
        request["json"] = await things.change(row)
    return await things.send(route, row["id"], **request)


@each_edit
async def test_a_stale_or_weak_tag_stops_it(things: Things, route: str, row: Row) -> None:
    for tags in STALE:
        read_problem(await edit(things, route, row, tags), 412, "PRECONDITION_FAILED")
    assert await things.read(row) == row


@each_edit
async def test_what_is_no_list_of_tags_is_told_so(things: Things, route: str, row: Row) -> None:
    for tags in MALFORMED:
        problem = read_problem(await edit(things, route, row, tags), 422, "VALIDATION_ERROR")
        assert [error["loc"] for error in problem["errors"]] == [["header", "If-Match"]]
    assert await things.read(row) == row


@each_edit
@pytest.mark.parametrize("tags", ['"{}"', '"1","{}"', 'W/"1" , "{}"', "*"])
async def test_the_current_tag_lets_it_pass(
    things: Things, route: str, row: Row, tags: str
) -> None:
    assert (await edit(things, route, row, tags)).is_success
    assert (await things.read(row))["version"] == row["version"] + 1


@each_edit
async def test_it_passes_without_a_tag_unless_one_is_demanded(
    things: Things, route: str, row: Row
) -> None:
    method, _, rest = route.partition(" ")
    path = things.resource.path + rest.replace("{id}", row["id"])
    body = await things.change(row) if method == "PATCH" else None
    response = await things.client.request(method, path, json=body)
    if things.resource.demands_if_match(route):
        read_problem(response, 428, "PRECONDITION_REQUIRED")
        assert await things.read(row) == row
    else:
        assert response.is_success


@having("PATCH /{id}")
async def test_of_twenty_edits_with_one_tag_one_wins(things: Things) -> None:
    row = await things.create()
    edits = (edit(things, "PATCH /{id}", row, '"{}"') for _ in range(20))
    responses = await asyncio.gather(*edits)
    assert sorted(response.status_code for response in responses) == [200, *[412] * 19]
    assert (await things.read(row))["version"] == 2


@having("POST /{id}/restore")
async def test_a_live_row_is_restored_by_its_own_tag_alone(things: Things) -> None:
    row = await things.create()
    stale = await edit(things, "POST /{id}/restore", row, '"2"')
    read_problem(stale, 412, "PRECONDITION_FAILED")
    response = await edit(things, "POST /{id}/restore", row, '"{}"')
    assert (response.status_code, response.json()) == (200, row)


@having("PATCH /{id}")
async def test_an_empty_patch_needs_the_current_tag_too(things: Things) -> None:
    row = await things.create()
    stale = {"headers": {"If-Match": '"2"'}, "json": {}}
    response = await things.send("PATCH /{id}", row["id"], **stale)
    read_problem(response, 412, "PRECONDITION_FAILED")
