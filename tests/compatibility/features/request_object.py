"""The user guide's page on using the request directly."""

import hashlib
import hmac
import json
from typing import Annotated, Any

from fastapi import Body, Depends, FastAPI, Request
from fastapi.requests import HTTPConnection
from pydantic import BaseModel
from starlette.requests import ClientDisconnect

from tests.compatibility.feature import feature, get, post, put

KEY = b"key"
EVENT = b'{"event": "paid"}'
SIGNATURE = hmac.new(KEY, EVENT, hashlib.sha256).hexdigest()
JSON = {"Content-Type": "application/json"}


class Item(BaseModel):
    name: str


@feature(
    "Request: method, URL, headers, cookies, client and parameters",
    get("/items/3?q=a&q=b&x=%C3%A9", headers={"X-Own": "1", "Cookie": "a=1; b=2"}),
    get("/items/a%20b"),
    get("/scope"),
)
def attributes(app: FastAPI) -> None:
    @app.get("/items/{item_id}")
    async def read(request: Request, item_id: str):
        return {
            "method": request.method,
            "url": str(request.url),
            "path": request.url.path,
            "base": str(request.base_url),
            "query": request.query_params.multi_items(),
            "params": request.path_params,
            "header": request.headers.get("x-own"),
            "cookies": request.cookies,
            "client": request.client and request.client.host,
            "endpoint": request.scope["endpoint"].__name__,
            "is_app": request.app is app,
            "is_router": request.scope["router"] is app.router,
            "item_id": item_id,
        }

    @app.get("/scope")
    def scope(request: Request):
        route = request.scope["route"]
        return {
            "route": route.path,
            "name": route.name,
            "type": request.scope["type"],
            "root_path": request.scope.get("root_path"),
            "raw_path": request.scope["raw_path"].decode(),
        }


@feature(
    "Request: body(), json() and stream()",
    post("/body", content=b"raw bytes"),
    post("/body"),
    post("/json", json={"a": 1}),
    post("/json", content=b"{"),
    post("/stream", content=b"x" * 100_000),
    post("/twice", json=[1]),
    put("/body", content=b"raw"),
)
def raw_body(app: FastAPI) -> None:
    @app.post("/body")
    async def body(request: Request):
        return (await request.body()).decode()

    @app.post("/json")
    async def json_(request: Request) -> Any:
        try:
            return await request.json()
        except json.JSONDecodeError:
            return "not JSON"

    @app.post("/stream")
    async def stream(request: Request):
        size = 0
        async for chunk in request.stream():
            size += len(chunk)
        return size

    @app.post("/twice")
    async def twice(request: Request):
        return [await request.json(), (await request.body()).decode()]


@feature(
    "Request: form()",
    post("/", data={"a": ["1", "2"], "b": "x"}),
    post("/", files={"file": ("a.txt", b"hello", "text/plain")}, data={"a": "1"}),
    post("/", json={}),
    post("/limited", data={"a": "1", "b": "2"}),
)
def form(app: FastAPI) -> None:
    @app.post("/")
    async def take(request: Request):
        async with request.form() as form:
            return [
                (name, value if isinstance(value, str) else [value.filename, value.size])
                for name, value in form.multi_items()
            ]

    @app.post("/limited")
    async def limited(request: Request):
        async with request.form(max_fields=1) as form:
            return dict(form)


@feature(
    "Request: the raw body beside a parsed one, and a signed webhook",
    post("/both", json={"name": "a"}),
    post("/both", json={"name": 1}),
    post("/hook", content=EVENT, headers={"X-Signature": SIGNATURE}),
    post("/hook", content=EVENT, headers={"X-Signature": "0"} | JSON),
    post("/dependency", content=EVENT, headers={"X-Signature": SIGNATURE}),
    post("/dependency", json={"name": "a"}, headers={"X-Signature": "0"}),
)
def beside_parsed(app: FastAPI) -> None:
    async def signed(request: Request) -> bool:
        expected = hmac.new(KEY, await request.body(), hashlib.sha256).hexdigest()
        return hmac.compare_digest(expected, request.headers["x-signature"])

    @app.post("/both")
    async def both(request: Request, item: Item):
        return [item, len(await request.body())]

    @app.post("/hook")
    async def hook(request: Request):
        return {"signed": await signed(request)}

    @app.post("/dependency")
    async def dependency(valid: Annotated[bool, Depends(signed)], body: Annotated[Any, Body()]):
        return {"signed": valid, "body": body if valid else None}


@feature(
    "Request: state and url_for",
    get("/state"),
    get("/urls"),
    get("/items/3"),
)
def state(app: FastAPI) -> None:
    app.state.name = "application"

    async def remember(request: Request) -> None:
        request.state.seen = "by a dependency"

    @app.get("/state", dependencies=[Depends(remember)])
    async def read_state(request: Request):
        return [request.app.state.name, request.state.seen, hasattr(request.state, "other")]

    @app.get("/urls")
    async def urls(request: Request):
        return [
            str(request.url_for("read_item", item_id=3)),
            app.url_path_for("read_item", item_id="x"),
            str(request.url.include_query_params(a=1)),
            str(request.url_for("with_name")),
        ]

    @app.get("/items/{item_id}")
    async def read_item(item_id: int):
        return item_id

    @app.get("/named", name="with_name")
    async def named():
        return "named"


@feature(
    "Request: HTTPConnection, receive and is_disconnected()",
    get("/connection", headers={"X-Own": "a"}),
    get("/connected"),
    post("/receive", content=b"abc"),
)
def connection(app: FastAPI) -> None:
    @app.get("/connection")
    async def read(connection: HTTPConnection):
        return [connection.headers["x-own"], type(connection).__name__]

    @app.get("/connected")
    async def connected(request: Request):
        try:
            return await request.is_disconnected()
        except ClientDisconnect:
            return "gone"

    @app.post("/receive")
    async def receive(request: Request):
        message = await request.receive()
        return [message["type"], message["body"].decode()]
