"""The unit of work: the one place that begins and commits."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from time import perf_counter
from types import TracebackType
from typing import Any, Self

import asyncpg
from sqlalchemy import Executable

from app.database.connections import Connection, Database
from app.database.errors import translate
from app.database.sql import NO_VALUES, Row, Statement, Values
from app.exceptions import ServiceUnavailable, TransientFailure


class UnitOfWork:
    """What one request does to the database: all of it or none.

    A connection is taken at the first statement. Reads run in autocommit; the first write begins
    a transaction, which `commit` ends. Leaving without a commit rolls back. What is put into
    `after_commit` runs when the answer to the request has been sent, if it was committed.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: Connection | None = None
        self.in_transaction = False
        self._has_savepoint = False
        self.after_commit: list[Callable[[], Awaitable[None]]] = []
        self.statements = 0
        self.seconds = 0.0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    def fetch(
        self, statement: Statement | Executable, values: Values = NO_VALUES
    ) -> Coroutine[Any, Any, list[Row]]:
        """Run a statement and return its rows; raises what `database_errors` makes of a refusal."""
        return self._run("fetch", statement, values)

    def fetch_one(
        self, statement: Statement | Executable, values: Values = NO_VALUES
    ) -> Coroutine[Any, Any, Row | None]:
        return self._run("fetchrow", statement, values)

    async def fetch_batches(
        self,
        statement: Statement,
        batches: Iterable[Values],
        take: Callable[[list[Row]], object],
    ) -> None:
        """Run a statement once for each batch of values, and have `take` called with its rows.

        While the server works on a batch, the rows of the one before are taken and the values of
        the next worked out.
        """
        running: asyncio.Task[list[Row]] | None = None
        rows: list[Row] = []
        try:
            for values in batches:
                sql, arguments = statement.bind(values)
                if running is None:
                    await self._ready_for(statement)
                else:
                    rows = await running
                running = asyncio.create_task(self._call("fetch", sql, *arguments))
                await asyncio.sleep(0)  # so that it is sent
                take(rows)
            if running is not None:
                take(await running)
        finally:
            if running is not None and not running.done():
                running.cancel()
                await asyncio.wait([running])

    async def execute(self, statement: Statement | Executable, values: Values = NO_VALUES) -> int:
        """Run a statement and return how many rows it touched."""
        status: str = await self._run("execute", statement, values)
        count = status.rpartition(" ")[2]
        return int(count) if count.isdigit() else 0

    async def commit(self) -> None:
        """End the transaction, if there is one.

        Raises ServiceUnavailable when the connection is lost on the way: the outcome is then not
        known, so that a blind second try could write twice.
        """
        if not self.in_transaction:
            return
        try:
            status = await self._call("execute", "COMMIT")
        except TransientFailure:
            if self._connection is None:
                raise ServiceUnavailable("The outcome of the request is not known") from None
            raise
        self.in_transaction = False
        if status != "COMMIT":  # a failed statement whose error was swallowed
            raise RuntimeError("The transaction had failed before its commit")

    async def savepoint(self) -> None:
        """Let `rollback` undo only what is written from here on, in the open transaction."""
        await self._call("execute", "SAVEPOINT undo")
        self._has_savepoint = True

    async def rollback(self) -> None:
        """Undo what was written, since the savepoint if there is one, and what was to follow."""
        self.after_commit.clear()
        if not self.in_transaction:
            return
        if self._connection is None:
            raise ServiceUnavailable
        if self._has_savepoint:
            await self._call("execute", "ROLLBACK TO SAVEPOINT undo")
            return
        await self._call("execute", "ROLLBACK")
        self.in_transaction = False

    async def release(self) -> None:
        """Give the connection back before slow work; the next statement takes one again.

        Raises RuntimeError in an open transaction.
        """
        if self.in_transaction:
            raise RuntimeError("A connection with an open transaction cannot be given back")
        await self.close()

    async def close(self) -> None:
        """Roll back what was not committed and give the connection back."""
        if self._connection is None:
            return
        try:
            if self.in_transaction:
                await self._call("execute", "ROLLBACK")
        except ServiceUnavailable:
            pass  # the connection is gone, and the transaction with it
        finally:
            self.in_transaction = False
            if self._connection is not None:
                connection, self._connection = self._connection, None
                if not self._database.keep(connection):
                    await self._database.give_back(connection)

    async def end(self) -> None:
        await self.close()

    async def begin_streaming(self) -> None:
        await self.close()

    async def _run(self, method: str, statement: Statement | Executable, values: Values) -> Any:
        if not isinstance(statement, Statement):
            statement = Statement(statement)
        sql, arguments = statement.bind(values)
        await self._ready_for(statement)
        return await self._call(method, sql, *arguments)

    async def _ready_for(self, statement: Statement) -> None:
        if self._connection is None:
            self._connection = await self._database.acquire()
        if self.in_transaction:
            if statement.autonomous:
                raise RuntimeError("An autonomous statement would be part of the open transaction")
        elif statement.needs_transaction:
            await self._call("execute", "BEGIN")
            self.in_transaction = True

    async def _call(self, method: str, sql: str, *arguments: Any) -> Any:
        assert self._connection is not None
        started = perf_counter()
        try:
            return await self._connection.run(method, sql, arguments)
        except asyncpg.InvalidCachedStatementError:  # a table has changed
            self._connection.forget()
            if self.in_transaction:
                raise TransientFailure from None
            return await self._call(method, sql, *arguments)
        except BaseException as error:
            lost = self._connection.driver.is_closed()
            # Only after the server's own word is the state of the connection known; and one that
            # turned read-only leads to a primary that is none any more.
            told = isinstance(error, asyncpg.PostgresError)
            if lost or not told or isinstance(error, asyncpg.ReadOnlySQLTransactionError):
                self._connection.discard()
                self._connection = None
            translated = translate(error, lost=lost)
            if translated is None:
                raise
            raise translated from None  # the driver's message may hold values
        finally:
            self.statements += 1
            self.seconds += perf_counter() - started
