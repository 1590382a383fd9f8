"""The unit of work: the one place that begins and commits."""

from collections.abc import (
    AsyncIterator,
    Callable,
    Iterable,
    Mapping,
    Sequence,
)
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, ClassVar, Protocol, Self
from uuid import UUID

from sqlalchemy import Executable
from sqlalchemy.ext.asyncio import AsyncSession

from app.core.models import Entity
from app.database.after_commit import AfterCommit, Callback
from app.database.connections import Database
from app.database.session import WorkSession
from app.database.sql import Row, Statement, Values
from app.database.transaction import Transaction
from app.exceptions import AppError

_OWN = "a unit of its own: `async with unit_of_work(database) as work:`"
ENDED = f"This unit of work has ended. Work after the answer takes {_OWN}, or goes to after_commit"
STREAMING = (
    "The answer has begun, and could not tell any more whether a write was committed. Here a unit "
    f"of work runs plain selects alone; all else takes {_OWN}"
)
_NOTHING = AfterCommit((), ENDED)


class ReferenceRules(Protocol):
    """What is done to keep the references from and to the rows of one entity."""

    async def hold(self, work: "UnitOfWork", ids: Mapping[str, Sequence[UUID]]) -> None: ...
    async def follow(self, work: "UnitOfWork", ids: Sequence[UUID]) -> None: ...


