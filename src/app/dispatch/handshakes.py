"""What a WebSocket's handshake has that no other request has: a check of its origin, and a token.

Browsers let a page of any origin open a WebSocket, and let none of them set a header.
"""

from collections.abc import Sequence

from starlette.types import Message, Scope

from app.exceptions import Forbidden
from app.request_state import request_state

SUBPROTOCOL = "plinth"
BEARER = f"{SUBPROTOCOL}.bearer."
DEFAULT_PORTS = {"http": "80", "https": "443"}


def require_origin(scope: Scope, allowed: Sequence[str]) -> None:
    """Raises Forbidden for a page of another origin than the server's own and the allowed ones.

    Programs other than browsers send none.
    """
    headers = request_state(scope).headers
    origin = headers.get(b"origin", b"").decode("latin-1").lower()
    if not origin or origin in allowed or "*" in allowed:
        return
    scheme, _, authority = origin.partition("://")
    port = DEFAULT_PORTS.get(scheme)
    host = headers.get(b"host", b"").decode("latin-1").lower()
    if port is None or host not in {authority, f"{authority}:{port}"}:
        raise Forbidden("This origin is not one of CORS_ORIGINS")


def read_bearer(scope: Scope) -> None:
    """Make of the sub-protocol `plinth.bearer.<token>` what it stands for: an Authorization header.

    Nobody sees the sub-protocol then, so that nobody chooses it and sends the token back.
    """
    offered: list[str] = scope.get("subprotocols") or []
    tokens = [each.removeprefix(BEARER) for each in offered if each.startswith(BEARER)]
    if not tokens:
        return
    scope["subprotocols"] = rest = [each for each in offered if not each.startswith(BEARER)]
    state = request_state(scope)
    headers = [pair for pair in scope["headers"] if pair[0] != b"sec-websocket-protocol"]
    if rest:
        headers.append((b"sec-websocket-protocol", ", ".join(rest).encode("latin-1")))
    if b"authorization" not in state.headers:
        state.headers[b"authorization"] = b"Bearer " + tokens[0].encode("latin-1")
        headers.append((b"authorization", state.headers[b"authorization"]))
    scope["headers"] = headers


def with_subprotocol(scope: Scope, accept: Message) -> Message:
    """Choose ours if the endpoint has chosen none: browsers give up where none is chosen."""
    if accept.get("subprotocol") or SUBPROTOCOL not in scope.get("subprotocols", ()):
        return accept
    return {**accept, "subprotocol": SUBPROTOCOL}
