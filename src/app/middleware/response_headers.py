"""Sends the correlation id, and tells browsers and proxies what they may do: next to nothing."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.request_state import request_state

HEADERS = [
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
]
STARTS = {"http.response.start", "websocket.http.response.start"}


class ResponseHeadersMiddleware:
    """A header that a response brings itself stays. Leaves its status in the request's state."""

    def __init__(self, app: ASGIApp, hsts_max_age: int = 0) -> None:
        self.app = app
        self._headers = [*HEADERS]
        if hsts_max_age:
            self._headers.append((b"strict-transport-security", b"max-age=%d" % hsts_max_age))
        self._names = {name for name, _ in self._headers}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        state, headers, names = request_state(scope), self._headers, self._names
        if scope["type"] == "http" and scope["method"] == "HEAD":
            send = without_body(send)

        async def send_with_headers(message: Message) -> None:
            if message["type"] in STARTS:
                sent = message["headers"]
                brought = names.intersection(dict(sent))
                added = [pair for pair in headers if pair[0] not in brought] if brought else headers
                correlation_id = (b"x-correlation-id", state.correlation_id.encode())
                message["headers"] = [*sent, *added, correlation_id]
                state.status = message["status"]
            elif message["type"] == "websocket.accept":
                correlation_id = (b"x-correlation-id", state.correlation_id.encode())
                message["headers"] = [*message.get("headers", ()), correlation_id]
                state.status = 101
            await send(message)

        await self.app(scope, receive, send_with_headers)


def without_body(send: Send) -> Send:
    """For the answer to a HEAD, which has the headers of GET's (RFC 9110, section 9.3.2).

    Outside of an application's own middleware, which may make headers of the body, as GZip does.
    """

    async def send_head(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return send_head
