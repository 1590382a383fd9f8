"""What the server answers in place of the application, in the shape of every error."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

import starlette.responses
from websockets.datastructures import Headers
from websockets.http11 import Response

from app.dispatch.open_connections import DRAIN
from app.middleware.response_headers import HEADERS


def last_answer(
    response: starlette.responses.Response,
    correlation_id: str,
    default_headers: Iterable[tuple[bytes, bytes]],
) -> Response:
    """As it is sent, after which the connection is closed."""
    headers = [*default_headers, *response.raw_headers, *HEADERS]
    headers.append((b"connection", b"close"))
    headers.append((b"x-correlation-id", correlation_id.encode()))
    return Response(
        response.status_code,
        HTTPStatus(response.status_code).phrase,
        Headers((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers),
        bytes(response.body),
    )


def drain(state: dict[str, Any]) -> None:
    """Tell the application, once for each open connection, that the server is to stop."""
    if told := state.get(DRAIN):
        told()
