"""Answers what nothing else has a handler for, and raises it once more.

So a server can log it and a test client can show it, as they do for any application.
"""

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.exception_handlers import run_handler
from app.logging import log_defect
from app.request_state import request_state


class DefectsMiddleware:
    """Within CORS, so that a browser may read the answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.app(scope, receive, send)
        except Exception as error:
            if scope["type"] == "http" and request_state(scope).status is None:
                handlers = scope["app"].exception_handlers
                handler = handlers.get(500) or handlers.get(Exception) or _usual_answer
                response = await run_handler(handler, Request(scope), error)
                log_defect("unhandled_exception", error)
                await response(scope, receive, send)
            elif scope["type"] != "lifespan":
                log_defect("failed_after_the_answer", error)
            raise


def _usual_answer(_: Request, __: Exception) -> Response:
    return PlainTextResponse("Internal Server Error", status_code=500)
