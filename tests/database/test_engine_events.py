"""Who listens to SQLAlchemy's engine events hears the unit of work's own statements."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Integer, bindparam, event, func, literal_column, select
from sqlalchemy.engine import Connection, ExceptionContext

from app.config import Settings
from app.database import transaction
from app.database.connections import Database
from app.database.sql import Statement
from app.database.unit_of_work import UnitOfWork
from app.exceptions import Invalid
from tests.conftest import database_url
from tests.database.library import Author

ONE = Statement(select(bindparam("one", 1, Integer).label("one")))
FAILS = Statement(select(1 / (literal_column("0") * bindparam("one", 1, Integer))))


class Tracer:
    """Does what tracers do: a span on the context, ended by what comes after."""

    def __init__(self) -> None:
        self.ended: list[str] = []
        self.transactions: list[str] = []

    def before(self, connection: Connection, cursor: Any, *told: Any) -> None:
        sql, parameters, context, many = told
        assert (context.cursor, context.statement, many) == (cursor, sql, False)
        assert context.dialect.paramstyle == "numeric_dollar"
        assert (connection.engine.name, connection.engine.driver) == ("postgresql", "asyncpg")
        context.span = sql
        connection.info.setdefault("started", []).append(parameters)

    def after(self, connection: Connection, *told: Any) -> None:
        *_, context, _ = told
        connection.info["started"].pop()
        self.ended.append(context.span)

    def transact(self, name: str, connection: Connection) -> None:
        assert connection.engine.name == "postgresql"
        self.transactions.append(name)

    def failed(self, context: ExceptionContext) -> None:
        assert context.connection is not None
        context.connection.info["started"].pop()
        error = context.original_exception
        span: str = context.execution_context.span  # type: ignore[union-attr]
        self.ended.append(f"{type(error).__name__}: {span}")


@pytest.fixture
def tracer(library: Database) -> Iterator[Tracer]:
    engine, tracer = library.engine.sync_engine, Tracer()
    listeners: dict[str, Callable[..., object]] = {
        "before_cursor_execute": tracer.before,
        "after_cursor_execute": tracer.after,
        "handle_error": tracer.failed,
    }
    for name in ("begin", "commit", "rollback"):
        listeners[name] = partial(tracer.transact, name)
    for name, listener in listeners.items():
        event.listen(engine, name, listener)
    yield tracer
    for name, listener in listeners.items():
        event.remove(engine, name, listener)


async def test_each_statement_is_heard_with_its_context(library: Database, tracer: Tracer) -> None:
    async with UnitOfWork(library) as work:
        await work.fetch(ONE)
        await work.fetch_batches(ONE, [{}, {}], list)
        assert tracer.ended == ["SELECT $1::INTEGER AS one"] * 3
        assert work.statements == 3


async def test_a_session_on_the_same_connection_is_heard_once(
    library: Database, tracer: Tracer
) -> None:
    async with UnitOfWork(library) as work:
        await work.session().scalar(select(func.count(Author.id)))
        await work.fetch(ONE)
        await work.commit()
        assert [each.split(" ", 1)[0] for each in tracer.ended] == ["SELECT"] * 2
        assert tracer.transactions == ["begin", "commit"]
        assert work.statements == 4
        work.session().add(Author(name="Ada"))
        await work.session().flush()
        await work.rollback()
        assert tracer.transactions[2:] == ["begin", "rollback"]


async def test_errors_are_heard_before_they_are_translated(
    library: Database, tracer: Tracer
) -> None:
    async with UnitOfWork(library) as work:
        with pytest.raises(Invalid):
            await work.fetch(FAILS)
        assert [each.split(":")[0] for each in tracer.ended] == ["DivisionByZeroError"]


async def test_a_listener_may_change_the_statement_and_the_error(library: Database) -> None:
    engine = library.engine.sync_engine
    seen: list[str] = []

    def comment(*told: Any) -> tuple[str, Any]:
        *_, sql, parameters, _, _ = told
        seen.append(sql)
        return f"{sql} /* trace */", parameters

    def replace(context: ExceptionContext) -> None:
        raise LookupError(context.statement)

    event.listen(engine, "before_cursor_execute", comment, retval=True)
    event.listen(engine, "handle_error", replace)
    try:
        async with UnitOfWork(library) as work:
            [row] = await work.fetch(ONE)
            assert row["one"] == 1
            with pytest.raises(LookupError, match="trace"):
                await work.fetch(FAILS)
    finally:
        event.remove(engine, "before_cursor_execute", comment)
        event.remove(engine, "handle_error", replace)
    assert len(seen) == 2


async def test_without_a_listener_nothing_is_made(
    settings: Settings, database_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transaction, "ToldStatement", None)
    database = Database(database_url(database_name), settings)
    async with UnitOfWork(database) as work:
        await work.fetch(ONE)
    event.listen(database.engine.sync_engine, "after_cursor_execute", lambda *_: None)
    async with UnitOfWork(database) as work:
        with pytest.raises(TypeError):
            await work.fetch(ONE)
    await database.close()
