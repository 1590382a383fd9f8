"""Gives each request an id that its response, its errors and its log lines carry."""

import re
from os import urandom

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

ACCEPTED = re.compile(rb"[A-Za-z0-9._-]{8,64}")
RANDOM_BYTES = 16


class CorrelationIdMiddleware:
    """Leaves the id in the request's state; `response_headers` sends it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            correlation_id = _sent(scope) or urandom(RANDOM_BYTES).hex()
            scope.setdefault("state", {})["correlation_id"] = correlation_id
            # Each request is a task with a context of its own: nothing has to be taken back.
            structlog.contextvars.bind_contextvars(correlation_id=correlation_id)
        await self.app(scope, receive, send)


def _sent(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == b"x-correlation-id":
            return value.decode() if ACCEPTED.fullmatch(value) else None
    return None
