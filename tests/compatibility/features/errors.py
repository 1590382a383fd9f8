"""The user guide's page on handling errors."""

import asyncio
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request, Response
from fastapi.encoders import jsonable_encoder
from fastapi.exception_handlers import (
    http_exception_handler,
    request_validation_exception_handler,
)
from fastapi.exceptions import RequestValidationError, ResponseValidationError
from fastapi.responses import FileResponse, JSONResponse, PlainTextResponse
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException as StarletteHTTPException

from tests.compatibility.feature import feature, get, post

INCOMPLETE: Any = {"title": "a"}
DETAILS: dict[str, Any] = {
    "text": "Item not found",
    "dict": {"code": 7, "why": ["a", None]},
    "list": [1, "a"],
    "number": 5,
    "none": None,
    "empty": "",
}


class UnicornError(Exception):
    def __init__(self, name: str) -> None:
        self.name = name


class FoalError(UnicornError):
    pass


class Item(BaseModel):
    title: str
    size: int


@feature(
    "HTTPException: any detail",
    *[get(f"/{name}") for name in DETAILS],
    get("/default"),
    get("/unknown"),
)
def details(app: FastAPI) -> None:
    @app.get("/default")
    async def default():
        raise HTTPException(404)

    @app.get("/{name}")
    async def raise_detail(name: str):
        if name not in DETAILS:
            raise HTTPException(status_code=404, detail="Nothing like that")
        raise HTTPException(400, DETAILS[name])


STATUSES = [400, 401, 402, 403, 404, 405, 409, 410, 412, 413, 415, 418, 422, 429, 500, 501, 503]


@feature(
    "HTTPException: any status, with headers",
    *[get(f"/{status}") for status in STATUSES],
    get("/sync"),
    get("/204"),
    get("/304"),
)
def statuses(app: FastAPI) -> None:
    @app.get("/sync")
    def sync():
        raise HTTPException(409, "Taken", {"X-Error": "sync"})

    @app.get("/{status}")
    async def raise_status(status: int):
        headers = {"X-Error": "There goes my error", "Retry-After": "5"}
        raise HTTPException(status, detail=f"Status {status}", headers=headers)


@feature(
    "HTTPException: Starlette's own",
    get("/raise"),
    get("/nothing"),
    post("/raise"),
)
def starlette_exception(app: FastAPI) -> None:
    @app.get("/raise")
    async def raise_it():
        raise StarletteHTTPException(409, "From Starlette")


@feature(
    "Exception handlers: of a class of one's own",
    get("/async"),
    get("/sync"),
    get("/sub"),
    get("/dependency"),
    get("/other"),
)
def own_class(app: FastAPI) -> None:
    async def fail() -> None:
        raise UnicornError("dependency")

    @app.exception_handler(UnicornError)
    async def handle(request: Request, error: UnicornError):
        content = {"message": f"Oops {error.name}", "path": request.url.path}
        return JSONResponse(content, 418, {"X-Handled": "yes"})

    @app.get("/async")
    async def async_():
        raise UnicornError("async")

    @app.get("/sync")
    def sync():
        raise UnicornError("sync")

    @app.get("/sub")
    async def sub():
        raise FoalError("foal")

    @app.get("/dependency", dependencies=[Depends(fail)])
    async def dependency():
        return "never"

    @app.get("/other")
    async def other():
        raise KeyError("not handled")


@feature(
    "Exception handlers: def, for subclasses, statuses and by the constructor",
    get("/sub"),
    get("/base"),
    get("/teapot"),
    get("/nothing"),
    get("/zero"),
    get("/async"),
    exception_handlers={
        ZeroDivisionError: lambda _request, _error: PlainTextResponse("Divided by zero", 400)
    },
)
def more_handlers(app: FastAPI) -> None:
    @app.exception_handler(UnicornError)
    def handle_base(_request: Request, _error: UnicornError):
        return PlainTextResponse("base", 418)

    def handle_sub(_request: Request, _error: Exception):
        return PlainTextResponse("sub", 419)

    async def handle_teapot(_request: Request, _error: Exception):
        return PlainTextResponse("short and stout", 418)

    app.add_exception_handler(FoalError, handle_sub)
    app.add_exception_handler(418, handle_teapot)

    @app.exception_handler(404)
    def handle_not_found(request: Request, _error: Exception):
        return JSONResponse({"lost": request.url.path}, 404)

    @app.get("/sub")
    async def sub():
        raise FoalError("a")

    @app.get("/base")
    async def base():
        raise UnicornError("a")

    @app.get("/teapot")
    async def teapot():
        raise HTTPException(418, "I'm a teapot")

    @app.get("/zero")
    def zero():
        return 1 / 0

    @app.get("/async")
    async def async_zero():
        return 1 / 0


@feature(
    "Exception handlers: HTTPException overridden",
    get("/items/3"),
    get("/items/4"),
    get("/nothing"),
    post("/items/4"),
    get("/items/x"),
)
def http_exception_overridden(app: FastAPI) -> None:
    @app.exception_handler(StarletteHTTPException)
    async def handle(_request: Request, error: StarletteHTTPException):
        return PlainTextResponse(f"http: {error.detail}", error.status_code)

    @app.get("/items/{item_id}")
    async def read(item_id: int):
        if item_id == 3:
            raise HTTPException(418, "Nope! I don't like 3.")
        return item_id


