"""The user guide's pages on mounts, sub-applications, lifespans, proxies and settings."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import httpx2 as httpx
from fastapi import APIRouter, FastAPI, HTTPException, Path, Request
from fastapi.responses import PlainTextResponse
from fastapi.testclient import TestClient
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import Receive, Scope, Send

from tests.compatibility.feature import feature, get, post


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, Any]]:
    app.state.events = ["started"]
    yield {"model": "loaded"}
    app.state.events.append("stopped")


@asynccontextmanager
async def plain_lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.events = ["started"]
    yield
    app.state.events.append("stopped")


def within_lifespan(client: TestClient) -> list[Any]:
    with client:
        answers = [client.get("/events"), client.get("/state"), client.get("/state")]
    app: Any = client.app
    return [*answers, app.state.events]


def behind_proxy(client: TestClient) -> list[httpx.Response]:
    client = TestClient(client.app, root_path="/api/v9")
    paths = ["/app", "/api/v9/app", "/api/v9app", "/openapi.json", "/docs", "/sub/info"]
    return [client.get(path) for path in paths]


@feature("Lifespan: with a state for requests", within_lifespan, lifespan=lifespan)
def with_state(app: FastAPI) -> None:
    @app.get("/events")
    async def events(request: Request):
        return request.app.state.events

    @app.get("/state")
    def state(request: Request):
        return request.state.model


@feature("Lifespan: without a state", within_lifespan, lifespan=plain_lifespan)
def without_state(app: FastAPI) -> None:
    @app.get("/events")
    async def events(request: Request):
        return request.app.state.events

    @app.get("/state")
    async def state(request: Request):
        return hasattr(request.state, "model")


@feature("Lifespan: of a router", within_lifespan, lifespan=plain_lifespan)
def of_a_router(app: FastAPI) -> None:
    @asynccontextmanager
    async def router_lifespan(app: Any) -> AsyncIterator[dict[str, Any]]:
        app.state.events.append("router started")
        yield {"model": "of the router"}
        app.state.events.append("router stopped")

    router = APIRouter(lifespan=router_lifespan)

    @router.get("/events")
    async def events(request: Request):
        return request.app.state.events

    @router.get("/state")
    async def state(request: Request):
        return request.state.model

    app.include_router(router)


@feature(
    "Sub-applications: FastAPI in FastAPI",
    get("/app"),
    get("/sub/info"),
    get("/sub/info?n=x"),
    get("/sub/nothing"),
    get("/sub/error"),
    get("/sub/openapi.json"),
    get("/sub/docs"),
    get("/openapi.json"),
    post("/sub/info"),
)
def sub_application(app: FastAPI) -> None:
    sub = FastAPI(title="Sub")

    @app.get("/app")
    async def read():
        return "app"

    @sub.get("/info")
    async def info(request: Request, n: int = 0):
        return [n, request.scope["root_path"], str(request.url_for("info")), request.app is sub]

    @sub.get("/error")
    async def error():
        raise RuntimeError("in the sub-application")

    app.mount("/sub", sub)


@feature(
    "Mounts: ASGI applications",
    get("/raw/a/b?c=1"),
    get("/raw"),
    post("/raw/x", content=b"body"),
    get("/raw2"),
    get("/tenants/7/x"),
)
def asgi_mount(app: FastAPI) -> None:
    async def raw(scope: Scope, receive: Receive, send: Send) -> None:
        body = (await receive()).get("body", b"").decode()
        text = f"{scope['method']} {scope['path']} {scope['root_path']} {body}"
        await PlainTextResponse(text)(scope, receive, send)

    async def tenant(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse(str(scope["path_params"]))(scope, receive, send)

    app.mount("/raw", raw)
    app.mount("/tenants/{tenant_id}", tenant)


def within_another(client: TestClient) -> list[httpx.Response]:
    outer = Starlette(routes=[Mount("/shops/{shop}", app=client.app)])
    return [TestClient(outer).get(f"/shops/acme/{path}") for path in ("items/3", "shop", "none")]


@feature("Mounts: the application within another one, below a parameter", within_another)
def below_parameter(app: FastAPI) -> None:
    @app.get("/items/{item_id}")
    async def read(request: Request, item_id: int):
        return [request.path_params, item_id]

    @app.get("/shop")
    async def shop(shop: Annotated[str, Path()]):
        return shop


def with_later_routes(client: TestClient) -> list[httpx.Response]:
    before = [client.get("/things/1"), client.post("/things/1")]
    app: Any = client.app

    @app.post("/things/{thing_id}")
    async def write(thing_id: int):
        return thing_id

    return [*before, client.post("/things/1"), client.get("/things/1")]


@feature("Application: routes that are added after the first request", with_later_routes)
def later_routes(app: FastAPI) -> None:
    @app.get("/things/{thing_id}")
    async def read(thing_id: int):
        return thing_id


@feature("Behind a proxy: root_path of the server", behind_proxy)
def server_root_path(app: FastAPI) -> None:
    sub = FastAPI()

    @app.get("/app")
    async def read(request: Request):
        return [request.scope.get("root_path"), str(request.url_for("read")), request.url.path]

    @sub.get("/info")
    async def info(request: Request):
        return request.scope["root_path"]

    app.mount("/sub", sub)


@feature(
    "Behind a proxy: servers, root_path_in_servers and forwarded prefixes",
    get("/openapi.json"),
    get("/docs"),
    get("/app", headers={"X-Forwarded-Prefix": "/x", "X-Forwarded-Proto": "https"}),
    behind_proxy,
    servers=[{"url": "https://stag.example.com", "description": "Staging"}],
    root_path_in_servers=False,
)
def servers(app: FastAPI) -> None:
    @app.get("/app")
    async def read(request: Request):
        return str(request.url)


@feature(
    "Application: state and settings through dependencies",
    get("/info"),
)
def application_state(app: FastAPI) -> None:
    app.state.counter = 0

    @app.get("/info")
    async def info(request: Request):
        request.app.state.counter += 1
        return [request.app.state.counter, request.app.title]


@feature(
    "Application: debug=True",
    get("/fails", headers={"Accept": "text/plain"}),
    debug=True,
)
def debug(app: FastAPI) -> None:
    @app.get("/fails")
    async def fails():
        raise HTTPException(409, "known")
