"""The process that `app dev` starts anew after each change.

What a change may break is imported late. While it does not start, each request gets the reason.
"""

import json
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Awaitable, Callable, MutableMapping
from datetime import UTC, datetime
from importlib import import_module
from socket import socket
from typing import Any
from uuid import uuid4

from uvicorn import Config, Server

from app.one_line import one_line

type Message = MutableMapping[str, Any]
type Receive = Callable[[], Awaitable[Message]]
type Send = Callable[[Message], Awaitable[None]]


def run(parent: int, options: dict[str, Any], sockets: list[socket]) -> None:
    """Serve until the end of the parent, even of a killed one."""
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    app, server = None, None
    try:
        app = Remembering(import_module("app.cli.dev_app").dev_app())
        server = Server(Config(app, **options))
        server.run(sockets)
    except (Exception, SystemExit) as error:
        if server and server.started:
            raise
        if app and app.error:  # whose traceback the server has printed
            reason = one_line(app.error)
        else:
            reason = one_line(error)
            if not getattr(error, "explains_itself", False) or error.__cause__:
                traceback.print_exception(error)
        stopped = Stopped(f"The application does not start: {reason}")
        print(stopped.detail, file=sys.stderr, flush=True)
        plain: dict[str, Any] = {"http": "auto", "ws": "none", "lifespan": "off"}
        Server(Config(stopped, **options | plain)).run(sockets)


class Remembering:
    """The application, and the error that ended its lifespan, of which a server only tells that."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.error: BaseException | None = None

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        try:
            await self.app(scope, receive, send)
        except BaseException as error:
            if scope["type"] == "lifespan":
                self.error = error
            raise


class Stopped:
    """In place of the application: a 503 with the reason, in the shape of every error."""

    def __init__(self, detail: str) -> None:
        self.detail = detail

    async def __call__(self, _scope: Message, _receive: Receive, send: Send) -> None:
        correlation_id = uuid4().hex
        problem = {
            "type": "about:blank",
            "title": "Service Unavailable",
            "status": 503,
            "detail": self.detail,
            "error_code": "SERVICE_UNAVAILABLE",
            "correlation_id": correlation_id,
            "timestamp": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        }
        body = json.dumps(problem).encode()
        headers = {
            "content-type": "application/problem+json",
            "content-length": str(len(body)),
            "cache-control": "no-store",
            "retry-after": "1",
            "x-correlation-id": correlation_id,
        }
        pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": 503, "headers": pairs})
        await send({"type": "http.response.body", "body": body})


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os.kill(os.getpid(), signal.SIGKILL)
