"""WebSockets as uvicorn serves them, with refusals in our own shape.

It is uvicorn's sans-I/O implementation: the one that it chooses itself. The other one for the
`websockets` package rests on a part of it that is deprecated.
"""

from http import HTTPStatus
from typing import Any

from starlette.requests import HTTPConnection
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Response

from app.cli.protocols.refusals import drain, last_answer
from app.exception_handlers import problem, render
from app.exceptions import AppError, BadRequest, Forbidden
from app.middleware.correlation_id import new_correlation_id
from app.request_state import KEY, request_state

NO_HANDSHAKE = "This is not the handshake of a WebSocket (RFC 6455, section 4.1)"


class WebSocketProtocol(WebSocketsSansIOProtocol):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        setattr(self.conn, "reject", self._reject)  # noqa: B010 - a method, to the type checker

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.handshake_exc is not None and not self.handshake_initiated:
            # What was not even parsed: uvicorn answers nothing, and waits.
            output = b"".join(self.conn.data_to_send())
            refusal = self._reject(HTTPStatus.BAD_REQUEST, "")
            self.transport.write(output or refusal.serialize())
            self.handshake_complete = self.close_sent = True
            self.transport.close()

    async def send(self, message: Any) -> None:
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body"):
            self.handshake_complete = True  # or uvicorn logs that it was not

    def shutdown(self) -> None:
        drain(self.app_state)
        if self.handshake_complete:  # a handshake is answered like any other request
            super().shutdown()

    def _reject(self, status: HTTPStatus, _: str) -> Response:
        """A refusal in the shape of every error; the words that come with it repeat what was sent.

        403 is what a server makes of an endpoint that closes and did not accept, and 500 of one
        that failed.
        """
        error = AppError()
        if status == HTTPStatus.FORBIDDEN:
            error = Forbidden()
        elif status < HTTPStatus.INTERNAL_SERVER_ERROR:
            error = BadRequest(NO_HANDSHAKE)
        scope: Any = getattr(self, "scope", {})
        if KEY in scope:
            correlation_id = request_state(scope).correlation_id
            response = render(HTTPConnection(scope), error)
        else:
            correlation_id = new_correlation_id()
            response = problem(error, correlation_id)
        return last_answer(response, correlation_id, self.default_headers)
