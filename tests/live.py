"""An application behind the real server's protocols, on the test's own event loop."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import httpx
import uvicorn
from websockets.asyncio.client import connect

from app.cli.protocols.http import HttpProtocol
from app.cli.protocols.websockets import WebSocketProtocol
from app.main import Application
from tests.ports import free_port

GRACE = 5  # seconds


class Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """They are the test run's."""
        yield


class Live:
    def __init__(
        self, app: Application, server: Server, serving: asyncio.Task[None], port: int
    ) -> None:
        self.app = app
        self.server = server
        self.serving = serving
        self.port = port
        self.url = f"http://127.0.0.1:{port}"

    def client(self, token: str | None = None, **options: Any) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        headers |= options.pop("headers", {})
        return httpx.AsyncClient(base_url=self.url, headers=headers, timeout=10, **options)

    def connect(self, path: str, token: str | None = None, **options: Any) -> connect:
        """A WebSocket's client; `async with` it. `host` is what it calls the server."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        headers |= options.pop("headers", {})
        url = f"ws://{options.pop('host', f'127.0.0.1:{self.port}')}{path}"
        options |= {"host": "127.0.0.1", "port": self.port, "proxy": None}
        return connect(url, additional_headers=headers, **options)


@asynccontextmanager
async def served(app: Application) -> AsyncGenerator[Live]:
    port = free_port()
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=port,
        http=HttpProtocol,
        ws=WebSocketProtocol,
        ws_max_size=app.settings.max_message_size,
        ws_per_message_deflate=False,
        access_log=False,
        log_config=None,
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE,
    )
    server = Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        assert not serving.done(), serving.result()
        await asyncio.sleep(0.01)
    try:
        yield Live(app, server, serving, port)
    finally:
        server.should_exit = True
        await serving
