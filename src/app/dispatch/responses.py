"""What the fast way answers with, and how that is sent."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Send

from app.exception_handlers import answer
from app.request_state import HeaderPairs

BODILESS = {204, 205, 304}
SIZE = {b"content-length", b"content-type"}


class BytesResponse(Response):
    """JSON that is bytes already, or no body at all, with headers as they are sent."""

    def __init__(self, content: bytes | None, status: int, headers: HeaderPairs) -> None:
        self.status_code = status
        self.body = content or b""
        self.background = None
        self.raw_headers = headers
        if content is not None:
            headers.append((b"content-type", b"application/json"))
            headers.append((b"content-length", b"%d" % len(content)))


async def answer_once_more(request: Request, error: Exception) -> Response:
    """What a handler itself raises is answered too, as by FastAPI's outer middleware."""
    try:
        return await answer(request, error)
    except Exception as other:
        if other is error:  # for which there is no handler
            raise
        return await answer(request, other)


async def send_response(response: Response, request: Request, send: Send) -> None:
    """An error before the first byte, as of a file that is not there, is answered like others."""
    started = False

    async def note(message: Message) -> None:
        nonlocal started
        started = True
        await send(message)

    try:
        await response(request.scope, request.receive, note)
    except Exception as error:
        if started:
            raise
        other = await answer_once_more(request, error)
        await other(request.scope, request.receive, send)
