"""The user guide's page on background tasks."""

from typing import Annotated

from fastapi import BackgroundTasks, Depends, FastAPI, HTTPException, Response
from fastapi.responses import JSONResponse
from starlette.background import BackgroundTask

from tests.compatibility.feature import feature, get, post
from tests.compatibility.features.yield_dependencies import record


@feature(
    "Background tasks: as a parameter",
    post("/async", params={"email": "a@example.com"}),
    get("/events"),
    post("/sync", params={"email": "b@example.com"}),
    get("/events"),
    post("/async"),
    get("/events"),
)
def parameter(app: FastAPI) -> None:
    events = record(app)

    def write(email: str, message: str = "") -> None:
        events.append(f"{email}: {message}")

    async def write_async(email: str) -> None:
        events.append(f"async {email}")

    @app.post("/async", status_code=202)
    async def notify(email: str, tasks: BackgroundTasks):
        tasks.add_task(write, email, message="hello")
        tasks.add_task(write_async, email)
        return {"message": "sent"}

    @app.post("/sync")
    def notify_sync(email: str, tasks: BackgroundTasks):
        tasks.add_task(write, email)
        return {"message": "sent"}


@feature(
    "Background tasks: of dependencies",
    post("/", params={"q": "x"}),
    get("/events"),
    post("/"),
    get("/events"),
)
def of_dependencies(app: FastAPI) -> None:
    events = record(app)

    def query(tasks: BackgroundTasks, q: str | None = None) -> str | None:
        if q:
            tasks.add_task(events.append, f"found {q}")
        return q

    @app.post("/")
    async def send(tasks: BackgroundTasks, q: Annotated[str | None, Depends(query)]):
        tasks.add_task(events.append, "sent")
        return q


@feature(
    "Background tasks: with a response of one's own",
    get("/both"),
    get("/events"),
    get("/injected"),
    get("/events"),
    get("/fails"),
    get("/events"),
)
def with_response(app: FastAPI) -> None:
    events = record(app)

    @app.get("/both")
    async def both(tasks: BackgroundTasks):
        tasks.add_task(events.append, "parameter")
        return JSONResponse({"a": 1}, background=BackgroundTask(events.append, "response"))

    @app.get("/injected")
    async def injected(tasks: BackgroundTasks):
        tasks.add_task(events.append, "parameter")
        return Response("text", media_type="text/plain")

    @app.get("/fails")
    async def fails(tasks: BackgroundTasks):
        tasks.add_task(events.append, "never")
        raise HTTPException(400, "no")


@feature(
    "Background tasks: one that fails",
    get("/"),
    get("/events"),
)
def failing(app: FastAPI) -> None:
    events = record(app)

    def fail() -> None:
        events.append("failed")
        raise RuntimeError("in the background")

    @app.get("/")
    async def read(tasks: BackgroundTasks):
        tasks.add_task(fail)
        tasks.add_task(events.append, "after it")
        return "answered"
