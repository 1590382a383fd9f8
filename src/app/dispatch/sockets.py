"""WebSockets inside the same promises: who asks is known before the connection is accepted.

What the dependencies do to the database is one unit of work, which is committed when the endpoint
accepts. From then on each message takes a unit of its own.
"""

import asyncio

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.config import Settings
from app.database.connections import Database
from app.database.unit_of_work import UnitOfWork
from app.exception_handlers import answer
from app.exceptions import ServiceUnavailable
from app.request_state import request_state


class Sockets:
    """Those of one process."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._timeout = settings.request_timeout

    async def serve(self, router: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        state = request_state(scope)
        state.work = UnitOfWork(self._database)
        accepted = False
        deadline = asyncio.timeout(self._timeout)

        async def send_committed(message: Message) -> None:
            nonlocal accepted
            if message["type"] == "websocket.accept":
                assert state.work is not None
                await state.work.commit()
                await state.work.end()
                accepted = True
                deadline.reschedule(None)
            await send(message)

        try:
            async with deadline:
                await router(scope, receive, send_committed)
        except TimeoutError:
            if accepted or not deadline.expired():
                raise
            response = await answer(HTTPConnection(scope), ServiceUnavailable())
            await response(scope, receive, send)
        finally:
            await state.work.end()
