"""What stays open: WebSockets and streams, of which a process has so many, and which it ends."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from contextvars import Context
from typing import NamedTuple
from uuid import UUID

from starlette.types import Message, Scope, Send

from app.config import Settings
from app.database.connections import Database
from app.database.unit_of_work import UnitOfWork
from app.exceptions import RateLimited, ServiceUnavailable
from app.logging import log_defect
from app.request_state import request_state

SETTINGS = "plinth.settings"  # in the lifespan's state, for a server too
DRAIN = "plinth.drain"  # in the lifespan's state: what a server calls when it is to stop
UNREAD = 30.0  # seconds that a client may leave what is sent to it unread
RETRY_AFTER = 5  # seconds, for who has as many connections as they may

type Accepted = Callable[[UnitOfWork, Collection[bytes], Collection[bytes]], Awaitable[set[bytes]]]
"""Those of the credentials that a request could still come with.

The second ones belong to clients that have sent something since they were looked at before.
"""


class Ending(NamedTuple):
    """Why the server ends a connection: what a WebSocket is closed with."""

    code: int
    reason: str


REVOKED = Ending(4401, "The session has ended: sign in again")
DRAINING = Ending(1012, "The server restarts: connect again")
IDLE = Ending(4408, "Nothing was sent for too long")
STALLED = Ending(4408, "What was sent was not read")


class OpenConnection(ABC):
    """One of them. A live one waits for what happens, so that it does not end by itself.

    Any other is an ordinary answer, and counts when it takes longer than a request may.
    """

    holder: UUID | str | None = None
    credential: bytes | None = None
    was_used = False  # the client has sent something
    idle_limit: float | None = None  # seconds without a message
    is_live = True

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.ending: Ending | None = None
        self.counts_from = self.moved_at = asyncio.get_running_loop().time()
        self._sending_since: float | None = None

    async def pass_on(self, send: Send, message: Message) -> None:
        """Send a message of the endpoint's."""
        loop = asyncio.get_running_loop()
        self._sending_since = loop.time()
        await send(message)
        self._sending_since = None
        self.moved_at = loop.time()

    def overdue(self, now: float) -> Ending | None:
        """Why it has to end by now, if so."""
        if self._sending_since is not None and now - self._sending_since > UNREAD:
            return STALLED
        if self.idle_limit is not None and now - self.moved_at > self.idle_limit:
            return IDLE
        return None

    @abstractmethod
    async def end(self, ending: Ending) -> None:
        """Have the endpoint end. Raises nothing."""


class OpenConnections:
    """Those of one process.

    While there are any, one task asks every few seconds whether their sessions are still alive:
    one statement for all of them.
    """

    def __init__(self, database: Database, settings: Settings, accepted: Accepted) -> None:
        self._database = database
        self._request_timeout = settings.request_timeout
        self._interval = settings.session_check_interval
        self._limit = settings.max_open_connections
        self._limit_per_user = settings.max_open_connections_per_user
        self._accepted = accepted
        self._open: set[OpenConnection] = set()
        self._watcher: asyncio.Task[None] | None = None
        self._endings: set[asyncio.Task[None]] = set()
        self._is_draining = False

    def __len__(self) -> int:
        return len(self._open)

    def enter(self, connection: OpenConnection) -> None:
        """Count a connection from here on; who holds it is known by now.

        Raises RateLimited for who holds as many as they may, and ServiceUnavailable where the
        process does, or is about to end.
        """
        state = request_state(connection.scope)
        client = connection.scope.get("client")
        connection.holder = state.user_id or (client[0] if client else None)
        connection.credential = state.credential
        now = asyncio.get_running_loop().time()
        counted = [each for each in self._open if each.counts_from <= now]
        if self._is_draining or len(counted) >= self._limit:
            raise ServiceUnavailable
        limit = self._limit_per_user
        if sum(each.holder == connection.holder for each in counted) >= limit:
            raise RateLimited(RETRY_AFTER, f"At most {limit} connections may stay open at once")
        if not connection.is_live:
            connection.counts_from += self._request_timeout
        self._open.add(connection)
        if self._watcher is None or self._watcher.done():
            # In a context of its own: what it logs belongs to no request.
            self._watcher = asyncio.create_task(self._watch(), context=Context())

    def leave(self, connection: OpenConnection) -> None:
        self._open.discard(connection)
        if not self._open and self._watcher is not None:
            self._watcher.cancel()
            self._watcher = None

    def drain(self) -> None:
        """End what would never end by itself, and let nothing more in: the process is to stop."""
        self._is_draining = True
        for each in [*self._open]:
            if each.is_live:
                self._end(each, DRAINING)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._interval)
            try:
                self._end_overdue()
                await self._end_revoked()
            except ServiceUnavailable:
                pass  # nobody can know now: the next look will tell
            except Exception as error:  # noqa: BLE001 - the next look may go well
                log_defect("open_connections_unwatched", error)

    def _end_overdue(self) -> None:
        now = asyncio.get_running_loop().time()
        for each in [*self._open]:
            if ending := each.overdue(now):
                self._end(each, ending)

    async def _end_revoked(self) -> None:
        watched = {each: each.credential for each in self._open if each.credential is not None}
        if not watched:
            return
        used = {each: credential for each, credential in watched.items() if each.was_used}
        for each in used:  # before the question, since a message may come while it is asked
            each.was_used = False
        try:
            async with UnitOfWork(self._database) as work:
                accepted = await self._accepted(work, {*watched.values()}, {*used.values()})
        except BaseException:
            for each in used:
                each.was_used = True  # the next look tells it
            raise
        for each, credential in watched.items():
            if credential not in accepted:
                self._end(each, REVOKED)

    def _end(self, connection: OpenConnection, ending: Ending) -> None:
        if connection.ending is not None or connection not in self._open:
            return
        connection.ending = ending
        task = asyncio.create_task(connection.end(ending), context=Context())
        self._endings.add(task)
        task.add_done_callback(self._endings.discard)


def cancel(scope: asyncio.Timeout) -> None:
    """Have what runs in it end, as if its time were up."""
    with suppress(RuntimeError):  # it has ended, or its time is up
        scope.reschedule(0)
