"""Routes of every kind that FastAPI documents, to be put onto an application of ours or its own."""

# ruff: noqa: ANN201, ARG001 - what they do with their arguments does not matter

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Body, Cookie, FastAPI, File, Form, Header, Query, UploadFile
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse, StreamingResponse
from fastapi.sse import EventSourceResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.websockets import WebSocket


class Thing(BaseModel):
    name: Annotated[str, Field(serialization_alias="thingName")]
    size: int | None = None


class Problem(BaseModel):
    """Has the name of ours."""

    reason: str


class ValidationError(BaseModel):
    """Has the name of one of FastAPI's."""

    field: str


class Paging(BaseModel):
    model_config = ConfigDict(extra="forbid")

    limit: int = Field(10, le=100)
    tags: list[str] = []


callbacks = APIRouter()


@callbacks.post("{$request.body#/url}")
def thing_changed(thing: Thing) -> None: ...


router = APIRouter(prefix="/kinds", tags=["kinds"])


@router.post(
    "/statuses",
    status_code=201,
    response_model=Thing,
    responses={
        200: {"model": Thing, "description": "It was there"},
        202: {"description": "Later", "headers": {"X-Queue": {"schema": {"type": "integer"}}}},
        302: {"description": "Elsewhere"},
        "4XX": {"description": "Refused", "model": Problem},
        409: {"description": "Taken by hand", "content": {"text/plain": {}}},
        "default": {"description": "Whatever else"},
    },
)
async def statuses(thing: Thing) -> Any:
    return thing


@router.get("/moved", status_code=302, response_class=RedirectResponse)
async def moved() -> str:
    return "/kinds/page"


@router.get("/moved-by-default", response_class=RedirectResponse)
async def moved_by_default() -> str:
    return "/kinds/page"


@router.get("/page", response_class=HTMLResponse)
async def page() -> str:
    return "<p>"


@router.get("/file", response_class=FileResponse, responses={404: {"model": Problem}})
async def file() -> str:
    return "/dev/null"


@router.get("/stream")
async def stream() -> StreamingResponse:
    return StreamingResponse(iter([b"a"]))


@router.get("/events", response_class=EventSourceResponse)
async def events() -> AsyncIterator[Thing]:
    yield Thing(name="a")


@router.get("/lines")
async def lines() -> AsyncIterator[Thing]:
    yield Thing(name="a")


@router.delete("/nothing", status_code=204)
async def nothing() -> None: ...


@router.get("/untyped")
async def untyped():  # as many are written
    return {"a": 1}


@router.put("/upload", responses={422: {"description": "Not a picture"}})
async def upload(file: UploadFile, data: Annotated[bytes, File()], title: Annotated[str, Form()]):
    return Response()


@router.post("/bodies")
async def bodies(thing: Thing, other: Thing, weight: Annotated[int, Body()] = 1) -> Thing:
    return thing


@router.post(
    "/raw", responses={401: {"description": "A bad signature"}, 403: {"description": "No"}}
)
async def raw(request: Request) -> dict[str, int]:
    return {"size": len(await request.body())}


@router.get("/parameters/{name}")
async def parameters(
    name: str,
    paging: Annotated[Paging, Query()],
    agent: Annotated[str | None, Header(alias="X-Agent", title="The Agent")] = None,
    theme: Annotated[str | None, Cookie(description="Light or dark")] = None,
) -> ValidationError:
    return ValidationError(field=name)


@router.post("/subscribe", callbacks=callbacks.routes, responses={"5XX": {"description": "Down"}})
async def subscribe(url: Annotated[str, Body(embed=True)]) -> None: ...


@router.post("/subscribe-too", callbacks=callbacks.routes)
async def subscribe_too(url: Annotated[str, Body(embed=True)]) -> None: ...


@router.api_route("/both", methods=["GET", "POST"])
async def both() -> Thing:
    return Thing(name="a")


@router.get(
    "/extras",
    deprecated=True,
    openapi_extra={
        "x-team": "things",
        "parameters": [
            {
                "name": "raw",
                "in": "query",
                "content": {"application/json": {"schema": {"type": "object"}}},
            },
            {
                "name": "note",
                "in": "query",
                "schema": {"anyOf": [{"type": "string"}, {"type": "null"}], "title": "Note"},
            },
        ],
        "responses": {"418": {"description": "A teapot"}},
    },
)
async def extras(q: str | None = None) -> Thing:
    return Thing(name="a")


@router.get("/by-reference", responses={410: {"$ref": "#/components/responses/Gone"}})
async def by_reference() -> Thing:
    return Thing(name="a")


@router.get("/secret", include_in_schema=False)
async def secret() -> None: ...


@router.websocket("/socket")
async def socket(websocket: WebSocket) -> None:
    await websocket.accept()


async def plain(_: Request) -> Response:
    return PlainTextResponse("plain")


def add_every_kind(app: FastAPI) -> None:
    app.include_router(router)
    app.include_router(router, prefix="/again")
    app.add_route("/plain", plain, methods=["POST", "GET"])
    app.mount("/mounted", FastAPI())

    @app.webhooks.post("thing-sold")
    def thing_sold(thing: Thing) -> None: ...
