"""WebSockets inside the same promises: who asks is known before the connection is accepted.

What the dependencies do to the database is one unit of work, which is committed when the endpoint
accepts. From then on each message takes a unit of its own.
"""

import asyncio
from contextlib import suppress
from enum import Enum, auto

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from app.config import Settings
from app.database.connections import Database
from app.database.unit_of_work import UnitOfWork
from app.dispatch.handshakes import read_bearer, require_origin, with_subprotocol
from app.dispatch.open_connections import (
    STALLED,
    Ending,
    OpenConnection,
    OpenConnections,
    cancel,
)
from app.exception_handlers import answer
from app.exceptions import Forbidden, ServiceUnavailable
from app.logging import mark_logged
from app.request_state import request_state

GOING_WELL, DEFECT = 1000, 1011  # RFC 6455, section 7.4.1
# An error after the handshake closes with 4000 and its HTTP status, which these have names for.
NAMED = {500: DEFECT, 503: 1013}
PATIENCE = 1.0  # seconds that an endpoint has to end by itself when the connection has


class Sockets:
    def __init__(
        self, database: Database, settings: Settings, connections: OpenConnections
    ) -> None:
        self._database = database
        self._settings = settings
        self._connections = connections

    async def serve(self, router: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        state = request_state(scope)
        deadline = asyncio.timeout(self._settings.request_timeout)
        work = state.work = UnitOfWork(self._database)
        socket = state.socket = Socket(
            scope, receive, send, work=work, deadline=deadline, connections=self._connections
        )
        socket.idle_limit = self._settings.websocket_idle
        try:
            require_origin(scope, self._settings.cors_origins)
        except Forbidden as error:
            await socket.refuse(error)
            return
        read_bearer(scope)
        try:
            async with deadline:
                await router(scope, socket.receive, socket.send)
            await socket.close(GOING_WELL)
        except TimeoutError:
            if not deadline.expired():  # it is the endpoint's own
                await socket.close(DEFECT)
                raise
            await socket.refuse(ServiceUnavailable())
        except Exception as error:
            if _is_disconnect(error):
                if socket.is_refused:
                    return
                mark_logged(error)  # clients may leave at any time
            else:
                await socket.close(DEFECT)
            raise
        finally:
            self._connections.leave(socket)
            socket.has_ended.set()
            await work.end()


class Phase(Enum):
    HANDSHAKE = auto()
    REFUSED = auto()
    ACCEPTED = auto()


class Socket(OpenConnection):
    """One WebSocket, and what passes through it in both directions."""

    def __init__(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        *,
        work: UnitOfWork,
        deadline: asyncio.Timeout,
        connections: OpenConnections,
    ) -> None:
        super().__init__(scope)
        self._receive = receive
        self._send = send
        self._work = work
        self._deadline = deadline
        self._connections = connections
        self._phase = Phase.HANDSHAKE
        self.has_ended = asyncio.Event()
        self.close_code: int | None = None
        self.received = self.sent = 0

    @property
    def is_refused(self) -> bool:
        return self._phase is Phase.REFUSED

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "websocket.receive":
            self.received += 1
            self.was_used = True
            self.moved_at = asyncio.get_running_loop().time()
        elif message["type"] == "websocket.disconnect" and self.close_code is None:
            self.close_code = message.get("code", 1005)
        return message

    async def send(self, message: Message) -> None:
        """What the endpoint sends; raises OSError when the connection has ended."""
        kind = message["type"]
        if self._phase is not Phase.ACCEPTED:
            await self._answer(kind, message)
        elif kind == "websocket.close":
            await self.close(message.get("code", GOING_WELL), message.get("reason"))
        elif kind == "websocket.http.response.start":  # what became of an error
            status = message["status"]
            await self.close(NAMED.get(status, 4000 + status))
        elif kind == "websocket.send":
            if self.close_code is not None:
                raise ConnectionAbortedError
            self.sent += 1
            await self.pass_on(self._send, message)

    async def close(self, code: int, reason: str | None = None) -> None:
        """Close what was accepted and is still open."""
        if self._phase is Phase.ACCEPTED and self.close_code is None:
            self.close_code = code
            with suppress(OSError):  # the client was faster
                await self._send({"type": "websocket.close", "code": code, "reason": reason or ""})

    async def refuse(self, error: Exception) -> None:
        """Answer a handshake that has no answer yet with the response to an error."""
        if self._phase is Phase.HANDSHAKE:
            self._phase = Phase.REFUSED
            connection = WebSocket(self.scope, self._receive, self._send)
            response = await answer(connection, error)
            await response(self.scope, self._receive, self._send)

    async def end(self, ending: Ending) -> None:
        with suppress(TimeoutError, RuntimeError):  # servers say that they have closed it already
            async with asyncio.timeout(PATIENCE):
                if ending is not STALLED:
                    await self.close(*ending)
                await self.has_ended.wait()
        if not self.has_ended.is_set():
            cancel(self._deadline)

    async def _answer(self, kind: str, message: Message) -> None:
        if kind == "websocket.accept":
            await self._accept(message)
        elif kind == "websocket.close" and not self._is_known:
            await self.refuse(HTTPException(404))
        else:
            self._phase = Phase.REFUSED
            await self._send(message)

    @property
    def _is_known(self) -> bool:
        """Whether there is such a path, as far as routers tell."""
        return request_state(self.scope).operation is not None or "endpoint" in self.scope

    async def _accept(self, message: Message) -> None:
        try:
            self._connections.enter(self)
            await self._work.commit()
        except Exception as error:
            await self._work.close()
            await self.refuse(error)
            raise WebSocketDisconnect(1006) from error
        following = [*self._work.after_commit]
        await self._work.end()
        self._phase = Phase.ACCEPTED
        self._deadline.reschedule(None)
        await self._send(with_subprotocol(self.scope, message))
        for follow in following:
            await follow()


def _is_disconnect(error: BaseException) -> bool:
    """Whether it only says that the client has gone, which is no defect."""
    if isinstance(error, BaseExceptionGroup):  # of an endpoint's task group
        return all(map(_is_disconnect, error.exceptions))
    return isinstance(error, WebSocketDisconnect)
