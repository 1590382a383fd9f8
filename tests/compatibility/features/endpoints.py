"""Endpoints that are not plain functions, and annotations that are text."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Query, Request, Response
from pydantic import BaseModel

from tests.compatibility.feature import feature, get, post


class Item(BaseModel):
    name: str
    parent: Item | None = None


class Greeter:
    def __init__(self, greeting: str) -> None:
        self.greeting = greeting

    def __call__(self, name: str) -> str:
        return f"{self.greeting}, {name}"

    async def method(self, name: str) -> str:
        return f"{self.greeting} again, {name}"


def logged(endpoint: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(endpoint)
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        return {"logged": await endpoint(*args, **kwargs)}

    return wrapper


def logged_sync(endpoint: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(endpoint)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return {"logged": endpoint(*args, **kwargs)}

    return wrapper


def size(q: Annotated[str, Query(min_length=2)] = "ab") -> int:
    return len(q)


@feature(
    "Annotations as text: from __future__ import annotations",
    post("/items", json={"name": "a", "parent": {"name": "b"}}),
    post("/items", json={"name": "a", "parent": {}}),
    get("/size", params={"q": "abc"}),
    get("/size", params={"q": "a"}),
    get("/response"),
)
def postponed(app: FastAPI) -> None:
    @app.post("/items")
    async def create(item: Item) -> Item:
        return item

    @app.get("/size")
    async def read_size(value: Annotated[int, Depends(size)], request: Request) -> dict[str, Any]:
        return {"size": value, "path": request.url.path}

    @app.get("/response")
    async def response() -> Response:
        return Response("text", media_type="text/plain")


@feature(
    "Endpoints: callable instances, methods, partials and decorated functions",
    get("/instance", params={"name": "ada"}),
    get("/instance"),
    get("/method", params={"name": "ada"}),
    get("/partial", params={"name": "ada"}),
    get("/decorated", params={"n": 1}),
    get("/decorated", params={"n": "x"}),
    get("/decorated-sync", params={"n": 1}),
    get("/lambda"),
    get("/openapi.json"),
)
def callables(app: FastAPI) -> None:
    greeter = Greeter("Hello")

    async def greet(greeting: str, name: str) -> str:
        return f"{greeting}, {name}"

    app.add_api_route("/instance", greeter, name="instance")
    app.add_api_route("/method", greeter.method)
    app.add_api_route("/partial", functools.partial(greet, "Hi"), name="partial")
    app.add_api_route("/lambda", lambda: {"made": "here"}, name="lambda")

    @app.get("/decorated")
    @logged
    async def decorated(n: int):
        return n

    @app.get("/decorated-sync")
    @logged_sync
    def decorated_sync(n: int):
        return n


@feature(
    "Endpoints: positional-only and keyword-only arguments, and defaults of every kind",
    get("/"),
    get("/", params={"a": "x", "b": 2}),
    get("/", params={"b": "x"}),
    get("/mutable"),
    get("/mutable"),
)
def arguments(app: FastAPI) -> None:
    @app.get("/")
    async def read(a: str = "default", *, b: int = 1, c: Annotated[float, Query()] = 0.5) -> Any:
        return [a, b, c]

    @app.get("/mutable")
    async def mutable(values: Annotated[list[int], Query()] = []) -> list[int]:
        values.append(1)
        return values
