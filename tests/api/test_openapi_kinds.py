"""The document of an application with routes of every kind: what they declare is left as it is."""

from collections.abc import Callable
from typing import Any

import pytest
from fastapi import APIRouter, Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.models import OpenAPI
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from app.auth.dependencies import authenticate
from app.config import Settings
from app.dispatch.mounting import API
from app.exceptions import AppError
from app.main import Application, create_app
from tests.api.every_kind import ValidationError, add_every_kind

type Schema = dict[str, Any]

OURS = {"$ref": "#/components/schemas/Problem_"}


@pytest.fixture
def make(settings: Settings) -> Callable[..., Application]:
    def made(*routers: APIRouter) -> Application:
        app = create_app(settings)
        assert isinstance(app, Application)
        for router in routers:
            app.include_router(router)
        return app

    return made


@pytest.fixture(scope="module")
def stock() -> Schema:
    app = FastAPI()
    add_every_kind(app)
    with pytest.warns(UserWarning, match="Duplicate Operation ID"):
        return app.openapi()


@pytest.fixture(scope="module")
def document(settings: Settings) -> Schema:
    app = create_app(settings)
    add_every_kind(app)
    return app.openapi()


def operations(document: Schema) -> dict[str, Schema]:
    return {
        f"{method.upper()} {path}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def schema_of(response: Schema) -> Any:
    return response["content"]["application/problem+json"]["schema"]


def without_examples(content: Schema | None) -> Schema | None:
    return content and {
        media_type: {name: part for name, part in each.items() if name != "example"}
        for media_type, each in content.items()
    }


def references(node: Any) -> set[str]:
    if isinstance(node, list):
        return set[str]().union(*map(references, node))
    if isinstance(node, dict):
        own = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
        return own.union(*map(references, node.values()))
    return set()


class TestWhatARouteDeclares:
    def test_every_operation_of_fastapis_is_there(self, stock: Schema, document: Schema) -> None:
        assert len(operations(stock)) >= 40
        assert operations(stock).keys() <= operations(document).keys()
        assert [*stock["webhooks"]] == [*document["webhooks"]]

    def test_its_answers_stay_but_for_headers_of_every_answer(
        self, stock: Schema, document: Schema
    ) -> None:
        ours = operations(document)
        for name, operation in operations(stock).items():
            for status, expected in operation["responses"].items():
                if "HTTPValidationError" in str(expected):  # FastAPI's own, which is not declared
                    continue
                found = ours[name]["responses"][status]
                if "$ref" not in expected and status != "418":  # which is of `openapi_extra`
                    headers = dict(found["headers"])
                    assert "X-Correlation-ID" in headers, (name, status)
                    for added in ("X-Correlation-ID", "WWW-Authenticate"):
                        headers.pop(added, None)
                    assert headers == expected.get("headers", {}), (name, status)
                rest = {each: found[each] for each in found.keys() - {"headers", "content"}}
                declared = {
                    each: expected[each] for each in expected.keys() - {"headers", "content"}
                }
                assert rest == declared, (name, status)
                if "content" in expected or not status.startswith(("4", "5")):
                    assert without_examples(found.get("content")) == expected.get("content"), name

    def test_so_does_all_else(self, stock: Schema, document: Schema) -> None:
        ours = operations(document)
        for name, operation in operations(stock).items():
            for part in operation.keys() - {"responses", "operationId", "parameters", "callbacks"}:
                found = ours[name][part]
                if part == "requestBody":
                    found = {**found, "content": without_examples(found["content"])}
                assert found == operation[part], (name, part)
            for expected, found in zip(
                operation.get("parameters", ()), ours[name].get("parameters", ()), strict=True
            ):
                assert found["name"] == expected["name"]
                assert found["required"] == expected["required"] if "required" in expected else True

    def test_an_error_without_a_content_gets_the_one_it_will_have(self, document: Schema) -> None:
        found = operations(document)
        raw = found["POST /kinds/raw"]["responses"]
        assert (raw["401"]["description"], schema_of(raw["401"])) == ("A bad signature", OURS)
        assert raw["401"]["headers"].keys() == {"WWW-Authenticate", "X-Correlation-ID"}
        assert schema_of(raw["403"]) == OURS
        upload = found["PUT /kinds/upload"]["responses"]["422"]
        assert (upload["description"], schema_of(upload)) == ("Not a picture", OURS)
        assert schema_of(found["POST /kinds/subscribe"]["responses"]["5XX"]) == OURS
        statuses = found["POST /kinds/statuses"]["responses"]
        assert [*statuses["409"]["content"]] == ["text/plain"]
        assert statuses["4XX"]["content"] == {
            "application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}
        }
        assert "content" not in statuses["default"]

    def test_titles_and_null_of_parameters(self, document: Schema) -> None:
        found = operations(document)["GET /kinds/parameters/{name}"]["parameters"]
        schemas = {each["name"]: each["schema"] for each in found}
        assert schemas["X-Agent"] == {"type": "string", "title": "The Agent"}
        assert schemas["limit"] == {"type": "integer", "maximum": 100, "default": 10}
        assert schemas["theme"] == {"type": "string"}
        assert found[-1]["description"] == "Light or dark"

    def test_what_extras_declare_is_not_touched(self, stock: Schema, document: Schema) -> None:
        name = "GET /kinds/extras"
        ours, expected = operations(document)[name], operations(stock)[name]
        assert ours["parameters"][1:] == expected["parameters"][1:]
        assert ours["parameters"][0]["schema"] == {"type": "string"}
        assert ours["responses"]["418"] == {"description": "A teapot"}

    def test_schemas_keep_their_names_and_ours_take_what_is_free(
        self, stock: Schema, document: Schema
    ) -> None:
        schemas = document["components"]["schemas"]
        for name, schema in stock["components"]["schemas"].items():
            # FastAPI puts its own in the place of ours, for webhooks and callbacks alone.
            if name not in {"HTTPValidationError", "ValidationError"}:
                assert schemas[name] == schema, name
        assert schemas["Problem"]["properties"].keys() == {"reason"}
        assert "correlation_id" in schemas["Problem_"]["properties"]

    def test_a_schema_may_have_the_name_of_one_of_fastapis(
        self, make: Callable[..., Application]
    ) -> None:
        router = APIRouter()

        @router.get("/things")
        async def things(size: int) -> ValidationError:
            return ValidationError(field=str(size))

        schemas = make(router).openapi()["components"]["schemas"]
        assert schemas["ValidationError"]["properties"].keys() == {"field"}
        assert "HTTPValidationError" not in schemas

    def test_it_is_a_valid_document_without_loose_ends(self, document: Schema) -> None:
        OpenAPI.model_validate(document)
        known = document["components"]
        for reference in references(document) - {"#/components/responses/Gone"}:
            _, _, kind, name = reference.split("/")
            assert name in known[kind], reference
        assert "x-from-settings" not in str(document)


class TestErrors:
    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("GET /kinds/untyped", {"200", "503"}),  # takes nothing, and is not strict
            ("GET /kinds/moved", {"302", "503"}),
            ("GET /kinds/moved-by-default", {"307", "503"}),
            ("DELETE /kinds/nothing", {"204", "503"}),
            ("GET /kinds/parameters/{name}", {"200", "422", "500", "503"}),
            ("POST /kinds/bodies", {"200", "400", "413", "422", "503"}),
            ("PUT /kinds/upload", {"200", "400", "413", "422", "503"}),
            ("POST /kinds/raw", {"200", "401", "403", "503"}),
        ],
    )
    def test_they_are_those_that_the_route_can_answer(
        self, document: Schema, name: str, expected: set[str]
    ) -> None:
        assert operations(document)[name]["responses"].keys() == expected | {"429", "500"}

    def test_those_of_a_probe_which_is_not_limited(self, document: Schema) -> None:
        found = operations(document)["GET /health/live"]["responses"]
        assert found.keys() == {"200", "422", "500", "503"}

    def test_a_session_that_is_needed_anywhere(self, make: Callable[..., Application]) -> None:
        router = APIRouter()

        async def nested(_: object = Depends(authenticate)) -> None: ...

        @router.get("/mine", dependencies=[Depends(nested)])
        async def mine() -> None: ...

        found = operations(make(router).openapi())["GET /mine"]["responses"]["401"]
        assert found["description"] == "No session token, or one that is not valid any more"
        assert "WWW-Authenticate" in found["headers"]

    def test_an_api_with_a_renderer_of_its_own_has_no_problems(
        self, make: Callable[..., Application]
    ) -> None:
        router = APIRouter()

        class Fault(BaseModel):
            fault: str

        @router.post("/orders", responses={404: {"model": Fault}, 409: {"description": "Taken"}})
        async def order(number: int) -> None: ...

        def render(error: AppError, _: str) -> Response:
            return PlainTextResponse(error.detail, error.status)

        app = make()
        app.mount_api(API(prefix="/legacy", routers=[router], render=render, strict=True))
        found = operations(app.openapi())["POST /legacy/orders"]["responses"]
        assert found.keys() == {"200", "404", "409", "422", "429", "500", "503"}
        for status in ("409", "422", "503"):  # what they hold is the renderer's
            assert "content" not in found[status]
            assert found[status]["headers"].keys() == {"X-Correlation-ID"}
        assert [*found["404"]["content"]] == ["application/json"]

    def test_handlers_of_the_applications_own_are_not_spoken_for(
        self, make: Callable[..., Application]
    ) -> None:
        router = APIRouter()

        @router.get("/things")
        async def things(size: int) -> None: ...

        app = make(router)

        @app.exception_handler(RequestValidationError)
        async def invalid(_: Request, error: Exception) -> Response:
            return PlainTextResponse(str(error), 400)

        found = operations(app.openapi())["GET /things"]["responses"]
        assert "HTTPValidationError" in str(found["422"])  # as on any FastAPI application
        assert [*found["503"]["content"]] == ["application/problem+json"]

        app = make(router)
        app.add_exception_handler(AppError, invalid)
        assert "503" not in operations(app.openapi())["GET /things"]["responses"]
