"""Refuses too many requests of one address, and headers that are too large or contradictory.

And notes whether a body follows.
"""

from itertools import chain

import structlog
from starlette._utils import get_route_path
from starlette.types import ASGIApp, Receive, Scope, Send

from app.core.rate_limits import RateLimit, network_of
from app.exception_handlers import problem
from app.exceptions import AppError, BadRequest, RateLimited
from app.request_state import request_state

PEER = "plinth.peer"  # in the scope
MAX_HEAD = 64 * 1024  # bytes; the server in front may bound the line of the request too
PROBES = ("/health/live", "/health/ready")  # which an orchestrator asks, however often
MAX_DIGITS = 20  # of a Content-Length: more than any limit has

_log = structlog.get_logger(__name__)


class RequestLimitsMiddleware:
    """Leaves in the request's state how many bytes are `declared`, if there is a body at all.

    How many there may be is for the route to say, when it is known: see `dispatch`.
    """

    def __init__(self, app: ASGIApp, per_address: RateLimit) -> None:
        self.app = app
        self._per_address = per_address
        self._has_told = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        state = request_state(scope)
        client = scope.get("client")
        if not self._has_told and b"x-forwarded-for" in state.headers:
            self._tell_of_proxy(scope)
        # Nearly every path is told by its end; what comes before may be a prefix.
        is_probe = scope["path"].endswith(PROBES) and get_route_path(scope) in PROBES
        if client and not is_probe:
            try:
                self._per_address.require(network_of(client[0]))
            except RateLimited as refused:
                await problem(refused, state.correlation_id)(scope, receive, send)
                return
        if sum(map(len, chain.from_iterable(scope["headers"]))) > MAX_HEAD:
            error: AppError = BadRequest(f"The head of a request may hold at most {MAX_HEAD} bytes")
            await problem(error, state.correlation_id)(scope, receive, send)
            return
        if len(state.headers) < len(scope["headers"]) and _has_two_callers(scope):
            error = BadRequest("The request has more than one Authorization header")
            await problem(error, state.correlation_id)(scope, receive, send)
            return
        declared = _declared(state.headers)
        if declared is not None and not declared[:MAX_DIGITS].isdigit():
            error = BadRequest("The Content-Length is not a number")
            await problem(error, state.correlation_id)(scope, receive, send)
            return
        if declared is not None:
            state.declared = int(declared[:MAX_DIGITS])
        await self.app(scope, receive, send)

    def _tell_of_proxy(self, scope: Scope) -> None:
        """Log once that a proxy is not trusted: all who come by it seem to have its address."""
        client = scope.get("client")
        if client is not None and scope.get(PEER, client) is client:
            self._has_told = True
            _log.warning("forwarded_for_ignored", peer=client[0], trust="TRUSTED_PROXIES")


class RememberPeer:
    """ASGI middleware outside of what replaces a proxy's address by that of its client."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            scope[PEER] = scope.get("client")
        await self.app(scope, receive, send)


def _has_two_callers(scope: Scope) -> bool:
    """Of which a proxy may see one, and the application the other."""
    return [name for name, _ in scope["headers"]].count(b"authorization") > 1


def _declared(headers: dict[bytes, bytes]) -> bytes | None:
    """The length of the body that follows: 0 where it is not known, None without a body."""
    length = headers.get(b"content-length")
    if length is None and b"transfer-encoding" in headers:
        return b"0"
    return length
