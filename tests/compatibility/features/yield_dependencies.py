"""The user guide's page on dependencies with `yield`: what happens, and in which order."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Annotated, Any

from fastapi import BackgroundTasks, Depends, FastAPI, HTTPException, Request
from fastapi.responses import StreamingResponse

from tests.compatibility.feature import feature, get

type Events = list[str]


def record(app: FastAPI) -> Events:
    """What happens is read, and forgotten, by `GET /events`."""
    events: Events = []

    @app.get("/events")
    async def read_events() -> Any:
        seen = events.copy()
        events.clear()
        return seen

    return events


class OwnError(Exception):
    pass


@feature(
    "Dependencies with yield: what comes before and after",
    get("/async"),
    get("/events"),
    get("/sync"),
    get("/events"),
)
def before_and_after(app: FastAPI) -> None:
    events = record(app)

    async def resource() -> AsyncIterator[str]:
        events.append("open")
        yield "resource"
        events.append("close")

    def sync_resource() -> Iterator[str]:
        events.append("open")
        try:
            yield "resource"
        finally:
            events.append("close")

    @app.get("/async")
    async def read_async(value: Annotated[str, Depends(resource)]):
        events.append("endpoint")
        return value

    @app.get("/sync")
    def read_sync(value: Annotated[str, Depends(sync_resource)]):
        events.append("endpoint")
        return value


@feature(
    "Dependencies with yield: nested ones end in reverse",
    get("/"),
    get("/events"),
)
def nested(app: FastAPI) -> None:
    events = record(app)

    async def a() -> AsyncIterator[str]:
        events.append("a+")
        yield "a"
        events.append("a-")

    def b(value: Annotated[str, Depends(a)]) -> Iterator[str]:
        events.append("b+")
        yield f"{value}b"
        events.append("b-")

    async def c(value: Annotated[str, Depends(b)], _: Annotated[str, Depends(a)]):
        events.append("c+")
        yield f"{value}c"
        events.append("c-")

    @app.get("/")
    async def read(value: Annotated[str, Depends(c)], first: Annotated[str, Depends(a)]):
        return value + first


@feature(
    "Dependencies with yield: scope='function' and scope='request' with background tasks",
    get("/request"),
    get("/events"),
    get("/function"),
    get("/events"),
    get("/both"),
    get("/events"),
)
def scopes(app: FastAPI) -> None:
    events = record(app)

    async def resource() -> AsyncIterator[str]:
        events.append("open")
        yield "resource"
        events.append("close")

    async def inner() -> AsyncIterator[str]:
        events.append("inner open")
        yield "inner"
        events.append("inner close")

    @app.get("/request")
    async def read_request(
        value: Annotated[str, Depends(resource, scope="request")], tasks: BackgroundTasks
    ):
        tasks.add_task(events.append, "task")
        events.append("endpoint")
        return value

    @app.get("/function")
    async def read_function(
        value: Annotated[str, Depends(resource, scope="function")], tasks: BackgroundTasks
    ):
        tasks.add_task(events.append, "task")
        events.append("endpoint")
        return value

    @app.get("/both")
    async def read_both(
        outer: Annotated[str, Depends(resource)],
        value: Annotated[str, Depends(inner, scope="function")],
        tasks: BackgroundTasks,
    ):
        tasks.add_task(events.append, "task")
        return [outer, value]


@feature(
    "Dependencies with yield: streaming",
    get("/request"),
    get("/events"),
    get("/function"),
    get("/events"),
)
def streaming(app: FastAPI) -> None:
    events = record(app)

    async def resource() -> AsyncIterator[list[str]]:
        opened = ["open"]
        yield opened
        opened[0] = "closed"
        events.append("close")

    async def body(opened: list[str]) -> AsyncIterator[str]:
        for number in range(2):
            events.append(f"chunk {number}")
            yield f"{number} {opened[0]} "

    @app.get("/request")
    async def read_request(opened: Annotated[list[str], Depends(resource)]):
        return StreamingResponse(body(opened))

    @app.get("/function")
    async def read_function(opened: Annotated[list[str], Depends(resource, scope="function")]):
        return StreamingResponse(body(opened))


@feature(
    "Dependencies with yield: errors of the endpoint",
    get("/http"),
    get("/events"),
    get("/own"),
    get("/events"),
    get("/swallowed"),
    get("/events"),
    get("/translated"),
    get("/events"),
    get("/invalid?n=x"),
    get("/events"),
)
def endpoint_errors(app: FastAPI) -> None:
    events = record(app)

    async def resource() -> AsyncIterator[str]:
        events.append("open")
        try:
            yield "resource"
        except Exception as error:
            events.append(type(error).__name__)
            raise
        finally:
            events.append("close")

    async def swallow() -> AsyncIterator[str]:
        try:
            yield "resource"
        except OwnError:
            events.append("swallowed")

    def translate() -> Iterator[str]:
        try:
            yield "resource"
        except OwnError as error:
            raise HTTPException(409, f"Translated {error}") from error

    @app.get("/http")
    async def http(_: Annotated[str, Depends(resource)]):
        raise HTTPException(404, "No such thing")

    @app.get("/own")
    async def own(_: Annotated[str, Depends(resource)]):
        raise OwnError("broken")

    @app.get("/swallowed")
    async def swallowed(_: Annotated[str, Depends(swallow)]):
        raise OwnError("broken")

    @app.get("/translated")
    async def translated(_: Annotated[str, Depends(translate)]):
        raise OwnError("broken")

    @app.get("/invalid")
    async def invalid(n: int, _: Annotated[str, Depends(resource)]):
        return n


@feature(
    "Dependencies with yield: errors after the yield",
    get("/function"),
    get("/request"),
    get("/broken"),
)
def errors_after(app: FastAPI) -> None:
    async def fails() -> AsyncIterator[str]:
        yield "resource"
        raise HTTPException(503, "Could not save")

    async def breaks() -> AsyncIterator[str]:
        yield "resource"
        raise OwnError("broken")

    @app.get("/function")
    async def in_function(value: Annotated[str, Depends(fails, scope="function")]):
        return value

    @app.get("/request")
    async def in_request(value: Annotated[str, Depends(fails, scope="request")]):
        return value

    @app.get("/broken")
    async def broken(value: Annotated[str, Depends(breaks, scope="function")]):
        return value


@feature(
    "Dependencies with yield: context managers within them",
    get("/"),
    get("/events"),
)
def context_managers(app: FastAPI) -> None:
    events = record(app)

    @contextmanager
    def opened() -> Iterator[str]:
        events.append("enter")
        yield "a"
        events.append("exit")

    @asynccontextmanager
    async def async_opened() -> AsyncIterator[str]:
        events.append("async enter")
        yield "b"
        events.append("async exit")

    async def resource(request: Request) -> AsyncIterator[str]:
        with opened() as a:
            async with async_opened() as b:
                yield f"{a}{b} {request.url.path}"

    @app.get("/")
    async def read(value: Annotated[str, Depends(resource)]):
        events.append("endpoint")
        return value
