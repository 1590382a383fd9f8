"""The engine with its limits, and the connections that requests hold.

SQLAlchemy describes the tables, builds the SQL and keeps the pool; a statement then runs on the
pool's asyncpg connection itself, which costs a request a fraction of what an ORM session does.
"""

from collections.abc import Awaitable, Sequence
from typing import Any

import asyncpg
import structlog
from asyncpg.prepared_stmt import PreparedStatement
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, PoolProxiedConnection
from sqlalchemy.util import greenlet_spawn

from app.config import Settings
from app.database.sql import Row
from app.exceptions import ServiceUnavailable

CONNECT_ERRORS = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    OSError,
    TimeoutError,
    SQLAlchemyError,  # the pool's own timeout, and its first questions to a server
)

MAX_PREPARED = 100  # statements of a connection, the oldest of which makes room

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
                    "application_name": "plinth",
                    "timezone": "UTC",
                    "jit": "off",
                    **{name: str(int(limit * 1000)) for name, limit in milliseconds.items()},
                },
            },
        )
        pool = self.engine.sync_engine.pool
        assert isinstance(pool, AsyncAdaptedQueuePool)
        self.pool = pool
        # Connections that went from one request to the next without passing the pool.
        self._idle: list[Connection] = []
        self._max_idle = pool.size()
        self._waiting = 0

    async def acquire(self) -> "Connection":
        """A live connection of the pool.

        Raises ServiceUnavailable when the database is away or no connection gets free in time.
        """
        while True:
            connection = self._idle.pop() if self._idle else await self._connect()
            if not connection.driver.is_closed():
                return connection
            connection.discard()

    def keep(self, connection: "Connection") -> bool:
        """Have it ready for the next request, unless it is to be given back."""
        if self._waiting or len(self._idle) >= self._max_idle:
            return False
        self._idle.append(connection)
        return True

    async def give_back(self, connection: "Connection") -> None:
        """Let one have it that waits for the pool, or close what is more than are kept."""
        if self._waiting:
            await greenlet_spawn(connection.pooled.close)
        elif not self.keep(connection):
            await greenlet_spawn(connection.pooled.invalidate)
            connection.pooled.close()

    @property
    def in_use(self) -> int:
        """The connections that requests hold at this moment."""
        return self.pool.checkedout() - len(self._idle)

    async def close(self) -> None:
        while self._idle:
            await greenlet_spawn(self._idle.pop().pooled.close)
        await self.engine.dispose()

    async def _connect(self) -> "Connection":
        self._waiting += 1
        try:
            return Connection(await greenlet_spawn(self.pool.connect))
        except (*CONNECT_ERRORS, self.engine.dialect.loaded_dbapi.Error) as error:
            _log.warning("database_unavailable", error=type(error).__name__)
            raise ServiceUnavailable from None
        finally:
            self._waiting -= 1


class Connection:
    """A place in the pool, and the driver's connection that stands there with its statements."""

    __slots__ = ("_prepared", "driver", "pooled")

    def __init__(self, pooled: PoolProxiedConnection) -> None:
        driver = pooled.driver_connection
        assert isinstance(driver, asyncpg.Connection)
        self.pooled = pooled
        self.driver = driver
        self._prepared: dict[str, PreparedStatement[Row]] = pooled.info.setdefault("prepared", {})

    def run(self, method: str, sql: str, arguments: Sequence[Any]) -> Awaitable[Any]:
        """Call the driver's `fetch`, `fetchrow` or `execute`.

        What has arguments and returns rows is prepared here: the driver's own cache of statements
        takes a request through many more calls.
        """
        if not arguments or method == "execute":
            return getattr(self.driver, method)(sql, *arguments)
        prepared = self._prepared.get(sql)
        if prepared is None:
            return self._prepare(method, sql, arguments)
        return getattr(prepared, method)(*arguments)

    def forget(self) -> None:
        """Have every statement prepared anew."""
        self._prepared.clear()

    async def _prepare(self, method: str, sql: str, arguments: Sequence[Any]) -> Any:
        if len(self._prepared) >= MAX_PREPARED:
            del self._prepared[next(iter(self._prepared))]
        prepared = self._prepared[sql] = await self.driver.prepare(sql)
        return await getattr(prepared, method)(*arguments)

    def discard(self) -> None:
        """Cut a connection whose state is not known, without waiting for anything."""
        self.pooled.invalidate()
        self.pooled.close()
