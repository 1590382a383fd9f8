"""FastAPI's internals are what `routes` takes them for: an upgrade that changes them fails here."""

import inspect
from dataclasses import fields
from typing import Any

import fastapi.routing
import pytest
from fastapi import APIRouter, Depends, FastAPI, Form, Security, WebSocket
from fastapi._compat import ModelField
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import request_body_to_args
from fastapi.responses import StreamingResponse
from fastapi.routing import APIRoute, _EffectiveRouteContext
from starlette.requests import Request
from starlette.routing import Mount

from app.dispatch.fastapi_parts import DEPENDANT_PARTS, ROUTE_PARTS
from app.dispatch.routes import Route, routes, with_dependencies


def test_every_part_of_a_route_is_known() -> None:
    assert {each.name for each in fields(_EffectiveRouteContext)} == ROUTE_PARTS
    assert {each.name for each in fields(Dependant)} == DEPENDANT_PARTS


def test_the_handler_takes_what_is_known() -> None:
    taken = set(inspect.signature(fastapi.routing.get_request_handler).parameters)
    assert taken == {
        "dependant", "body_field", "status_code", "response_class", "response_field",
        "response_model_include", "response_model_exclude", "response_model_by_alias",
        "response_model_exclude_unset", "response_model_exclude_defaults",
        "response_model_exclude_none", "dependency_overrides_provider", "embed_body_fields",
        "strict_content_type", "stream_item_field", "is_json_stream", "form_limits",
    }  # fmt: skip


def test_a_field_reads_and_writes_as_is_known() -> None:
    assert {"validate", "serialize", "serialize_json", "get_default"} <= set(vars(ModelField))
    taken = list(inspect.signature(request_body_to_args).parameters)
    assert taken == ["body_fields", "received_body", "embed_body_fields"]


def only_route(app: FastAPI) -> Route:
    [route] = [each for each in routes(app.router) if each.path == "/x"]
    return route


async def plain() -> int:
    return 1


def endpoint_of(kind: str, app: FastAPI) -> None:  # noqa: C901 - one after the other
    async def yields() -> Any:
        yield 1

    async def streams() -> Any:
        yield b"x"

    async def of_form(field: str = Form()) -> None: ...
    async def of_scopes(value: int = Security(plain, scopes=["a"])) -> None: ...
    async def of_yield(value: int = Depends(yields)) -> None: ...
    async def of_socket(socket: WebSocket) -> None: ...
    async def of_request(request: Request) -> None: ...

    class Own(APIRoute): ...

    class OwnRouter(APIRouter): ...

    match kind:
        case "a form":
            app.add_api_route("/x", of_form, methods=["POST"])
        case "scopes":
            app.add_api_route("/x", of_scopes)
        case "a dependency that yields":
            app.add_api_route("/x", of_yield)
        case "a stream":
            app.add_api_route("/x", streams, response_class=StreamingResponse)
        case "a body limit":
            app.add_api_route("/x", plain, max_body_size=3)
        case "a route class":
            app.router.add_api_route("/x", plain, route_class_override=Own)
        case "a router class":
            own = OwnRouter()
            own.add_api_route("/x", plain)
            app.include_router(own)
        case "a plain function":
            app.add_route("/x", of_request)  # pyrefly: ignore[bad-argument-type]
        case _:
            app.add_api_websocket_route("/x", of_socket)


@pytest.mark.parametrize(
    "kind",
    [
        "a form",
        "scopes",
        "a dependency that yields",
        "a stream",
        "a body limit",
        "a route class",
        "a router class",
        "a plain function",
        "a WebSocket",
    ],
)
def test_what_is_not_understood_is_told(kind: str) -> None:
    app = FastAPI(openapi_url=None)
    endpoint_of(kind, app)
    assert only_route(app).obstacles({}, strict=False)


def test_a_handler_that_is_wrapped_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    app = FastAPI(openapi_url=None)
    app.add_api_route("/x", plain)
    assert not only_route(app).obstacles({}, strict=False)
    monkeypatch.setattr(fastapi.routing, "get_request_handler", lambda **_: plain)
    assert only_route(app).obstacles({}, strict=False) == [
        f"FastAPI's handler is wrapped by {__name__}"
    ]


def test_a_route_that_could_not_require_a_session_is_refused() -> None:
    router = APIRouter()
    router.routes.append(Mount("/files", app=FastAPI()))
    with pytest.raises(TypeError, match="/files: a Mount cannot require a session"):
        with_dependencies(router, lambda _: [])
