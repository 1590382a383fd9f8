"""The user guide's page on WebSockets."""

from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any

import httpx2 as httpx
from fastapi import (
    APIRouter,
    Cookie,
    Depends,
    FastAPI,
    HTTPException,
    Query,
    WebSocket,
    WebSocketDisconnect,
    WebSocketException,
    status,
)
from fastapi.testclient import TestClient
from starlette.testclient import WebSocketDenialResponse

from tests.compatibility.feature import feature

type WithTestClient = Callable[[TestClient], Any]


def talk(path: str, *messages: str, headers: dict[str, str] | None = None) -> WithTestClient:
    """Sends texts and returns one answer to each, or how the socket was closed."""

    def step(client: TestClient) -> Any:
        said: list[Any] = []
        socket = client.websocket_connect(path, headers=headers or {})
        try:
            socket.__enter__()
        except WebSocketDenialResponse as refused:
            refused.request = httpx.Request("GET", f"http://test{path}")
            return refused
        except WebSocketDisconnect as closed:
            return refusal(path, closed)
        try:
            for message in messages:
                socket.send_text(message)
                said.append(socket.receive_text())
        except WebSocketDisconnect as closed:
            said.append(["closed", closed.code, closed.reason])
        try:  # what the application does not catch
            socket.__exit__(None, None, None)
        except WebSocketDisconnect as closed:
            return [*said, f"left: WebSocketDisconnect {closed.code}"]
        return [*said, "left"]

    return step


def refusal(path: str, closed: WebSocketDisconnect) -> httpx.Response:
    """What a server makes of a close that comes before the accept."""
    request = httpx.Request("GET", f"http://test{path}")
    headers = {"x-close": f"{closed.code} {closed.reason}"}
    return httpx.Response(403, headers=headers, request=request)


def kinds(client: TestClient) -> Any:
    with client.websocket_connect("/kinds") as socket:
        socket.send_json({"a": 1})
        answers = [socket.receive_json()]
        socket.send_bytes(b"\x00\x01")
        answers.append(socket.receive_bytes().hex())
        answers.append(socket.receive())
        return answers


def subprotocol(client: TestClient) -> Any:
    with client.websocket_connect("/protocol", subprotocols=["soap", "wamp"]) as socket:
        return [socket.accepted_subprotocol, socket.receive_text()]


def two_clients(client: TestClient) -> Any:
    # Within the client's context both have one event loop.
    with client, client.websocket_connect("/chat/ada") as ada:
        with client.websocket_connect("/chat/bob") as bob:
            bob.send_text("hello")
            heard = [ada.receive_text(), bob.receive_text()]
        return [*heard, ada.receive_text()]


def plain_request(client: TestClient) -> Any:
    return [client.get("/ws"), client.post("/ws")]


@feature(
    "WebSockets: text",
    talk("/ws", "hello", "again"),
    talk("/ws"),
    talk("/nothing", "hello"),
    plain_request,
)
def text(app: FastAPI) -> None:
    @app.websocket("/ws")
    async def echo(websocket: WebSocket):
        await websocket.accept()
        while True:
            data = await websocket.receive_text()
            await websocket.send_text(f"Message text was: {data}")


@feature("WebSockets: JSON, bytes, subprotocols and closing", kinds, subprotocol)
def json_and_bytes(app: FastAPI) -> None:
    @app.websocket("/kinds")
    async def read(websocket: WebSocket):
        await websocket.accept()
        await websocket.send_json({"got": await websocket.receive_json()})
        await websocket.send_bytes(await websocket.receive_bytes())
        await websocket.close(4001, "enough")

    @app.websocket("/protocol")
    async def protocol(websocket: WebSocket):
        await websocket.accept(subprotocol="wamp")
        await websocket.send_text(str(websocket.scope["subprotocols"]))
        await websocket.close()


