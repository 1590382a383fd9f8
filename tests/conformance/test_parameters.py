import httpx
import pytest

from app.database.connections import Database
from tests.conformance.oracle import MANY
from tests.conformance.resources import Resource
from tests.conformance.things import MISSING, Things
from tests.problems import CANARY, read_problem


async def test_needs_a_session_unless_it_is_public(
    resource: Resource, client: httpx.AsyncClient, database: Database
) -> None:
    strangers = Things(resource, client, database)
    for route in resource.routes:
        response = await strangers.send(route, MISSING)
        if resource.is_public(route):
            assert response.status_code in {200, 404}, route
        else:
            read_problem(response, 401, "UNAUTHORIZED")
            assert response.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.general
async def test_refuses_parameters_that_it_does_not_declare(things: Things) -> None:
    row = await things.create()
    for route in things.resource.routes:
        for name in (CANARY, "sizes", "Page", "created_at__gte "):
            response = await things.send(route, row["id"], params={name: "1"})
            problem = read_problem(response, 422, "UNKNOWN_PARAMETER")
            assert [error["loc"] for error in problem["errors"]] == [["query", name]], route
    assert await things.rows() == [row]


@pytest.mark.general
async def test_offers_the_nearest_name(things: Things) -> None:
    for name in things.resource.filters.model_fields:
        response = await things.send("GET", params={f"{name}x": "1"})
        problem = read_problem(response, 422, "UNKNOWN_PARAMETER")
        assert problem["errors"][0]["message"].endswith(f": did you mean {name}?")


@pytest.mark.general
async def test_takes_a_scalar_once(things: Things) -> None:
    many = {name for name, (_, operator) in things.resource.conditions.items() if operator in MANY}
    for name in things.resource.filters.model_fields.keys() - many - {"order_by"}:
        response = await things.send("GET", params=[(name, "1"), (name, "1")])
        problem = read_problem(response, 422, "UNKNOWN_PARAMETER")
        assert [error["loc"] for error in problem["errors"]] == [["query", name]]
