"""A database on which everything works, and nothing stays."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import count
from typing import Any, Self

import asyncpg

from app.database.connections import Connection, Database


class RolledBack(Database):
    """Has one connection with one transaction, of which the transactions of all units are parts.

    They see each other's writes as if those were committed. `async with` it: the end rolls back.
    """

    _real: Connection

    async def __aenter__(self) -> Self:
        self._real = await super().acquire()
        self._lock = asyncio.Lock()
        await self._real.driver.execute("BEGIN")
        return self

    async def __aexit__(self, *_: object) -> None:
        with suppress(
            asyncpg.PostgresError, asyncpg.InterfaceError
        ):  # a lost one has no more to undo
            await self._real.driver.execute("ROLLBACK")
        self._real.discard()
        await self.close()

    @property
    def driver(self) -> "asyncpg.Connection":
        return self._real.driver

    @property
    def has_spare(self) -> bool:
        return True

    async def acquire(self) -> Connection:
        return _Part(self._real, self._lock)

    def reuse(self, connection: Connection) -> bool:  # noqa: ARG002 - as of any database
        return True

    async def return_to_pool(self, connection: Connection) -> None: ...

    @asynccontextmanager
    async def acquire_for_stream(self) -> AsyncIterator[Connection]:
        yield await self.acquire()


class _Part(Connection):
    """What one unit of work has: its transaction is a savepoint."""

    _numbers = count(1)

    def __init__(self, real: Connection, lock: asyncio.Lock) -> None:
        super().__init__(real.pooled, real.engine)
        self._lock = lock
        self._savepoint: str | None = None
        self._has_failed = False
        self._has_own_savepoints = False

    def run(self, method: str, sql: str, arguments: Sequence[Any]) -> Awaitable[Any]:
        return self._run(method, sql, arguments)

    async def _run(self, method: str, sql: str, arguments: Sequence[Any]) -> Any:
        async with self._lock:
            if sql == "BEGIN":
                await self._begin()
                return sql
            if sql in {"COMMIT", "ROLLBACK"}:
                return await self._end(sql)
            if self._has_failed:
                raise asyncpg.InFailedSQLTransactionError("current transaction is aborted")
            if self._savepoint is not None:
                return await self._in_transaction(method, sql, arguments)
            await self._begin()
            try:
                return await self._in_transaction(method, sql, arguments)
            finally:
                await self._end("COMMIT")

    async def _begin(self) -> None:
        self._savepoint = f"unit_{next(self._numbers)}"
        await self.driver.execute(f"SAVEPOINT {self._savepoint}")

    async def _in_transaction(self, method: str, sql: str, arguments: Sequence[Any]) -> Any:
        try:
            result = await super().run(method, sql, arguments)
        except asyncpg.PostgresError:
            if not self._has_own_savepoints:  # to which it could go back
                await self.driver.execute(f"ROLLBACK TO SAVEPOINT {self._savepoint}")
                self._has_failed = True  # and others have not
            raise
        self._has_own_savepoints |= sql.startswith("SAVEPOINT ")
        return result

    async def _end(self, sql: str) -> str:
        """Returns what PostgreSQL does: a transaction that failed is rolled back by COMMIT too."""
        if self._has_failed:
            sql = "ROLLBACK"
        elif sql == "COMMIT":
            try:
                await self.driver.execute(f"RELEASE SAVEPOINT {self._savepoint}")
            except asyncpg.InFailedSQLTransactionError:
                sql = "ROLLBACK"
        if sql == "ROLLBACK":
            await self.driver.execute(f"ROLLBACK TO SAVEPOINT {self._savepoint}")
        self._savepoint, self._has_failed, self._has_own_savepoints = None, False, False
        return sql
