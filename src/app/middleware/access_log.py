"""One line for each request: what was asked, what came of it, and what it cost."""

from time import perf_counter

import structlog
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.exception_handlers import on_defect
from app.logging import log_request

_log = structlog.get_logger(__name__)


class AccessLogMiddleware:
    """Outside of all that may fail: nothing that is raised gets past it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = perf_counter()
        written = False

        async def send_and_log(message: Message) -> None:
            nonlocal written
            await send(message)
            if message["type"] == "http.response.body" and not message.get("more_body"):
                written = True  # now: for what follows the answer, nobody waits
                _write(scope, started)

        try:
            await self.app(scope, receive, send_and_log)
        except Exception as error:  # noqa: BLE001 - the last place that can still answer
            if "status" in scope["state"]:
                _log.error("failed_after_the_answer", exc_info=error)
            else:
                response = await on_defect(Request(scope), error)
                await response(scope, receive, send_and_log)
        finally:
            if not written:  # the client has gone, or the answer broke off
                _write(scope, started)


def _write(scope: Scope, started: float) -> None:
    state = scope["state"]
    work = state.get("work")
    log_request(
        method=scope["method"],
        route=state.get("route"),
        status=state.get("status"),
        duration_ms=round((perf_counter() - started) * 1000, 2),
        db_ms=round(work.seconds * 1000, 2) if work else 0,
        db_statements=work.statements if work else 0,
        user_id=state.get("user_id"),
        correlation_id=state["correlation_id"],
    )
