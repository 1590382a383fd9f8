"""The user guide's pages on custom responses and on returning a response directly."""

import json
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request, Response
from fastapi.responses import (
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    StreamingResponse,
)
from pydantic import BaseModel

from tests.compatibility.feature import feature, get, post


class Item(BaseModel):
    name: str
    price: float = 1


class IndentedJSON(JSONResponse):
    def render(self, content: Any) -> bytes:
        return json.dumps(content, indent=2).encode()


class Shouting(PlainTextResponse):
    media_type = "text/x-shout"

    def render(self, content: Any) -> bytes:
        return str(content).upper().encode()


class NoMediaType(Response):
    media_type: str | None = None


@feature(
    "Response classes: HTML, plain text and JSON",
    get("/html"),
    get("/html-direct"),
    get("/text"),
    get("/text-number"),
    get("/json"),
    get("/json-model"),
    post("/html"),
    get("/openapi.json"),
)
def built_in(app: FastAPI) -> None:
    @app.get("/html", response_class=HTMLResponse)
    async def html():
        return "<h1>Hé</h1>"

    @app.get("/html-direct")
    async def html_direct():
        return HTMLResponse("<h1>Hi</h1>", 203)

    @app.get("/text", response_class=PlainTextResponse, status_code=202)
    async def text() -> str:
        return "Hello"

    @app.get("/text-number", response_class=PlainTextResponse)
    def number():
        return "1"

    @app.get("/json", response_class=JSONResponse)
    async def json_():
        return {"é": [1, None]}

    @app.get("/json-model", response_class=JSONResponse)
    async def json_model() -> Item:
        return Item(name="a")


@feature(
    "Response classes: custom ones",
    get("/indented"),
    get("/indented-model"),
    get("/shout"),
    get("/none"),
    get("/openapi.json"),
)
def custom(app: FastAPI) -> None:
    @app.get("/indented", response_class=IndentedJSON)
    async def indented():
        return {"a": [1]}

    @app.get("/indented-model", response_class=IndentedJSON, status_code=201)
    async def indented_model() -> Item:
        return Item(name="a")

    @app.get("/shout", response_class=Shouting)
    async def shout():
        return "hello"

    @app.get("/none", response_class=NoMediaType)
    async def none():
        return "raw"


@feature(
    "Response classes: default_response_class of the application and a router",
    get("/app"),
    get("/router/default"),
    get("/router/own"),
    get("/error"),
    get("/openapi.json"),
    default_response_class=IndentedJSON,
)
def defaults(app: FastAPI) -> None:
    router = APIRouter(prefix="/router", default_response_class=PlainTextResponse)

    @app.get("/app")
    async def in_app() -> Item:
        return Item(name="a")

    @app.get("/error")
    async def error(n: int):
        return n

    @router.get("/default")
    async def default():
        return "text"

    @router.get("/own", response_class=HTMLResponse)
    async def own():
        return "<p>"

    app.include_router(router)


@feature(
    "Responses returned directly",
    get("/bytes"),
    get("/xml"),
    get("/empty"),
    get("/json"),
    get("/overrides"),
    get("/headers"),
    get("/cookies"),
    get("/starlette"),
    get("/sync"),
)
def direct(app: FastAPI) -> None:
    @app.get("/bytes")
    async def bytes_():
        return Response(b"\x00\xff", media_type="application/octet-stream")

    @app.get("/xml")
    async def xml():
        return Response("<a/>", media_type="application/xml")

    @app.get("/empty")
    async def empty():
        return Response()

    @app.get("/json")
    async def json_():
        return JSONResponse([1], 418, headers={"X-Tea": "pot"}, media_type="application/x+json")

    @app.get("/overrides", status_code=201, response_class=HTMLResponse)
    async def overrides():
        return PlainTextResponse("plain")

    @app.get("/headers")
    async def headers():
        return Response(
            "a", headers={"Cache-Control": "max-age=60", "X-Own": "1", "Vary": "Accept"}
        )

    @app.get("/cookies")
    async def cookies():
        response = JSONResponse({})
        response.set_cookie("a", "1", max_age=10, httponly=True, samesite="strict")
        response.set_cookie("b", "2", path="/x", secure=True)
        response.delete_cookie("c")
        return response

    @app.get("/starlette")
    async def raw():
        response = Response("a")
        response.raw_headers.append((b"x-raw", "é".encode("latin-1")))
        return response

    @app.get("/sync")
    def sync():
        return PlainTextResponse("sync")


