"""Refuses headers and bodies that are too large: a body by its declared length, or on its way."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.exception_handlers import problem
from app.exceptions import BadRequest, PayloadTooLarge

MAX_HEADERS = 64 * 1024  # bytes; the server itself has no limit
DECLARING = {b"content-length", b"transfer-encoding"}


class RequestLimitsMiddleware:
    """`limit` is that of the largest body, in bytes; a route may have a smaller one of its own."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self.app = app
        self.limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if sum(len(name) + len(value) for name, value in scope["headers"]) > MAX_HEADERS:
            refusal = BadRequest(f"The headers may hold at most {MAX_HEADERS} bytes")
            await problem(refusal, scope["state"]["correlation_id"])(scope, receive, send)
            return
        headers = {name: value for name, value in scope["headers"] if name in DECLARING}
        if not headers:  # no body at all
            await self.app(scope, receive, send)
            return
        declared = headers.get(b"content-length", b"0")
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
