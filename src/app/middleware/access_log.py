"""One line for each request: what was asked, what came of it, and what it cost."""

from time import perf_counter
from urllib.parse import quote

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.logging import log_defect, log_request
from app.request_state import RequestState, client_address, request_state

MAX_PATH = 1024  # characters that are logged; the server itself has no limit


class AccessLogMiddleware:
    """Outside of all that may fail."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        started = perf_counter()
        state = request_state(scope)
        written = False

        async def send_and_log(message: Message) -> None:
            nonlocal written
            await send(message)
            if message["type"] == "http.response.body" and not message.get("more_body"):
                written = True  # now: for what follows the answer, nobody waits
                _write(scope, state, started)

        try:
            await self.app(scope, receive, send_and_log)
        except Exception as error:
            log_defect("unhandled_exception", error)
            state.status = state.status or 500  # what the server makes of a handshake that failed
            raise
        finally:
            if not written:  # the client has gone, the answer broke off, or it is a WebSocket's end
                _write(scope, state, started)


def _write(scope: Scope, state: RequestState, started: float) -> None:
    work, socket = state.work, state.socket
    passed = {}
    if socket is not None:
        passed = {
            "close_code": socket.close_code,
            "messages_in": socket.received,
            "messages_out": socket.sent,
        }
    route = state.operation.path if state.operation else getattr(scope.get("route"), "path", None)
    log_request(
        method=scope.get("method", "WEBSOCKET"),
        path=_path(scope),
        route=route,
        status=state.status,
        duration_ms=round((perf_counter() - started) * 1000, 2),
        db_ms=round(work.seconds * 1000, 2) if work else 0,
        db_statements=work.statements if work else 0,
        ip=client_address(scope),
        user_id=state.user_id,
        correlation_id=state.correlation_id,
        **passed,
    )


def _path(scope: Scope) -> str:
    """As it was sent, without the query: decoded, it could hold what a terminal obeys."""
    sent: bytes | None = scope.get("raw_path")
    if sent is None:  # which a server need not tell
        return quote(scope["path"])[:MAX_PATH]
    return sent[:MAX_PATH].decode("ascii", "backslashreplace")
