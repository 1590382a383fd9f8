"""The user guide's pages on server-sent events and JSON Lines."""

from collections.abc import AsyncIterable, AsyncIterator, Iterable
from typing import Annotated

from fastapi import Depends, FastAPI, Header
from fastapi.responses import StreamingResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel

from tests.compatibility.feature import feature, get, post


class Item(BaseModel):
    name: str
    price: float = 1


ITEMS = [Item(name="Plumbus", price=32.99), Item(name="Portal Gun")]


@feature(
    "Server-sent events: EventSourceResponse",
    get("/items"),
    get("/untyped"),
    get("/sync"),
    get("/events"),
    get("/resume", headers={"Last-Event-ID": "1"}),
    get("/resume", headers={"Last-Event-ID": "x"}),
    post("/chat", json={"name": "hello"}),
    get("/openapi.json"),
)
def events(app: FastAPI) -> None:
    @app.get("/items", response_class=EventSourceResponse)
    async def items() -> AsyncIterable[Item]:
        for item in ITEMS:
            yield item

    @app.get("/untyped", response_class=EventSourceResponse)
    async def untyped():
        yield {"a": 1}
        yield "text"

    @app.get("/sync", response_class=EventSourceResponse)
    def sync() -> Iterable[Item]:
        yield from ITEMS

    @app.get("/events", response_class=EventSourceResponse)
    async def with_fields() -> AsyncIterable[ServerSentEvent]:
        yield ServerSentEvent(comment="first")
        yield ServerSentEvent(data=ITEMS[0], event="update", id="1", retry=5000)
        yield ServerSentEvent(raw_data="[DONE]\nnow")

    @app.get("/resume", response_class=EventSourceResponse)
    async def resume(
        last_event_id: Annotated[int | None, Header()] = None,
    ) -> AsyncIterable[ServerSentEvent]:
        yield ServerSentEvent(data={"after": last_event_id})

    @app.post("/chat", response_class=EventSourceResponse)
    async def chat(item: Item) -> AsyncIterable[ServerSentEvent]:
        for word in item.name:
            yield ServerSentEvent(data=word, event="token")


@feature(
    "Server-sent events: dependencies, and errors before the first event",
    get("/items"),
    get("/items", headers={"X-Token": "a"}),
    get("/status"),
)
def with_dependencies(app: FastAPI) -> None:
    async def token(x_token: Annotated[str, Header()]) -> AsyncIterator[str]:
        yield x_token

    @app.get("/items", response_class=EventSourceResponse)
    async def items(value: Annotated[str, Depends(token)]) -> AsyncIterable[str]:
        yield value

    @app.get("/status", response_class=EventSourceResponse, status_code=201)
    async def status() -> AsyncIterable[int]:
        yield 1


@feature(
    "JSON Lines: generators",
    get("/items"),
    get("/sync"),
    get("/untyped"),
    get("/raw"),
    get("/openapi.json"),
)
def json_lines(app: FastAPI) -> None:
    @app.get("/items")
    async def items() -> AsyncIterable[Item]:
        for item in ITEMS:
            yield item

    @app.get("/sync")
    def sync() -> Iterable[Item]:
        yield from ITEMS

    @app.get("/untyped")
    async def untyped():
        yield {"a": 1}
        yield [2]

    @app.get("/raw", response_class=StreamingResponse)
    def raw() -> Iterable[bytes]:
        yield b"\x00"
        yield b"\x01"
