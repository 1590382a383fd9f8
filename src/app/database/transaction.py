"""A connection, taken when it is needed, and the transaction on it."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from time import perf_counter
from typing import Any
from uuid import UUID

import asyncpg
import structlog
from sqlalchemy import Executable

from app.database.connections import Connection, Database
from app.database.engine_events import ToldStatement
from app.database.errors import translate
from app.database.sql import NO_VALUES, Row, Statement, Values
from app.exceptions import ServiceUnavailable, TransientFailure

# A plan that PostgreSQL keeps expects ten elements of any array, and a table as small as it was.
# With many of both, it may compare each with each.
PLAN_ANEW = "SET LOCAL plan_cache_mode = force_custom_plan"


class Transaction:
    """Takes a connection at the first statement, and begins at the first that needs it.

    `statements` and `seconds` tell what the database was asked, and how long it took.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: Connection | None = None
        self._in_transaction = False
        self._has_savepoint = False
        self._has_listeners = False
        self._user_id: UUID | None = None
        self.statements = 0
        self.seconds = 0.0

    def fetch(
        self, statement: Statement | Executable, values: Values = NO_VALUES
    ) -> Coroutine[Any, Any, list[Row]]:
        """Run a statement and return its rows.

        Raises what `errors.translate` makes of a refusal, and TypeError for a select with ORM
        options, which only a session keeps.
        """
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

        From here on, the transaction's statements are planned anew each time.

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
                    if self._in_transaction:
                        await self._call("execute", PLAN_ANEW)
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

    def hold_for(self, user_id: UUID) -> bool:
        """Count the connection as one of the user's from now on.

        False if they hold as many as they may. Once the connection is released, the next statement
        waits until they hold fewer.
        """
        self._user_id = user_id
        return self._connection is None or self._database.shares.take(self, user_id)

    @property
    def begun(self) -> Connection | None:
        """The connection, if a transaction is open on it."""
        return self._connection if self._in_transaction else None

    async def begin(self) -> Connection:
        """The connection, with an open transaction on it."""
        await self._ready_for(None)
        assert self._connection is not None
        return self._connection

    async def send_commit(self) -> None:
        """Raises ServiceUnavailable when the connection is lost on the way.

        The outcome is then not known, so that a blind second try could write twice.
        """
        if self._connection is None:  # lost by a statement, and the transaction with it
            raise TransientFailure
        try:
            status = await self._call("execute", "COMMIT")
        except TransientFailure:
            if self._connection is None:
                raise ServiceUnavailable("The outcome of the request is not known") from None
            raise
        self._in_transaction = self._has_savepoint = False
        if status != "COMMIT":  # a failed statement whose error was swallowed
            raise RuntimeError("The transaction had failed before its commit")

    def lose_connection(self) -> None:
        """Cut the connection, whose state is not known any more."""
        if self._connection is not None:
            self._connection.discard()
            self._connection = None
            self._database.shares.leave(self)

    async def rollback(self) -> None:
        """Undo what was written, since the savepoint if there is one."""
        if not self._in_transaction:
            return
        if self._connection is None:
            raise ServiceUnavailable
        if self._has_savepoint:
            await self._call("execute", "ROLLBACK TO SAVEPOINT undo")
            return
        await self._call("execute", "ROLLBACK")
        self._in_transaction = False

    async def _disconnect(self) -> None:
        """Roll back what was not committed, and have the connection reused."""
        try:
            if self._in_transaction and self._connection is not None:
                await self._call("execute", "ROLLBACK")
        except BaseException as error:
            self.lose_connection()
            if not isinstance(error, ServiceUnavailable):
                raise
        finally:
            self._in_transaction = self._has_savepoint = False
            if self._connection is not None:
                connection, self._connection = self._connection, None
                self._database.shares.leave(self)
                if not self._database.reuse(connection):
                    await self._database.return_to_pool(connection)

    async def _run(self, method: str, statement: Statement | Executable, values: Values) -> Any:
        if not isinstance(statement, Statement):
            statement = Statement(statement)
        sql, arguments = statement.bind(values)
        await self._ready_for(statement)
        return await self._call(method, sql, *arguments)

    async def _ready_for(self, statement: Statement | None) -> None:
        """Have a connection for it, in a transaction if it needs one, as None does."""
        if self._connection is None:
            if self._in_transaction:  # and the connection was lost with it
                raise TransientFailure
            self._connection = connection = await self._acquire()
            self._has_listeners = connection.has_listeners
        if self._in_transaction:
            if statement is not None and statement.autonomous:
                raise RuntimeError("An autonomous statement would be part of the open transaction")
        elif statement is None or statement.needs_transaction:
            await self._call("execute", "BEGIN")
            self._in_transaction = True

    async def _acquire(self) -> Connection:
        if self._user_id is None:
            return await self._database.acquire()
        await self._database.shares.wait(self, self._user_id)
        try:
            return await self._database.acquire()
        except BaseException:
            self._database.shares.leave(self)
            raise

    async def _call(self, method: str, sql: str, *arguments: Any) -> Any:
        assert self._connection is not None
        told = None
        if self._has_listeners:
            told = ToldStatement(self._connection.as_sqlalchemy, sql, arguments)
            told.before()
            sql, arguments = told.sql, told.arguments
        started = perf_counter()
        try:
            result = await self._connection.run(method, sql, arguments)
        except asyncpg.InvalidCachedStatementError as error:  # a table has changed
            self._connection.forget()
            if told:
                told.failed(error, lost=False)
            if self._in_transaction:
                raise TransientFailure from None
            return await self._call(method, sql, *arguments)
        except BaseException as error:
            lost = self._connection.driver.is_closed()
            # Only after the server's own word is the state of the connection known; and one that
            # turned read-only leads to a standby that was the primary before.
            answered = isinstance(error, asyncpg.PostgresError)
            if lost or not answered or isinstance(error, asyncpg.ReadOnlySQLTransactionError):
                self.lose_connection()
            if told:
                told.failed(error, lost=lost)
            translated = translate(error, lost=lost)
            if translated is None:
                raise
            raise translated from None  # the driver's message may hold values
        finally:
            self.count(sql, perf_counter() - started)
        if told:
            told.after()
        return result

    def count(self, sql: str, seconds: float) -> None:
        """Add a statement that was run, and have the log tell of it if it tells of everything."""
        self.statements += 1
        self.seconds += seconds
        if self._database.logs_statements:
            told = " ".join(sql.split())  # without the parameters, which are beside it
            structlog.get_logger(__name__).debug("sql", ms=round(seconds * 1000, 2), statement=told)
