"""HTTP as uvicorn serves it, within bounds that it has not."""

from asyncio import TimerHandle, Transport
from collections.abc import Callable
from ipaddress import ip_address, ip_network
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.cli.protocols.open_files import connections_allowed
from app.cli.protocols.refusals import drain, last_answer
from app.config import Settings
from app.dispatch.open_connections import SETTINGS
from app.exception_handlers import problem
from app.exceptions import AppError, BadRequest, ServiceUnavailable
from app.middleware.correlation_id import new_correlation_id
from app.middleware.request_limits import MAX_HEAD

HEAD_TIME = 10.0  # seconds that a request's line and headers may take
LINGER = 5.0  # seconds for what is left of a body whose request was answered without it


class HttpProtocol(HttpToolsProtocol):
    """Bounds what a client may have the server hold before the application is asked.

    These are the bytes of a request's line and headers, the time until they are there, and the
    connections, of one address and in all.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._timer: TimerHandle | None = None
        self._in_head = True
        self._head = 0  # bytes that have arrived of it

    def connection_made(self, transport: Transport) -> None:
        super().connection_made(transport)
        if self._is_too_many():
            self._refuse(ServiceUnavailable("There are too many connections"))
        else:
            self._wait(HEAD_TIME, self._end_head)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        if self._in_head:
            self._head += len(data)
        super().data_received(data)
        if self._in_head and self._head > MAX_HEAD:
            self._refuse(BadRequest(f"The head of a request may hold at most {MAX_HEAD} bytes"))

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self._timer is None:  # not the first request of its connection
            self._in_head, self._head = True, 0
            self._wait(HEAD_TIME, self._end_head)

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._stop_waiting()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        if self._timer is not None:  # the rest of a body, after the answer
            self._stop_waiting()
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.cycle.more_body and not self.transport.is_closing():
            self._unset_keepalive_if_required()
            self._wait(LINGER, self.transport.close)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - in our own words
        self._refuse(BadRequest("The request is not HTTP/1.1"))

    def shutdown(self) -> None:
        drain(self.app_state)
        super().shutdown()

    def _wait(self, seconds: float, end: Callable[[], None]) -> None:
        self._timer = self.loop.call_later(seconds, end)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _end_head(self) -> None:
        if self._is_answering():  # an earlier request: the client need not hurry
            self._wait(HEAD_TIME, self._end_head)
        elif self.scope:  # something of a request is there
            self._refuse(BadRequest("The head of the request did not arrive in time"))
        else:
            self.transport.close()

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _is_too_many(self) -> bool:
        settings: Settings = self.app_state[SETTINGS]
        if len(self.connections) > min(settings.max_connections, connections_allowed()):
            return True
        many = settings.max_connections_per_address
        if len(self.connections) <= many:
            return False
        address = _address(self)
        of_address = sum(_address(each) == address for each in self.connections)
        return of_address > many and not _is_proxy(address, settings)

    def _refuse(self, error: AppError) -> None:
        """Close, with an answer in place of the application unless one is under way."""
        self._stop_waiting()
        if not self._is_answering():
            correlation_id = new_correlation_id()
            response = problem(error, correlation_id)
            answer = last_answer(response, correlation_id, self.server_state.default_headers)
            self.transport.write(answer.serialize())
        self.transport.close()


def _address(protocol: Any) -> str:
    """Of a socket in the file system, which has none, it is empty."""
    return protocol.client[0] if protocol.client else ""


def _is_proxy(address: str, settings: Settings) -> bool:
    """Whether it is one whose clients are many; those of a socket all are."""
    return not address or any(
        ip_address(address) in ip_network(each) for each in settings.trusted_proxies
    )