@feature(
    "WebSockets: parameters and dependencies",
    talk("/items/3/ws?token=a&q=1", "hi"),
    talk("/items/3/ws", "hi", headers={"Cookie": "session=s"}),
    talk("/items/3/ws", "hi"),
    talk("/items/3/ws?token=a&q=x", "hi"),
    talk("/items/x/ws?token=a", "hi"),
    talk("/items/3/ws?token=a&other=1", "hi"),
)
def parameters(app: FastAPI) -> None:
    async def cookie_or_token(
        session: Annotated[str | None, Cookie()] = None,
        token: Annotated[str | None, Query()] = None,
    ) -> str:
        if session is None and token is None:
            raise WebSocketException(code=status.WS_1008_POLICY_VIOLATION, reason="no token")
        return session or token or ""

    @app.websocket("/items/{item_id}/ws")
    async def read(
        websocket: WebSocket,
        item_id: int,
        secret: Annotated[str, Depends(cookie_or_token)],
        q: int | None = None,
    ):
        await websocket.accept()
        text = await websocket.receive_text()
        await websocket.send_text(f"{item_id} {secret} {q} {text}")


@feature(
    "WebSockets: close codes and exceptions",
    talk("/before"),
    talk("/after", "x"),
    talk("/exception", "x"),
    talk("/http", "x"),
    talk("/own", "x"),
    talk("/crash", "x"),
)
def closing(app: FastAPI) -> None:
    class OwnError(Exception):
        pass

    @app.exception_handler(OwnError)
    async def handle(websocket: WebSocket, _error: OwnError) -> None:
        await websocket.close(4444, "handled")

    @app.websocket("/before")
    async def before(websocket: WebSocket):
        await websocket.close(4000, "not today")

    @app.websocket("/after")
    async def after(websocket: WebSocket):
        await websocket.accept()
        await websocket.receive_text()
        await websocket.close(1001)

    @app.websocket("/exception")
    async def exception(websocket: WebSocket):
        await websocket.accept()
        raise WebSocketException(4002, "raised")

    @app.websocket("/http")
    async def http(websocket: WebSocket):
        raise HTTPException(403, "refused")

    @app.websocket("/own")
    async def own(websocket: WebSocket):
        await websocket.accept()
        raise OwnError

    @app.websocket("/crash")
    async def crash(websocket: WebSocket):
        await websocket.accept()
        raise RuntimeError("crash")


@feature(
    "WebSockets: yield dependencies, routers and prefixes",
    talk("/api/ws", "hello"),
    talk("/api/events", "what"),
    talk("/api/plain", "a"),
)
def with_routers(app: FastAPI) -> None:
    router = APIRouter(prefix="/api")
    events: list[str] = []

    async def resource() -> AsyncIterator[str]:
        events.append("open")
        yield "resource"
        events.append("close")

    @router.websocket("/ws")
    async def read(websocket: WebSocket, value: Annotated[str, Depends(resource)]):
        await websocket.accept()
        await websocket.send_text(f"{value} {await websocket.receive_text()}")

    @router.websocket("/events")
    async def read_events(websocket: WebSocket):
        await websocket.accept()
        await websocket.receive_text()
        await websocket.send_text(" ".join(events))

    @router.websocket_route("/plain")
    async def plain(websocket: WebSocket):
        await websocket.accept()
        await websocket.send_text(str(websocket.url.path))
        await websocket.close()

    app.include_router(router)


@feature("WebSockets: several clients", two_clients)
def several_clients(app: FastAPI) -> None:
    connected: list[WebSocket] = []

    async def tell(text: str) -> None:
        for each in connected:
            await each.send_text(text)

    @app.websocket("/chat/{name}")
    async def chat(websocket: WebSocket, name: str):
        await websocket.accept()
        connected.append(websocket)
        try:
            while True:
                await tell(f"{name}: {await websocket.receive_text()}")
        except WebSocketDisconnect:
            connected.remove(websocket)
            await tell(f"{name} left")
