"""Gives each request an id that its response, its errors and its log lines carry."""

import re
from random import getrandbits

from starlette.types import ASGIApp, Receive, Scope, Send

from app.request_state import KEY, RequestState, correlation_id_of_context, first_of_each

ACCEPTED = re.compile(rb"[A-Za-z0-9._-]{8,64}")
RANDOM_BITS = 128


def new_correlation_id() -> str:
    return f"{getrandbits(RANDOM_BITS):032x}"


class CorrelationIdMiddleware:
    """Makes the request's state, with the id in it; `response_headers` sends it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            headers = first_of_each(scope)
            sent = headers.get(b"x-correlation-id")
            if sent is not None and ACCEPTED.fullmatch(sent):
                correlation_id = sent.decode()
            else:
                correlation_id = new_correlation_id()
            scope[KEY] = RequestState(correlation_id, headers)
            # Each request is a task with a context of its own: nothing has to be taken back.
            correlation_id_of_context.set(correlation_id)
        await self.app(scope, receive, send)
