"""Sends the correlation id, and tells browsers and proxies what they may do: next to nothing."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = [
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
]
NAMES = [name for name, _ in HEADERS]


class ResponseHeadersMiddleware:
    """A header that a response brings itself stays."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                sent = message["headers"]
                names = {name for name, _ in sent}
                added = HEADERS
                if not names.isdisjoint(NAMES):
                    added = [pair for pair in HEADERS if pair[0] not in names]
                correlation_id = scope["state"]["correlation_id"].encode()
                message["headers"] = [*sent, *added, (b"x-correlation-id", correlation_id)]
            await send(message)

        await self.app(scope, receive, send_with_headers)
