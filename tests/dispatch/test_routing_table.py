from types import SimpleNamespace
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.convertors import FloatConvertor, IntegerConvertor, UUIDConvertor

from app.api.v1.router import PUBLIC
from app.config import Settings
from app.core import registry
from app.main import Application, create_app
from tests.conftest import new_client

# Of path parameters with a type of their own, such as {number:int}.
VALUES: dict[type, Any] = {IntegerConvertor: 1, FloatConvertor: 1.5, UUIDConvertor: UUID(int=1)}


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/api/v1/lamps", "GET, HEAD, POST"),
        ("/api/v1/lamps/x", "DELETE, GET, HEAD, PATCH"),
        ("/api/v1/lamps/x/restore", "POST"),
        ("/health/live", "GET, HEAD"),
    ],
)
async def test_a_wrong_method_is_told_all_the_right_ones(
    client: httpx.AsyncClient, path: str, allowed: str
) -> None:
    response = await client.request("TRACE", path)
    assert response.status_code == 405
    assert response.headers["Allow"] == allowed


@pytest.mark.parametrize("path", ["/api/v1", "/api/v1/lamps/", "/api/v1/lamps/x/y"])
async def test_no_path_is_taken_for_another(client: httpx.AsyncClient, path: str) -> None:
    response = await client.get(path)
    assert response.status_code == 404
    assert response.json()["error_code"] == "NOT_FOUND"


async def test_every_route_but_the_public_ones_needs_a_session(
    app: Application, client: httpx.AsyncClient
) -> None:
    """Asked over HTTP, one by one: what a route answers to an anonymous client."""
    open_to_all = set()
    for context in iter_route_contexts(app.routes):
        path = context.path_format or ""
        if not isinstance(context.original_route, APIRoute) or not path.startswith("/api/v1"):
            continue
        values = {
            name: each.to_string(VALUES.get(type(each), "x"))
            for name, each in context.param_convertors.items()
        }
        for method in context.methods or ():
            if (await client.request(method, path.format(**values))).status_code != 401:
                open_to_all.add(f"{method} {path.removeprefix('/api/v1')}")
    assert open_to_all == PUBLIC


async def test_a_route_that_asks_for_no_user_needs_a_session_all_the_same(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    router = APIRouter()

    @router.get("/forgotten", status_code=204)
    async def forgotten() -> None: ...

    found = [*registry.modules("router"), SimpleNamespace(router=router)]
    monkeypatch.setattr("app.api.v1.router.modules", lambda _: found)
    app = create_app(settings)
    assert isinstance(app, Application)
    async with new_client(app) as client:
        response = await client.get("/api/v1/forgotten")
    assert response.status_code == 401
