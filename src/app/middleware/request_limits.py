"""Refuses headers and bodies that are too large: a body by its declared length, or on its way."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.exception_handlers import problem
from app.exceptions import BadRequest, PayloadTooLarge

MAX_HEADERS = 64 * 1024  # bytes; the server itself has no limit


class RequestLimitsMiddleware:
    """`limit` is that of the largest body, in bytes; a route may have a smaller one of its own."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self.app = app
        self.limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        size, declared = 0, None
        for name, value in scope["headers"]:
            size += len(name) + len(value)
            if name == b"content-length":
                declared = value
            elif name == b"transfer-encoding" and declared is None:
                declared = b"0"
        if size > MAX_HEADERS:
            refusal = BadRequest(f"The headers may hold at most {MAX_HEADERS} bytes")
            await problem(refusal, scope["state"]["correlation_id"])(scope, receive, send)
            return
        if declared is None:  # no body at all
            await self.app(scope, receive, send)
            return
        if not declared.isdigit() or int(declared[:20]) > self.limit:
            response = problem(PayloadTooLarge(self.limit), scope["state"]["correlation_id"])
            await response(scope, receive, send)
            return
        scope["state"]["declared"] = int(declared)
        received = 0

        async def receive_within_limit() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self.limit:
                raise PayloadTooLarge(self.limit)
            return message

        await self.app(scope, receive_within_limit, send)
