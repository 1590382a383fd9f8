"""FastAPI's own way: its router and handlers, unchanged, as one unit of work.

What is sent passes through here: the transaction is committed when the head of an answer below 400
is about to leave, and rolled back before any other. So what holds for the fast way holds here.
"""

import asyncio
import sys

from starlette.types import ASGIApp, Receive, Scope, Send

from app.config import Settings
from app.database.connections import Database
from app.database.unit_of_work import UnitOfWork
from app.dispatch.exchange import Exchange
from app.dispatch.open_connections import OpenConnections
from app.dispatch.resources import scope_of_context
from app.dispatch.run_once import replayed
from app.dispatch.sockets import Sockets
from app.exceptions import AppError
from app.idempotency.dependencies import Replay
from app.request_state import request_state


class FastAPIWay:
    """ASGI middleware right around FastAPI's router."""

    def __init__(
        self,
        router: ASGIApp,
        database: Database,
        settings: Settings,
        connections: OpenConnections,
    ) -> None:
        self._router = router
        self._database = database
        self._settings = settings
        self._connections = connections
        self._sockets = Sockets(database, settings, connections)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._sockets.serve(self._router, scope, receive, send)
        else:
            await self._router(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        state = request_state(scope)
        operation = state.operation
        is_head = scope["method"] == "HEAD"
        if is_head and operation is not None:  # which FastAPI knows under GET alone
            scope = {**scope, "method": "GET"}
        scope_of_context.set(scope)
        state.work = UnitOfWork(self._database)
        deadline = asyncio.timeout(self._settings.request_timeout)
        limit = operation.body_limit if operation else self._settings.max_body_size
        if operation and operation.route.max_body_size is not None and not _has_shape(scope):
            limit = sys.maxsize  # FastAPI knows it too, and answers in its own shape
        exchange = Exchange(
            scope,
            receive,
            send,
            database=self._database,
            deadline=deadline,
            limit=limit,
            connections=self._connections,
        )
        exchange.is_head = is_head
        try:
            async with deadline:
                await exchange.prepare(operation)
                await self._router(scope, exchange.receive, exchange.send)
        except Replay as replay:
            await replayed(replay)(scope, receive, send)
        except Exception as error:
            if not await exchange.finish(error):
                raise
        finally:
            await exchange.end()
        for follow in exchange.after_commit:
            await follow()


def _has_shape(scope: Scope) -> bool:
    """Whether the application has handlers for our errors."""
    return AppError in scope["app"].exception_handlers
