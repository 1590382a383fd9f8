"""Tells who listens to SQLAlchemy's engine events of the statements that go past its cursors.

Tracers and error trackers listen to `before_cursor_execute`, `after_cursor_execute` and
`handle_error`, and keep their span on the context that comes with each.
"""

from typing import Any

from sqlalchemy.engine import Connection
from sqlalchemy.engine.base import ExceptionContextImpl
from sqlalchemy.util import EMPTY_DICT

CONTROL = {"BEGIN": "begin", "COMMIT": "commit", "ROLLBACK": "rollback"}


class ToldStatement:
    """One statement, as the listeners get to know it."""

    def __init__(self, connection: Connection, sql: str, arguments: tuple[Any, ...]) -> None:
        self._connection = connection
        self._listeners = connection.engine.dispatch
        dialect = connection.dialect
        self._context: Any = dialect.execution_ctx_cls._init_statement(  # noqa: SLF001 - SQLAlchemy's own
            dialect, connection, connection.connection, EMPTY_DICT, sql, [arguments]
        )
        self.sql = sql
        self.arguments = arguments

    def before(self) -> None:
        """A listener may change the statement: a comment that names the trace, for example."""
        if (control := CONTROL.get(self.sql)) is not None:
            getattr(self._listeners, control)(self._connection)
            return
        for listener in self._listeners.before_cursor_execute:
            self.sql, arguments = listener(*self._told)
            self.arguments = tuple(arguments)

    def after(self) -> None:
        if self.sql not in CONTROL:
            self._listeners.after_cursor_execute(*self._told)

    def failed(self, error: BaseException, *, lost: bool) -> None:
        """Raises what a listener wants raised in place of the error."""
        connection = self._connection
        told = ExceptionContextImpl(
            exception=error,
            sqlalchemy_exception=None,
            engine=connection.engine,
            dialect=connection.dialect,
            connection=connection,
            cursor=self._context.cursor,
            statement=self.sql,
            parameters=self.arguments,
            context=self._context,
            is_disconnect=lost,
            invalidate_pool_on_disconnect=False,
            is_pre_ping=False,
        )
        for listener in connection.dialect.dispatch.handle_error:
            if (wanted := listener(told)) is not None:
                raise wanted from error

    @property
    def _told(self) -> tuple[Any, ...]:
        context = self._context
        return self._connection, context.cursor, self.sql, self.arguments, context, False
