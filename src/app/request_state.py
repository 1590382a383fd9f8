"""What travels with a request besides its bytes."""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from uuid import UUID

from starlette.types import Scope

if TYPE_CHECKING:
    from asyncio import Event

    from app.database.unit_of_work import UnitOfWork
    from app.dispatch.operation import Operation
    from app.dispatch.sockets import Socket
    from app.idempotency.dependencies import Claim

KEY = "plinth"

type HeaderPairs = list[tuple[bytes, bytes]]


@dataclass(slots=True)
class RequestState:
    """Kept in the scope, so that middleware, dependencies and error handlers share it.

    Each field names who writes it, and who reads it.
    """

    # The correlation id's middleware → errors, log lines, the answer's header.
    correlation_id: str
    # The same → all: by name in lower case; of one that was sent twice, the first.
    headers: dict[bytes, bytes]
    # The limits' middleware → the engine: Content-Length, 0 if unknown, None without a body.
    declared: int | None = None
    # The engine → itself, at the end: how many bytes of the body it keeps.
    held: int = 0
    # The response headers' middleware → the access log.
    status: int | None = None
    # The routing table → the engine, the access log and strict parameters.
    operation: Operation | None = None
    # The engine → `Work` and `SessionDep`, the access log.
    work: UnitOfWork | None = None
    # The engine → idempotency keys, which are bound to the body; None if nobody has read it.
    body: bytes | None = None
    # The authentication → idempotency keys, cursors, open connections, the access log.
    user_id: UUID | None = None
    # The authentication → whoever records what a session did.
    session: Any = None
    # The authentication → open connections, which end when it is not accepted any more.
    credential: bytes | None = None
    # The engine → an endpoint that yields, which begins when the head of the answer is sent.
    begun: Event | None = None
    # The endpoint → the engine, which closes it at the end: what it streams.
    body_iterator: Any = None
    # The engine → the access log: what passed through a WebSocket.
    socket: Socket | None = None
    # Idempotency keys → the engine, which stores the answer under the claimed key.
    claim: Claim | None = None
    # What an endpoint's result adds → the engine: Link, ETag, Location.
    answer_headers: Sequence[tuple[bytes, bytes]] = ()


def first_of_each(scope: Scope) -> dict[bytes, bytes]:
    """The request's headers by name; of one that was sent twice, the first."""
    return dict(reversed(scope["headers"]))


def request_state(scope: Scope) -> RequestState:
    """Raises KeyError outside of our application, which has middleware that makes one."""
    state: RequestState = scope[KEY]
    return state


def client_address(scope: Scope) -> str | None:
    """Where the request comes from, as far as it can be known."""
    client = scope.get("client")
    return _address(client[0]) if client else None


@lru_cache(1024)
def _address(host: str) -> str | None:
    try:
        # Without the zone, which may be any text: fe80::1%eth0 (RFC 4007).
        return str(ip_address(host.partition("%")[0]))
    except ValueError:  # what a trusted proxy forwarded is no address
        return None


correlation_id_of_context: ContextVar[str] = ContextVar("correlation_id")
"""That of the request whose task this is, for log lines."""