class UnitOfWork(Transaction):
    """What one request does to the database: all of it or none.

    A connection is taken at the first statement. Reads run in autocommit; the first write begins
    a transaction, which `commit` ends. Leaving without a commit rolls back, and each use of a unit
    that has ended raises RuntimeError. What is put into `after_commit` runs when the answer to the
    request has been sent, if it was committed.
    """

    reference_rules: ClassVar[Callable[[type[Entity]], ReferenceRules] | None] = None
    """Set by `app.common.references`, for what is written by a session."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.after_commit: list[Callback] = []
        self._session: WorkSession | None = None
        self._refusal = ""  # why it does not do everything any more

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.end()

    @property
    def in_transaction(self) -> bool:
        """Whether there is something to commit."""
        if self._in_transaction:
            return True
        return self._session is not None and self._session.has_pending

    async def fetch_batches(
        self,
        statement: Statement,
        batches: Iterable[Values],
        take: Callable[[list[Row]], object],
    ) -> None:
        if self._refusal:
            for values in batches:
                take(await self._run("fetch", statement, values))
        else:
            await self._flush()
            await super().fetch_batches(statement, batches, take)

    def session(self) -> AsyncSession:
        """The unit's ORM session, which begins with its first statement.

        It hides soft-deleted rows, compares versions and keeps references as repositories do. It
        knows no caller: `select(Item)` has everyone's rows, `select` from a repository's `query()`
        the caller's. It may do what SQLAlchemy's does but commit. After a rollback it goes on with
        a new transaction; after `commit` the next call opens another one.
        """
        if self._session is None:
            self._require_open()
            self._session = WorkSession(work=self, hold=self._hold, follow=self._follow)
        return self._session

    async def commit(self) -> None:
        """Flush the session, and end the transaction if there is one.

        Raises ServiceUnavailable when the connection is lost on the way: the outcome is then not
        known, so that a blind second try could write twice. What the flush raises is SQLAlchemy's.
        """
        if self._session is not None:
            await self._session.commit_unit()
        if self._in_transaction:
            await self.send_commit()
        elif self._refusal:
            raise RuntimeError(self._refusal)
        if self._session is not None:
            self._session.end()
            self._session = None

    async def look_aside(self, statement: Statement, values: Values) -> Sequence[Row]:
        """Read on another connection, where the own one has a transaction that failed.

        Returns nothing where the database is away or busy: nobody waits for a second connection
        while holding the first.
        """
        if not self._database.has_spare:
            return ()
        async with UnitOfWork(self._database) as other:
            try:
                return await other.fetch(statement, values)
            except AppError:
                return ()
            finally:
                self.statements += other.statements
                self.seconds += other.seconds

    async def savepoint(self) -> None:
        """Let `rollback` undo only what is written from here on, in the open transaction."""
        self._require_open()
        await self._flush()
        await self._call("execute", "SAVEPOINT undo")
        self._has_savepoint = True

    async def rollback(self) -> None:
        """Undo what was written, since the savepoint if there is one, and what was to follow."""
        self._require_open()
        self.after_commit.clear()
        try:
            await super().rollback()
        finally:
            if self._session is not None:
                self._session.forget_transaction()

    async def release(self) -> None:
        """Release the connection before slow work; the next statement takes one again.

        Raises RuntimeError in an open transaction.
        """
        self._require_open()
        if self._in_transaction:
            raise RuntimeError("A connection with an open transaction cannot be released")
        await self._disconnect()

    async def close(self) -> None:
        """Roll back what was not committed and release the connection."""
        if self.in_transaction:
            self.after_commit.clear()
        try:
            await self._disconnect()
        finally:
            if self._session is not None:
                self._session.forget_transaction()

    async def begin_streaming(self) -> None:
        """Only read from here on, as the head of the answer has been sent.

        Each statement takes a connection of its own and gives it back at once, so that a slow
        client holds none. Raises RuntimeError when there is something to commit.
        """
        self._require_open()
        if self.in_transaction:
            raise RuntimeError("Commit before the answer begins: its status could not say so later")
        self._refuse(STREAMING)
        await self._disconnect()

    async def end(self) -> None:
        """Close, and have each use from now on raise RuntimeError."""
        try:
            if self._in_transaction or self._session is not None:
                await self.close()
        finally:
            self._refuse(ENDED)
        if self._connection is not None:
            if self._database.reuse(self._connection):
                self._connection = None
                self._database.shares.leave(self)
            else:
                await self._disconnect()

    def _refuse(self, why: str) -> None:
        self._refusal = why
        if why is ENDED and not self.after_commit:
            self.after_commit = _NOTHING
        else:
            self.after_commit = AfterCommit(self.after_commit, why)
        if self._session is not None:
            self._session.end()
            self._session = None

    def _require_open(self) -> None:
        if self._refusal:
            raise RuntimeError(self._refusal)

    async def _run(self, method: str, statement: Statement | Executable, values: Values) -> Any:
        if not isinstance(statement, Statement):
            statement = Statement(statement)
        sql, arguments = statement.bind(values)
        if self._refusal:
            return await self._run_in_stream(method, statement, sql, arguments)
        if self._session is not None:
            await self._flush()
        if self._connection is None or self._in_transaction or statement.needs_transaction:
            await self._ready_for(statement)
        return await self._call(method, sql, *arguments)

    async def _run_in_stream(
        self, method: str, statement: Statement, sql: str, arguments: Sequence[Any]
    ) -> Any:
        if self._refusal is ENDED or statement.needs_transaction or statement.autonomous:
            raise RuntimeError(self._refusal)
        async with self._database.acquire_for_stream() as connection:
            self._connection = connection
            try:
                return await self._call(method, sql, *arguments)
            finally:
                self._connection = None

    async def _flush(self) -> None:
        """Let a statement beside the session see what is pending in it."""
        session = self._session
        if session is not None and session.autoflush and session.has_pending:
            await session.flush()

    async def _hold(self, model: type[Entity], ids: Mapping[str, Sequence[UUID]]) -> None:
        await self._rules(model).hold(self, ids)

    async def _follow(self, model: type[Entity], ids: Sequence[UUID]) -> None:
        await self._rules(model).follow(self, ids)

    def _rules(self, model: type[Entity]) -> ReferenceRules:
        if self.reference_rules is None:
            raise RuntimeError(f"Import app.common.references, which keeps those of {model}")
        return self.reference_rules(model)


@asynccontextmanager
async def unit_of_work(database: Database) -> AsyncIterator[UnitOfWork]:
    """A unit of work of one's own: committed at the end, rolled back on an error.

    Then runs what is in `after_commit`. Raises what `commit` does.
    """
    async with UnitOfWork(database) as work:
        yield work
        await work.commit()
    for callback in work.after_commit:
        await callback()
