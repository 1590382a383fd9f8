"""One line for each request: what was asked, what came of it, and what it cost."""

from time import perf_counter
from typing import Any

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
        status, seconds = 0, 0.0

        async def send_and_note(message: Message) -> None:
            nonlocal status, seconds
            await send(message)
            if message["type"] == "http.response.start":
                status = message["status"]
            seconds = perf_counter() - started  # of what follows the answer, nobody waits

        try:
            await self.app(scope, receive, send_and_note)
        except Exception as error:  # noqa: BLE001 - the last place that can still answer
            if status:
                _log.error("failed_after_the_answer", exc_info=error)
            else:
                response = await on_defect(Request(scope), error)
                await response(scope, receive, send_and_note)
        finally:
            self._write(scope, status, seconds or perf_counter() - started)

    def _write(self, scope: Scope, status: int, seconds: float) -> None:
        state: dict[str, Any] = scope["state"]
        work = state.get("work")
        log_request(
            method=scope["method"],
            route=state.get("route"),
            status=status or None,
            duration_ms=round(seconds * 1000, 2),
            db_ms=round(work.seconds * 1000, 2) if work else 0,
            db_statements=work.statements if work else 0,
            user_id=state.get("user_id"),
        )
