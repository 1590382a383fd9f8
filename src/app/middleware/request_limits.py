"""Refuses headers and bodies that are too large: a body by its declared length, or on its way."""

from itertools import chain

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.exception_handlers import problem
from app.exceptions import BadRequest, PayloadTooLarge

MAX_HEADERS = 64 * 1024  # bytes; the server itself has no limit


class RequestLimitsMiddleware:
    """`limit` is that of the largest body, in bytes; a route may have a smaller one of its own.

    Leaves in the request's state how many bytes are `declared`, if there is a body at all.
    """

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self.app = app
        self.limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        state = scope["state"]
        if sum(map(len, chain.from_iterable(scope["headers"]))) > MAX_HEADERS:
            refusal = BadRequest(f"The headers may hold at most {MAX_HEADERS} bytes")
            await problem(refusal, state["correlation_id"])(scope, receive, send)
            return
        declared = _declared(state["headers"])
        if declared is None:
            await self.app(scope, receive, send)
            return
        if not declared.isdigit() or int(declared[:20]) > self.limit:
            response = problem(PayloadTooLarge(self.limit), state["correlation_id"])
            await response(scope, receive, send)
            return
        state["declared"] = int(declared)
        received = 0

        async def receive_within_limit() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self.limit:
                raise PayloadTooLarge(self.limit)
            return message

        await self.app(scope, receive_within_limit, send)


def _declared(headers: dict[bytes, bytes]) -> bytes | None:
    """The length of the body that follows: 0 where it is not known, None without a body."""
    length = headers.get(b"content-length")
    if length is None and b"transfer-encoding" in headers:
        return b"0"
    return length
