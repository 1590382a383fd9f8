"""Bodies that are large: from callers who are known alone, and only so many at once."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from starlette.requests import HTTPConnection

from app.database.connections import Database
from app.database.unit_of_work import UnitOfWork
from app.exceptions import ServiceUnavailable
from app.request_state import RequestState, request_state

LARGE = 64 * 1024  # bytes; a smaller body is kept at less cost than its caller is looked up

type Identify = Callable[[Any], Awaitable[Any]]


def identifying(calls: Iterable[Callable[..., Any]]) -> list[Identify]:
    """Those of a route's dependencies that tell who asks, from the request's head alone."""
    return [each for each in calls if getattr(each, "identifies", False)]


async def require_caller(
    connection: HTTPConnection, identify: Iterable[Identify], database: Database
) -> None:
    """Look a caller up before their large body is received; raises what the dependencies raise.

    It takes a unit of work of its own, which has ended when the client begins to send.
    """
    state = request_state(connection.scope)
    if not _is_large(state):
        return
    overrides = connection.scope["app"].dependency_overrides
    for each in identify:
        async with UnitOfWork(database) as state.work:
            await overrides.get(each, each)(connection)


def _is_large(state: RequestState) -> bool:
    if state.declared is None:
        return False
    return state.declared > LARGE or b"transfer-encoding" in state.headers


class BodyBudget:
    """The bytes of bodies that a process holds at once."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.held = 0

    def take(self, state: RequestState, size: int) -> None:
        """Count bytes of a request's body; raises ServiceUnavailable when they are too many."""
        if self.held + size > self._limit:
            raise ServiceUnavailable("Too much is being sent at once: try again shortly")
        self.held += size
        state.held += size

    def release(self, state: RequestState) -> None:
        self.held -= state.held
        state.held = 0
