"""The engine with its limits, and the connections that requests hold.

SQLAlchemy describes the tables, builds the SQL and keeps the pool; a statement then runs on the
pool's asyncpg connection itself, which costs a request a fraction of what an ORM session does.
"""

import asyncio
from asyncio.trsock import TransportSocket
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager, suppress
from socket import SHUT_RDWR
from typing import Any

import asyncpg
import structlog
from asyncpg.prepared_stmt import PreparedStatement
from sqlalchemy import Engine
from sqlalchemy.engine import Connection as SyncConnection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, PoolProxiedConnection
from sqlalchemy.util import greenlet_spawn

from app.config import Settings
from app.database.shares import Shares
from app.database.sql import Row
from app.database.unreachable import unreachable
from app.exceptions import ServiceUnavailable

CONNECT_ERRORS = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    OSError,
    TimeoutError,
    SQLAlchemyError,  # the pool's own timeout, and its first questions to a server
)

MAX_PREPARED = 100  # statements of a connection; the one that was unused for longest makes room

_log = structlog.get_logger(__name__)


class Database:
    """The connections of one process to one PostgreSQL."""

    def __init__(self, url: str, settings: Settings) -> None:
        milliseconds = {
            "statement_timeout": settings.db_statement_timeout,
            "lock_timeout": settings.db_lock_timeout,
            "idle_in_transaction_session_timeout": settings.db_idle_timeout,
        }
        self.engine = create_async_engine(
            url,
            pool_size=settings.db_pool_size,
            max_overflow=settings.db_max_overflow,
            pool_timeout=settings.db_pool_timeout,
            pool_use_lifo=True,
            pool_reset_on_return=None,  # the unit of work leaves no transaction behind
            hide_parameters=True,
            connect_args={
                "timeout": settings.db_connect_timeout,
                "command_timeout": settings.db_command_timeout,
                "server_settings": {
                    "application_name": settings.app_name.lower(),
                    "timezone": "UTC",
                    "jit": "off",
                    **{name: str(int(limit * 1000)) for name, limit in milliseconds.items()},
                },
            },
        )
        self.logs_statements = settings.log_level == "debug"
        # Connections that went from one request to the next without passing the pool.
        self._idle: list[Connection] = []
        self._max_idle = settings.db_pool_size
        self._max_open = settings.db_pool_size + settings.db_max_overflow
        self._waiting = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._streams = asyncio.Semaphore(0)  # of the loop that acquires
        self._user_limit = max(1, int(self._max_open * settings.db_user_share))
        self._patience = settings.db_pool_timeout
        self.shares = Shares(self._user_limit, self._patience)

    @property
    def pool(self) -> AsyncAdaptedQueuePool:
        pool = self.engine.sync_engine.pool
        assert isinstance(pool, AsyncAdaptedQueuePool)
        return pool

    @property
    def in_use(self) -> int:
        """The connections that requests hold at this moment."""
        return self.pool.checkedout() - len(self._idle)

    @property
    def has_spare(self) -> bool:
        """Whether a request can have a connection without waiting for another one's."""
        return not self._waiting and self.in_use < self._max_open

    async def acquire(self) -> "Connection":
        """A live connection of the pool.

        Raises ServiceUnavailable when the database is away or no connection gets free in time.
        """
        if self._loop is not (loop := asyncio.get_running_loop()):
            self._move_to(loop)
        while True:
            connection = self._idle.pop() if self._idle else await self._connect()
            if not connection.driver.is_closed():
                return connection
            connection.discard()

    def reuse(self, connection: "Connection") -> bool:
        """Have it ready for the next request; False when it must return to the pool instead."""
        if self._waiting or len(self._idle) >= self._max_idle or connection.loop is not self._loop:
            return False
        self._idle.append(connection)
        return True

    async def return_to_pool(self, connection: "Connection") -> None:
        """Hand it to whoever waits for the pool, or close it when there are enough."""
        if self._waiting and connection.loop is self._loop:
            await greenlet_spawn(connection.pooled.close)
        elif not self.reuse(connection):
            await greenlet_spawn(connection.pooled.invalidate)
            connection.pooled.close()

    @asynccontextmanager
    async def acquire_for_stream(self) -> AsyncIterator["Connection"]:
        """A connection for one statement of a streamed answer.

        Streams have half of the pool at most: they never keep requests from the rest.
        """
        if self._loop is not (loop := asyncio.get_running_loop()):
            self._move_to(loop)
        async with self._streams:
            connection = await self.acquire()
            try:
                yield connection
            finally:
                if connection.pooled.is_valid and not self.reuse(connection):
                    await self.return_to_pool(connection)

    async def close(self) -> None:
        if self._loop is asyncio.get_running_loop():
            while self._idle:
                await greenlet_spawn(self._idle.pop().pooled.close)
        else:
            self._forget()
        await self.engine.dispose()

    async def _connect(self) -> "Connection":
        engine, loop = self.engine.sync_engine, self._loop
        self._waiting += 1
        try:
            return Connection(await greenlet_spawn(engine.pool.connect), engine)
        except (*CONNECT_ERRORS, engine.dialect.loaded_dbapi.Error) as error:
            reason = unreachable(error, engine.url)
            _log.warning("database_unavailable", error=type(error).__name__, reason=str(reason))
            raise ServiceUnavailable from reason
        finally:
            if loop is self._loop:
                self._waiting -= 1

    def _move_to(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin anew in another event loop, as test clients and scripts have one for each call."""
        if self._loop is not None:
            self._forget()
        self._loop = loop
        self._waiting = 0
        self._streams = asyncio.Semaphore(max(1, self._max_idle // 2))
        self.shares = Shares(self._user_limit, self._patience)

    def _forget(self) -> None:
        """Drop the connections of a loop that cannot be awaited from this one."""
        for connection in self._idle:
            connection.abandon()
        self._idle.clear()
        self.engine.sync_engine.dispose(close=False)


class Connection:
    """A place in the pool, and the driver's connection that stands there with its statements."""

    __slots__ = ("_is_autocommit", "_prepared", "_sync", "driver", "engine", "loop", "pooled")

    def __init__(self, pooled: PoolProxiedConnection, engine: Engine) -> None:
        driver = pooled.driver_connection
        assert isinstance(driver, asyncpg.Connection)
        self.pooled = pooled
        self.engine = engine
        self.driver = driver
        self.loop = asyncio.get_running_loop()
        self._is_autocommit = False
        self._sync: SyncConnection | None = None
        self._prepared: dict[str, PreparedStatement[Row]] = pooled.info.setdefault("prepared", {})

    @property
    def has_listeners(self) -> bool:
        """Whether anybody hears the engine's events."""
        engine = self.engine
        return engine._has_events or engine.dialect._has_events  # noqa: SLF001 - as SQLAlchemy asks

    def run(self, method: str, sql: str, arguments: Sequence[Any]) -> Awaitable[Any]:
        """Call the driver's `fetch`, `fetchrow` or `execute`.

        What has arguments and returns rows is prepared here: the driver's own cache of statements
        takes a request through many more calls.
        """
        if not arguments or method == "execute":
            return getattr(self.driver, method)(sql, *arguments)
        prepared = self._prepared.pop(sql, None)
        if prepared is None:
            return self._prepare(method, sql, arguments)
        self._prepared[sql] = prepared  # now the last to make room
        return getattr(prepared, method)(*arguments)

    def forget(self) -> None:
        """Have every statement prepared anew."""
        self._prepared.clear()

    async def _prepare(self, method: str, sql: str, arguments: Sequence[Any]) -> Any:
        if len(self._prepared) >= MAX_PREPARED:
            del self._prepared[next(iter(self._prepared))]
        prepared = self._prepared[sql] = await self.driver.prepare(sql)
        return await getattr(prepared, method)(*arguments)

    @property
    def as_sqlalchemy(self) -> SyncConnection:
        """The same connection, for what knows it through SQLAlchemy alone."""
        if self._sync is None:
            self._sync = SyncConnection(self.engine, self.pooled, _allow_revalidate=False)
        return self._sync

    def use_autocommit(self) -> None:
        """Have SQLAlchemy send no BEGIN of its own, until the connection is back in the pool."""
        if not self._is_autocommit:
            self.as_sqlalchemy.execution_options(isolation_level="AUTOCOMMIT")
            self._is_autocommit = True

    def discard(self) -> None:
        """Cut a connection whose state is not known, without waiting for anything."""
        if self.pooled.is_valid:  # SQLAlchemy may have been first
            self.pooled.invalidate()
        self.pooled.close()

    def abandon(self) -> None:
        """Cut a connection whose event loop is another one, and has perhaps been closed."""
        self.pooled.detach()
        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self.driver.terminate)
            return
        with suppress(RuntimeError):
            self.driver.terminate()  # which ends at the closed loop, and leaves the socket open
        transport = self.driver._transport  # noqa: SLF001 # pyrefly: ignore[missing-attribute]
        if isinstance(transport.get_extra_info("socket"), TransportSocket):  # asyncio's own loop
            with suppress(OSError):
                transport.get_extra_info("socket").shutdown(SHUT_RDWR)
            if sock := getattr(transport, "_sock", None):
                sock.close()
                transport._sock = None  # noqa: SLF001 - or it warns that it was never closed