@feature(
    "Exception handlers: validation errors overridden",
    post("/items", json={"title": "a", "size": "x"}),
    post("/items", json={"title": "a", "size": 1}),
    post("/items", content=b"{", headers={"Content-Type": "application/json"}),
    get("/query", params={"n": "x"}),
)
def validation_overridden(app: FastAPI) -> None:
    @app.exception_handler(RequestValidationError)
    async def handle(request: Request, error: RequestValidationError):
        content = {"detail": error.errors(), "body": error.body, "path": request.url.path}
        return JSONResponse(jsonable_encoder(content), 400)

    @app.post("/items")
    async def create(item: Item):
        return item

    @app.get("/query")
    async def query(n: int):
        return n


@feature(
    "Exception handlers: FastAPI's own, used again",
    get("/http"),
    get("/query", params={"n": "x"}),
    get("/events"),
)
def reused(app: FastAPI) -> None:
    seen: list[str] = []

    @app.exception_handler(StarletteHTTPException)
    async def handle_http(request: Request, error: StarletteHTTPException):
        seen.append(f"http {error.status_code}")
        return await http_exception_handler(request, error)

    @app.exception_handler(RequestValidationError)
    async def handle_invalid(request: Request, error: RequestValidationError):
        seen.append("invalid")
        return await request_validation_exception_handler(request, error)

    @app.get("/http")
    async def http():
        raise HTTPException(402, "Pay")

    @app.get("/query")
    async def query(n: int):
        return n

    @app.get("/events")
    async def events():
        return seen


@feature(
    "Exception handlers: Exception and 500",
    get("/async"),
    get("/sync"),
    get("/response"),
    get("/http"),
    get("/validation"),
)
def any_exception(app: FastAPI) -> None:
    @app.exception_handler(Exception)
    async def handle(request: Request, error: Exception):
        return JSONResponse({"error": type(error).__name__, "path": request.url.path}, 500)

    @app.get("/async")
    async def async_():
        raise RuntimeError("secret")

    @app.get("/sync")
    def sync():
        raise OSError("secret")

    @app.get("/response")
    async def response() -> Item:
        return INCOMPLETE

    @app.get("/http")
    async def http():
        raise HTTPException(500, "Known")

    @app.get("/validation")
    async def validation():
        Item.model_validate({})


@feature(
    "Exception handlers: ResponseValidationError and pydantic's ValidationError",
    get("/response"),
    get("/model"),
)
def other_validation(app: FastAPI) -> None:
    @app.exception_handler(ResponseValidationError)
    async def handle_response(_request: Request, error: ResponseValidationError):
        return JSONResponse({"wrong": [each["loc"] for each in error.errors()]}, 502)

    @app.exception_handler(ValidationError)
    async def handle_model(_request: Request, error: ValidationError):
        return JSONResponse({"wrong": error.error_count()}, 400)

    @app.get("/response")
    async def response() -> Item:
        return INCOMPLETE

    @app.get("/model")
    async def model():
        Item.model_validate({})


@feature(
    "Unhandled exceptions",
    get("/async"),
    get("/sync"),
    get("/dependency"),
    get("/router"),
    get("/fine"),
)
def unhandled(app: FastAPI) -> None:
    router = APIRouter()

    def fail() -> None:
        raise KeyError("secret")

    @app.get("/async")
    async def async_():
        raise RuntimeError("secret")

    @app.get("/sync")
    def sync():
        raise RuntimeError("secret")

    @app.get("/dependency", dependencies=[Depends(fail)])
    def dependency():
        return "never"

    @router.get("/router")
    async def in_router():
        raise RuntimeError("secret")

    @app.get("/fine")
    async def fine():
        return "fine"

    app.include_router(router)


class Failing(Response):
    async def __call__(self, *_: object) -> None:
        raise HTTPException(409, "while it is sent")


@feature(
    "Exception handlers: those that raise, and what is raised while a response is sent",
    get("/raising"),
    get("/failing"),
    get("/missing"),
    get("/own-timeout"),
    get("/awaited"),
)
def late_errors(app: FastAPI) -> None:
    @app.exception_handler(ValueError)
    async def raise_other(_request: Request, _error: ValueError):
        raise HTTPException(418, "by a handler")

    @app.exception_handler(RuntimeError)
    async def on_runtime_error(_request: Request, _error: RuntimeError):
        return JSONResponse({"handled": True}, 420)

    @app.exception_handler(TimeoutError)
    async def on_timeout(_request: Request, _error: TimeoutError):
        return JSONResponse({"timeout": True}, 504)

    @app.get("/raising")
    async def raising():
        raise ValueError

    @app.get("/failing")
    async def failing():
        return Failing()

    @app.get("/missing")
    async def missing():
        return FileResponse("/there/is/no/such/file")

    @app.get("/own-timeout")
    async def own_timeout():
        raise TimeoutError

    @app.get("/awaited")
    async def awaited():
        async with asyncio.timeout(0.001):
            await asyncio.sleep(30)