@feature(
    "Redirects",
    get("/old"),
    get("/moved"),
    get("/class"),
    get("/typed"),
    get("/named"),
    get("/openapi.json"),
)
def redirects(app: FastAPI) -> None:
    @app.get("/old")
    async def old():
        return RedirectResponse("/new?q=é")

    @app.get("/moved")
    async def moved():
        return RedirectResponse("https://example.com/", 301, {"X-Why": "moved"})

    @app.get("/class", response_class=RedirectResponse, status_code=302)
    async def by_class():
        return "https://example.com/a"

    @app.get("/typed", response_class=RedirectResponse)
    async def typed() -> str:
        return "/new"

    @app.get("/named")
    async def named(request: Request):
        return RedirectResponse(request.url_for("typed"))


@feature(
    "Response parameter: status code, headers and cookies",
    get("/status?new=true"),
    get("/status"),
    get("/headers"),
    get("/cookies"),
    get("/dependency"),
    get("/returned"),
    get("/sync"),
    get("/error"),
    get("/no-content"),
)
def response_parameter(app: FastAPI) -> None:
    def from_dependency(response: Response) -> str:
        response.headers["X-From"] = "dependency"
        response.status_code = 206
        return "dep"

    @app.get("/status", status_code=200)
    async def status(response: Response, *, new: bool = False) -> dict[str, bool]:
        if new:
            response.status_code = 201
        return {"new": new}

    @app.get("/headers")
    async def headers(response: Response):
        response.headers["X-Cat"] = "alone"
        response.headers.append("X-Many", "1")
        response.headers.append("X-Many", "2")
        response.headers["Cache-Control"] = "max-age=5"
        return {}

    @app.get("/cookies")
    async def cookies(response: Response):
        response.set_cookie("session", "abc", httponly=True)
        response.set_cookie("other", "x y")
        return {"set": True}

    @app.get("/dependency")
    async def dependency(response: Response, dep: str = Depends(from_dependency)):
        response.headers["X-Also"] = dep
        return dep

    @app.get("/returned")
    async def returned(response: Response):
        response.headers["X-Lost"] = "1"
        response.status_code = 201
        return PlainTextResponse("own")

    @app.get("/sync")
    def sync(response: Response) -> Item:
        response.status_code = 203
        return Item(name="a")

    @app.get("/error")
    async def error(response: Response):
        response.headers["X-Lost"] = "1"
        raise HTTPException(400, "no")

    @app.get("/no-content", status_code=200)
    async def no_content(response: Response):
        response.status_code = 204


@feature(
    "Streaming responses",
    get("/async"),
    get("/sync"),
    get("/bytes"),
    get("/class"),
    get("/headers"),
    get("/breaks-at-once"),
)
def streaming(app: FastAPI) -> None:
    async def chunks():
        for number in range(3):
            yield f"chunk {number}\n"

    def sync_chunks():
        yield b"a"
        yield b"b"

    async def broken():
        raise RuntimeError("before the first byte")
        yield ""

    @app.get("/async")
    async def async_():
        return StreamingResponse(chunks())

    @app.get("/sync")
    def sync():
        return StreamingResponse(sync_chunks(), media_type="text/csv")

    @app.get("/bytes")
    async def bytes_():
        return StreamingResponse(iter([b"1", b"2"]), 201)

    @app.get("/class", response_class=StreamingResponse)
    async def by_class():
        yield "a"
        yield "b"

    @app.get("/headers")
    async def headers():
        name = {"Content-Disposition": "attachment; filename=a.csv"}
        return StreamingResponse(chunks(), headers=name, media_type="text/csv")

    @app.get("/breaks-at-once")
    async def breaks():
        return StreamingResponse(broken())
