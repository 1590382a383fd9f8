"""One request's messages on FastAPI's own way: what is committed, sent, held back or ended."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import NoReturn

from starlette.requests import HTTPConnection, Request
from starlette.types import Message, Receive, Scope, Send

from app.database.connections import Database
from app.dispatch.json_body import body_again, receive_body, require_strict_json
from app.dispatch.large_bodies import BodyBudget, require_caller
from app.dispatch.open_connections import OpenConnections, cancel
from app.dispatch.operation import BODY_DEADLINE, Operation
from app.dispatch.resources import is_unchanged
from app.dispatch.run_once import store
from app.dispatch.streams import (
    Headers,
    Stream,
    close,
    is_broken,
    is_endless,
    not_repeatable,
)
from app.exception_handlers import answer
from app.exceptions import AppError, BadRequest, PayloadTooLarge, ServiceUnavailable
from app.request_state import request_state

# Bytes that a form keeps of a file in memory; the rest is in a file, or the endpoint's to take.
SPOOLED = 1024 * 1024


class Exchange:
    """One request's messages, in both directions; `limit` is that of its body, in bytes."""

    def __init__(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        *,
        database: Database,
        deadline: asyncio.Timeout,
        limit: int,
        connections: OpenConnections,
    ) -> None:
        state = request_state(scope)
        assert state.work is not None
        self._scope = scope
        self._database = database
        self._receive = receive
        self._send = send
        self._state = state
        state.begun = asyncio.Event()
        self._work = state.work
        self._deadline = deadline
        self._limit = limit
        self._budget: BodyBudget = scope["app"].body_budget
        self._received = 0
        self._body_ended = state.declared is None
        self._held: Message | None = None  # the head of an answer that is to be stored
        self._held_body = b""
        self._connections = connections
        self._stream: Stream | None = None
        self.is_head = False
        self._has_gone = False
        self._is_over = False  # the answer is complete, whatever FastAPI still has to send
        self.started = False
        self.after_commit: list[Callable[[], Awaitable[None]]] = []

    async def prepare(self, operation: Operation | None) -> None:
        """Read what must be known before FastAPI begins; raises AppError."""
        state = self._state
        if state.declared is None:
            return
        if state.declared > self._limit:
            raise PayloadTooLarge(self._limit)
        if operation is None:
            return
        await require_caller(HTTPConnection(self._scope), operation.identify, self._database)
        state.work = self._work
        keyed = operation.is_repeatable and b"idempotency-key" in state.headers
        strict_json = operation.is_strict and operation.route.body is not None
        if not (keyed or strict_json):
            return
        body = await receive_body(self.receive, state, self._limit, self._budget)
        if strict_json:
            require_strict_json(state.headers.get(b"content-type", b""), body)
        state.body = body
        self._receive = body_again(body, self._receive)

    async def receive(self) -> Message:
        """A client's time to send its body does not count as the request's."""
        if self._body_ended:
            message = await self._receive()
            self._has_gone = message["type"] == "http.disconnect"
            return message
        loop = asyncio.get_running_loop()
        left = (self._deadline.when() or loop.time()) - loop.time()
        self._deadline.reschedule(None)
        patience = asyncio.timeout(BODY_DEADLINE)
        message: Message = {}
        try:
            async with patience:
                message = await self._receive()
        except TimeoutError:
            if not patience.expired():
                raise
            await self._answer_instead(BadRequest("The body did not arrive in time"))
        if not self.started:
            self._deadline.reschedule(loop.time() + left)
        self._received += len(message.get("body", b""))
        if self._received > self._limit:
            await self._answer_instead(PayloadTooLarge(self._limit))
        if (more := min(self._received, SPOOLED) - self._state.held) > 0:
            try:
                self._budget.take(self._state, more)
            except ServiceUnavailable as error:
                await self._answer_instead(error)
        self._body_ended = not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        if self._is_over:
            await self._stop()
        if message["type"] == "http.response.start":
            await self._start(message)
        elif message["type"] == "http.response.body":
            await self._continue(message)
        else:
            await self._send(message)

    async def finish(self, error: Exception) -> bool:
        """Send what is still to be sent when FastAPI ended with an error; False if that is all."""
        if self._stream is not None and self._stream.ending is not None:
            await self._stream.finish(self._send)
        elif self.started:
            return self._is_over or (self._has_gone and is_broken(error))
        elif isinstance(error, TimeoutError) and self._deadline.expired():
            await self._send_error(ServiceUnavailable())
        elif isinstance(error, AppError):  # of what is looked at before FastAPI is asked
            await self._send_error(error)
        else:
            return False
        return True

    async def end(self) -> None:
        if self._stream is not None:
            self._connections.leave(self._stream)
        self._budget.release(self._state)
        try:
            await close(self._state.body_iterator)
        finally:
            await self._work.end()

    async def _start(self, message: Message) -> None:
        endless = is_endless(message["status"], message["headers"])
        if self._state.claim is not None:
            if endless:
                await self._answer_instead(not_repeatable())
            self._held = message  # its body belongs to what is stored, before COMMIT
            return
        if endless and not self.is_head:
            await self._count_stream(message["headers"])
        await self._commit(message["status"])
        await self._send_head(message)
        if endless and self.is_head:  # its body would be made for nobody
            await self._send({"type": "http.response.body", "body": b""})
            await self._stop()
        await self._work.begin_streaming()
        assert self._state.begun is not None
        self._state.begun.set()

    async def _count_stream(self, headers: Headers) -> None:
        stream = Stream(self._scope, headers, self._deadline)
        try:
            self._connections.enter(stream)
        except AppError as error:
            await self._answer_instead(error)
        self._stream, self._send = stream, partial(stream.pass_on, self._send)

    async def _continue(self, message: Message) -> None:
        more = message.get("more_body", False)
        if self._held is not None:
            self._held_body += message.get("body", b"")
            if more:
                return
            await self._store(self._held)
            message = {"type": "http.response.body", "body": self._held_body}
        await self._send(message)
        if not more:
            await self._work.end()

    async def _send_head(self, message: Message) -> None:
        added = [*self._state.answer_headers]
        headers = [*message["headers"], *added]
        unchanged = message["status"] == 200 and is_unchanged(self._scope, self._state, added)
        if unchanged:
            message = {**message, "status": 304, "headers": added}
        elif self._state.answer_headers:
            message = {**message, "headers": headers}
        self.started = True
        self._deadline.reschedule(None)  # from here on it is the client's time
        await self._send(message)
        if unchanged:
            await self._send({"type": "http.response.body", "body": b""})
            await self._stop()

    async def _commit(self, status: int) -> None:
        try:
            if status >= 400:
                await self._work.rollback()
            await self._work.commit()
        except Exception as error:  # noqa: BLE001 - each becomes the response it stands for
            await self._answer_instead(error)
        self.after_commit = [*self._work.after_commit]

    async def _store(self, head: Message) -> None:
        """Keep the answer under its idempotency key, in the transaction of what it did."""
        state = self._state
        headers = [*head["headers"], *state.answer_headers]
        try:
            if head["status"] >= 400:
                await self._work.rollback()  # to where the key was claimed
            await store(self._work, state, head["status"], headers, self._held_body)
            await self._work.commit()
        except Exception as error:  # noqa: BLE001 - as above
            await self._answer_instead(error)
        self.after_commit = [*self._work.after_commit]
        self._held = None
        await self._send_head(head)

    async def _answer_instead(self, error: Exception) -> NoReturn:
        """Answer with the error, whatever FastAPI was about to."""
        if self.started:
            raise error
        await self._work.close()
        self.started = True
        self._deadline.reschedule(None)
        await self._send_error(error)
        await self._stop()

    async def _send_error(self, error: Exception) -> None:
        response = await answer(Request(self._scope), error)
        await response(self._scope, self._receive, self._send)

    async def _stop(self) -> NoReturn:
        """End what FastAPI still runs for a request that is answered.

        It is cancelled: an exception would be caught on its way, or come out in a group.
        """
        self._is_over = True
        if not self._deadline.expired():
            cancel(self._deadline)
            await asyncio.get_running_loop().create_future()
        raise TimeoutError  # it was cancelled before, and has caught that
