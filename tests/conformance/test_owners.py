"""Whose rows they are: one user's alone, or everyone's who is signed in."""

from typing import Any

import httpx
import pytest

from app.database.connections import Database
from tests.conformance.resources import RESOURCES, Resource
from tests.conformance.test_filters import givens, ways
from tests.conformance.things import MISSING, Row, Things
from tests.problems import read_problem

OWNED = [each for each in RESOURCES if each.owned]
PRIVATE = [each for each in OWNED if not each.is_public("GET")]
WRITES = ("PATCH /{id}", "DELETE /{id}", "POST /{id}/restore", "POST /bulk/delete")

private = pytest.mark.parametrize("resource", PRIVATE, ids=str)


def own(*routes: str, with_plain_key: bool = False) -> pytest.MarkDecorator:
    """Runs a test for owned resources; a key that refers to a row cannot be another owner's."""
    found = [each for each in OWNED if each.routes.keys() >= {*routes}]
    if with_plain_key:
        found = [each for each in found if each.natural_key and has_plain_key(each)]
    return pytest.mark.parametrize("resource", found, ids=str)


def has_plain_key(resource: Resource) -> bool:
    return not any(resource.fields[name].reference for name in resource.natural_key)


def key_of(things: Things, body: Row) -> Row:
    return {name: body[name] for name in things.resource.natural_key}


def request(route: str, id: str, change: Row) -> dict[str, Any]:
    if route == "POST /bulk/delete":
        return {"json": {"ids": [id]}}
    return {"id": id} | ({"json": change} if route.startswith("PATCH") else {})


def without_id(problem: dict[str, Any], id: str) -> dict[str, Any]:
    """What a 404 says, but for what differs from one to the next."""
    kept = {name: problem[name] for name in problem.keys() - {"correlation_id", "timestamp"}}
    return kept | {"detail": kept["detail"].replace(id, "")}


@pytest.mark.parametrize(
    ("resource", "route"),
    [
        (each, route)
        for each in OWNED
        for route in ("GET /{id}", *WRITES)
        if route in each.routes and not each.is_public(route)
    ],
    ids=str,
)
async def test_anothers_row_is_as_good_as_missing(
    things: Things, theirs: Things, route: str
) -> None:
    rows = [await things.create(), await things.deleted()]
    before = await things.rows(deleted="include")
    change = await things.change(rows[0])
    for tags in ('"1"', '"9"', "*"):
        headers = {"If-Match": tags}
        missing = await theirs.send(route, **request(route, MISSING, change), headers=headers)
        for row in rows:
            sent = request(route, row["id"], change)
            response = await theirs.send(route, **sent, headers=headers)
            problem = read_problem(response, 404, "NOT_FOUND")
            assert without_id(problem, row["id"]) == without_id(missing.json(), MISSING)
    assert await things.rows(deleted="include") == before


@private
async def test_anothers_rows_are_in_no_list(things: Things, theirs: Things) -> None:
    rows = await things.varied()
    await things.deleted()
    for deleted in ("exclude", "only", "include"):
        page = await theirs.page(deleted=deleted)
        assert (page["items"], page["total"]) == ([], 0)
    for parameter in things.resource.conditions:
        for given in givens(things.resource, parameter, rows)[:2]:
            assert await theirs.rows(**{parameter: ways(given)[0]}) == []
    if things.resource.filters.search_fields:
        assert await theirs.rows(search="a") == []


@own("POST /bulk/delete")
async def test_a_bulk_delete_with_anothers_row_deletes_none(things: Things, theirs: Things) -> None:
    row, foreign = await things.create(), await theirs.create()
    body = {"ids": [row["id"], foreign["id"]]}
    read_problem(await things.send("POST /bulk/delete", json=body), 404, "NOT_FOUND")
    assert await things.read(row) == row
    assert await theirs.read(foreign) == foreign


@own("POST", with_plain_key=True)
async def test_what_is_unique_is_so_for_one_owner(things: Things, theirs: Things) -> None:
    body = await theirs.body()
    foreign = await theirs.create(body)
    row = await things.create(await things.body(**key_of(things, body)))
    assert row["id"] != foreign["id"]
    assert await theirs.read(foreign) == foreign


@own("PUT /bulk", with_plain_key=True)
async def test_an_upsert_never_meets_anothers_key(things: Things, theirs: Things) -> None:
    body = await theirs.body()
    foreign = await theirs.create(body)
    items = [await things.body(**key_of(things, body))]
    answer = (await things.send("PUT /bulk", json={"items": items})).json()
    assert answer["results"][0]["outcome"] == "created"
    assert answer["results"][0]["id"] != foreign["id"]
    assert await theirs.read(foreign) == foreign


@private
async def test_a_superuser_is_no_exception(
    things: Things, root: httpx.AsyncClient, database: Database
) -> None:
    row = await things.create()
    roots = Things(things.resource, root, database)
    read_problem(await roots.send("GET /{id}", row["id"]), 404, "NOT_FOUND")
    assert await roots.rows(deleted="include") == []
    for route in {*WRITES} & things.resource.routes.keys():
        sent = request(route, row["id"], await things.change(row))
        read_problem(await roots.send(route, **sent), 404, "NOT_FOUND")
    assert await things.read(row) == row


async def test_who_sees_what_one_has_created(things: Things, theirs: Things) -> None:
    row = await things.create()
    response = await theirs.send("GET /{id}", row["id"])
    private = things.resource in PRIVATE
    assert response.status_code == (404 if private else 200)
    assert await theirs.ids() == ([] if private else [row["id"]])


async def test_a_bin_is_not_for_strangers(
    things: Things, theirs: Things, client: httpx.AsyncClient, database: Database
) -> None:
    row = await things.deleted()
    strangers = [Things(things.resource, client, database)]
    for each in [*strangers, theirs] if things.resource.owned else strangers:
        for deleted in ("only", "include"):
            response = await each.send("GET", params={"deleted": deleted})
            assert row["id"] not in response.text
