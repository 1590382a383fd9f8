"""Responses of which nobody knows when they begin how long they will be."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing, suppress
from functools import wraps
from inspect import isasyncgen, iscoroutinefunction, isgenerator
from typing import Any

import structlog
from anyio import BrokenResourceError
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.responses import FileResponse, Response
from starlette.types import Message, Receive, Scope, Send

from app.database.unit_of_work import UnitOfWork
from app.dispatch.open_connections import (
    STALLED,
    Ending,
    OpenConnection,
    OpenConnections,
    cancel,
)
from app.dispatch.resources import scope_of_context
from app.exceptions import Invalid
from app.logging import mark_logged
from app.request_state import RequestState, request_state

EVENT_STREAM = b"text/event-stream"
BODILESS = {204, 205}
LAST_WORD = 1.0  # seconds that a client has to take the end of a stream
NOT_REPEATABLE = "The answer is a stream, which cannot be repeated: send no Idempotency-Key"

type Headers = Sequence[tuple[bytes, bytes]]
type Endpoint = Callable[..., Any]

_log = structlog.get_logger(__name__)


def is_endless(status: int, headers: Headers) -> bool:
    """Whether the head of a response says nothing of where its body ends."""
    if not 200 <= status < 300 or status in BODILESS:
        return False
    return all(name != b"content-length" for name, _ in headers)


def is_stream(response: Response) -> bool:
    """The same of a response that is still to be sent."""
    if hasattr(response, "body") or isinstance(response, FileResponse):
        return False
    return is_endless(response.status_code, response.raw_headers)


def not_repeatable() -> Invalid:
    return Invalid(NOT_REPEATABLE)


def closing(endpoint: Endpoint) -> Endpoint:
    """The endpoint for FastAPI's handler: what it streams is closed when the request ends.

    A generator would otherwise wait for the garbage collection, with all that it holds. And one
    that yields events would begin before the COMMIT, beside which it cannot ask the database.
    """

    def keep(result: Any) -> Any:
        state = request_state(scope_of_context.get())
        if isasyncgen(result):
            result = _begun(state, result)
        body = getattr(result, "body_iterator", result)
        if isgenerator(body) or isasyncgen(body):
            state.body_iterator = body
        return result

    @wraps(endpoint)
    async def run(**arguments: Any) -> Any:
        return keep(await endpoint(**arguments))

    @wraps(endpoint)
    def run_in_thread(**arguments: Any) -> Any:
        return keep(endpoint(**arguments))

    return run if iscoroutinefunction(endpoint) else run_in_thread


async def _begun(state: RequestState, items: Any) -> AsyncGenerator[Any]:
    async with aclosing(items):
        assert state.begun is not None
        await state.begun.wait()
        async for item in items:
            yield item


def is_broken(error: BaseException) -> bool:
    """Whether it only says that a stream's reader has left, as FastAPI's own may."""
    if isinstance(error, BaseExceptionGroup):
        return all(map(is_broken, error.exceptions))
    return isinstance(error, BrokenResourceError | ClientDisconnect)


async def close(body: Any) -> None:
    if isasyncgen(body):
        await body.aclose()
    elif isgenerator(body):
        await run_in_threadpool(body.close)


class Stream(OpenConnection):
    """The body of a response, which is sent within the scope `until`. One of events is live."""

    def __init__(self, scope: Scope, headers: Headers, until: asyncio.Timeout) -> None:
        super().__init__(scope)
        self._until = until
        self.is_live = dict(headers).get(b"content-type", b"").startswith(EVENT_STREAM)
        self._is_whole = False

    async def pass_on(self, send: Send, message: Message) -> None:
        await super().pass_on(send, message)
        await asyncio.sleep(0)  # whoever yields without a pause would keep all others waiting
        if message["type"] == "http.response.body" and not message.get("more_body"):
            self._is_whole = True  # what follows the answer is not its stream any more

    async def end(self, ending: Ending) -> None:  # noqa: ARG002 - a response cannot say why
        if not self._is_whole:
            cancel(self._until)

    async def finish(self, send: Send) -> None:
        """End the body of a response whose endpoint was ended.

        One of events may end anywhere. Any other breaks off, or the client would take it for whole.
        """
        assert self.ending is not None
        if self._is_whole:
            return
        if self.is_live and self.ending is not STALLED:
            with suppress(TimeoutError):
                async with asyncio.timeout(LAST_WORD):
                    await send({"type": "http.response.body", "body": b""})
                    return
        _log.warning("stream_broken_off", reason=self.ending.reason)
        raise mark_logged(ConnectionAbortedError(self.ending.reason))


class StreamedResponse(Response):
    """What the fast way sends for a stream: the endpoint's own response, until it is ended.

    Raises what `OpenConnections.enter` does.
    """

    def __init__(
        self, response: Response, scope: Scope, work: UnitOfWork, connections: OpenConnections
    ) -> None:
        self.status_code = response.status_code
        self.raw_headers = response.raw_headers
        self.background = None
        self._response = response
        self._work = work
        self._connections = connections
        self._until = asyncio.timeout(None)
        self._stream = Stream(scope, response.raw_headers, self._until)
        connections.enter(self._stream)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_on(message: Message) -> None:
            await self._stream.pass_on(send, message)

        try:
            async with self._until:
                await self._response(scope, receive, send_on)
        except Exception:
            if self._stream.ending is None:
                raise
            await self._stream.finish(send)
        finally:
            self.leave()
            try:
                await close(getattr(self._response, "body_iterator", None))
            finally:
                await self._work.end()
        if self.background is not None:
            await self.background()

    def leave(self) -> None:
        self._connections.leave(self._stream)
