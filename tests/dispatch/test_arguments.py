"""A plan and FastAPI's own solver fill in the same arguments."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

import httpx
import pytest
from fastapi import APIRouter, BackgroundTasks, Depends, Header, Query, Response

from app.main import Application, create_app
from tests.conftest import new_client
from tests.shipped import shipped

events: list[str] = []


async def number(n: Annotated[int, Query(ge=1)], m: int = 7) -> int:
    events.append("number")
    return n + m


async def doubled(value: Annotated[int, Depends(number)]) -> int:
    return 2 * value


async def resource() -> AsyncIterator[str]:
    events.append("open")
    yield "resource"
    events.append("closed")


async def note() -> None:
    events.append("background")


router = APIRouter()


@router.get("/planned/{name}")
async def planned(
    name: str,
    twice: Annotated[int, Depends(doubled)],
    once: Annotated[int, Depends(number)],
    tags: Annotated[list[str], Query()] = [],  # noqa: B006 - FastAPI copies it
) -> dict[str, Any]:
    return {"name": name, "once": once, "twice": twice, "tags": tags}


@router.get("/beyond")
async def beyond(
    opened: Annotated[str, Depends(resource)],
    agent: Annotated[str, Header(alias="User-Agent")],
    response: Response,
    background: BackgroundTasks,
) -> dict[str, str]:
    response.headers["X-Seen"] = agent
    background.add_task(note)
    return {"opened": opened}


@pytest.fixture
async def app_of_routes(app: Application) -> AsyncIterator[Application]:
    events.clear()
    made = create_app(app.settings)
    assert isinstance(made, Application)
    made.include_router(router)
    yield made
    await made.database.close()


@pytest.fixture
async def caller(app_of_routes: Application) -> AsyncIterator[httpx.AsyncClient]:
    async with new_client(app_of_routes) as client:
        yield client


async def test_a_dependency_that_two_ask_for_is_called_once(caller: httpx.AsyncClient) -> None:
    response = await caller.get("/planned/x?n=1&tags=a&tags=b")
    assert response.json() == {"name": "x", "once": 8, "twice": 16, "tags": ["a", "b"]}
    assert events == ["number"]


async def test_one_whose_parameters_are_wrong_is_not_called(caller: httpx.AsyncClient) -> None:
    response = await caller.get("/planned/x?n=0&m=y")
    assert response.status_code == 422
    assert [each["loc"] for each in response.json()["errors"]] == [["query", "n"], ["query", "m"]]
    assert (await caller.get("/planned/x")).json()["errors"][0]["code"] == "missing"
    assert events == []


async def test_an_override_takes_the_place_of_a_dependency(
    app_of_routes: Application, caller: httpx.AsyncClient
) -> None:
    async def other() -> int:
        return 100

    app_of_routes.dependency_overrides[number] = other
    response = await caller.get("/planned/x")
    assert (response.json()["once"], response.json()["twice"]) == (100, 200)


async def test_what_a_plan_does_not_know_is_left_to_fastapi(caller: httpx.AsyncClient) -> None:
    response = await caller.get("/beyond", headers={"User-Agent": "me"})
    assert response.json() == {"opened": "resource"}
    assert response.headers["X-Seen"] == "me"
    assert events == ["open", "background", "closed"]  # as FastAPI does


def test_every_route_that_we_ship_goes_the_fast_way(app: Application) -> None:
    ours = shipped(app)
    assert len(ours) >= 20
    assert {each.path: each.obstacles for each in ours if each.obstacles} == {}
