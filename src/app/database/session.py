"""An ORM session on a unit of work's own connection, in its transaction."""

from time import perf_counter
from typing import Any, NoReturn

from sqlalchemy import event
from sqlalchemy.engine import Connection as SyncConnection
from sqlalchemy.engine import RootTransaction
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import SessionTransaction
from sqlalchemy.util import await_, greenlet_spawn

from app.database.connections import Connection
from app.database.entity_session import EntitySession
from app.database.transaction import Transaction

COMMITS = (
    "The unit of work commits once, after the endpoint: `await session.flush()` sends what is "
    "pending, `await session.begin_nested()` makes a part that may fail"
)
ISOLATION = (
    "The transaction of a unit of work has begun with its own isolation level: "
    "`await session.execute(text('SET TRANSACTION ISOLATION LEVEL …'))` as the first statement"
)
ENDED = (
    "This session has ended with its transaction. Work after the answer takes a unit of its own: "
    "`async with unit_of_work(database) as work:`; in the same unit, `work.session()` opens "
    "another session"
)


class UnitSession(EntitySession):
    """Has the unit of work begin, commit and roll back."""

    def __init__(self, *args: Any, work: Transaction, **options: Any) -> None:
        super().__init__(*args, expire_on_commit=False, **options)
        self.work = work
        self.is_committing = False
        self._bound: UnitConnection | None = None

    @property
    def has_pending(self) -> bool:
        """Whether something waits for a flush, and none is under way."""
        return not (self._flushing or self._is_clean())

    def get_bind(self, *_: Any, bind: Any = None, **__: Any) -> SyncConnection:
        """The unit's connection, on which it has begun."""
        if bind is not None:
            raise TypeError("The session of a unit of work has the unit's connection, no other one")
        connection = self.work.begun or await_(self.work.begin())
        if self._bound is None or self._bound.taken is not connection:
            self._bound = UnitConnection(self, connection)
        return self._bound

    def begin(self, nested: bool = False) -> SessionTransaction:  # noqa: FBT001, FBT002 - SQLAlchemy's
        """Begin a savepoint at once, so that statements beside the session are inside of it."""
        if not nested:
            raise RuntimeError(COMMITS)
        transaction = super().begin(nested=True)
        self.connection()
        return transaction

    def commit(self) -> NoReturn:
        raise RuntimeError(COMMITS)

    def rollback(self) -> None:
        await_(self.work.rollback())

    def close(self) -> None:
        """Nothing: the unit of work closes its session, and sends before what is pending."""

    def reset(self) -> None:
        self.rollback()
        self.expunge_all()

    def commit_unit(self) -> None:
        """Flush and commit, on behalf of the unit."""
        self.is_committing = True
        try:
            super().commit()
        finally:
            self.is_committing = False

    def forget_transaction(self) -> None:
        """Know that the transaction has been rolled back: nothing is sent for it."""
        if self._bound is not None:
            self._bound.leave()
            self._bound = None
        super().rollback()


class UnitConnection(SyncConnection):
    """The unit's connection for SQLAlchemy, which neither begins nor ends anything on it."""

    def __init__(self, session: UnitSession, connection: Connection) -> None:
        connection.use_autocommit()
        super().__init__(connection.engine, connection.pooled, _allow_revalidate=False)
        self.session = session
        self.taken = connection
        self.started = 0.0

    def execution_options(self, **options: Any) -> SyncConnection:
        if "isolation_level" in options:
            raise RuntimeError(ISOLATION)
        return super().execution_options(**options)

    def close(self) -> None:
        """Nothing: it is the unit's."""

    def invalidate(self, exception: BaseException | None = None) -> None:
        super().invalidate(exception)
        self.session.work.lose_connection()

    def count(self, statement: str) -> None:
        self.session.work.count(statement, perf_counter() - self.started)

    def _handle_dbapi_exception(
        self, e: BaseException, statement: str | None, *args: Any, **options: Any
    ) -> NoReturn:
        if statement is not None:
            self.count(statement)
        super()._handle_dbapi_exception(e, statement, *args, **options)

    def leave(self) -> None:
        """Send nothing any more."""
        self._dbapi_connection = None

    def _begin_impl(self, transaction: RootTransaction) -> None: ...

    def _rollback_impl(self) -> None: ...

    def _commit_impl(self) -> None:
        if not self.session.is_committing:
            raise RuntimeError(COMMITS)
        await_(self.session.work.send_commit())


@event.listens_for(UnitConnection, "before_cursor_execute")
def _before_cursor_execute(connection: UnitConnection, *_: object) -> None:
    connection.started = perf_counter()


@event.listens_for(UnitConnection, "after_cursor_execute")
def _after_cursor_execute(connection: UnitConnection, _: object, sql: str, *__: object) -> None:
    connection.count(sql)


class WorkSession(AsyncSession):
    """What `work.session()` returns."""

    def __init__(self, **options: Any) -> None:
        super().__init__(sync_session_class=UnitSession, **options)

    @property
    def has_pending(self) -> bool:
        return self._unit_session.has_pending

    async def commit_unit(self) -> None:
        await greenlet_spawn(self._unit_session.commit_unit)

    def forget_transaction(self) -> None:
        self._unit_session.forget_transaction()

    def end(self, why: str = ENDED) -> None:
        """Have each use from now on raise RuntimeError; instances are detached."""
        self.forget_transaction()
        self.expunge_all()
        ended: Any = _Ended(why)
        self.sync_session = self._proxied = ended

    @property
    def _unit_session(self) -> UnitSession:
        session = self.sync_session
        assert isinstance(session, UnitSession)
        return session


class _Ended:
    """Stands in the place of a session that has ended."""

    def __init__(self, why: str) -> None:
        self._why = why

    def close(self) -> None:
        """Harmless, as ever."""

    def __getattr__(self, name: str) -> NoReturn:
        raise RuntimeError(self._why)
