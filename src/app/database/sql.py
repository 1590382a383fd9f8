"""SQL as the driver takes it: compiled from SQLAlchemy's statements once, and then kept."""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import asyncpg
from sqlalchemy import ClauseElement, Dialect, Executable, Select
from sqlalchemy.dialects.postgresql.asyncpg import dialect as asyncpg_dialect
from sqlalchemy.sql import visitors
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.dml import UpdateBase

DIALECT: Dialect = asyncpg_dialect()

type Row = asyncpg.Record
type Values = Mapping[str, Any]

type Query = Select[*tuple[Any, ...]]
"""Of columns that are known at run time only."""

NO_VALUES: Values = {}


class Statement:
    """An SQLAlchemy statement that is compiled when it first runs, and then kept.

    What varies between runs is a `bindparam(name, None)` and given by name: a value that was
    forgotten is NULL, which matches nothing. An `autonomous` one is committed at once, by itself,
    and so outlives the error that its request may end in.
    """

    def __init__(self, clause: Executable, *, autonomous: bool = False) -> None:
        """Raises TypeError for ORM options, which would have no effect here."""
        if clause._with_options:  # noqa: SLF001 - no other way
            raise TypeError(
                "The options of a select, such as selectinload, need an ORM session: "
                "`await work.session().scalars(query)`, or `first` and `all` of a repository"
            )
        self.clause = clause
        self.autonomous = autonomous
        self.needs_transaction = not autonomous and not _only_reads(clause)

    @cached_property
    def _compiled(self) -> tuple[str, list[tuple[str, Any, Callable[[Any], Any] | None]]]:
        assert isinstance(self.clause, ClauseElement)
        compiled = self.clause.compile(dialect=DIALECT, compile_kwargs={"render_postcompile": True})
        assert isinstance(compiled, SQLCompiler)
        values = compiled.params
        arguments: list[tuple[str, Any, Callable[[Any], Any] | None]] = []
        for name in compiled.positiontup or ():
            bind = compiled.binds.get(name)
            kind = None if bind is None else bind.type.dialect_impl(DIALECT)
            process = None if kind is None else kind.bind_processor(DIALECT)
            arguments.append((name, values[name], process))
        return str(compiled), arguments

    def bind(self, given: Values) -> tuple[str, list[Any]]:
        """The SQL with its values in order, each as the driver takes it."""
        sql, arguments = self._compiled
        get = given.get
        return sql, [
            get(name, default) if process is None else process(get(name, default))
            for name, default, process in arguments
        ]


def needs_session(query: Select[*tuple[Any, ...]]) -> bool:
    """Whether it has ORM options, or joins that may be of entities.

    Raises TypeError when it selects more than one entity.
    """
    if len(query._raw_columns) > 1:  # noqa: SLF001 - no other way, here and below
        raise TypeError(
            "A repository answers instances of its model: for further columns use "
            "`await work.session().execute(query)`"
        )
    return bool(query._with_options or query._setup_joins)  # noqa: SLF001


def _only_reads(clause: Executable) -> bool:
    if not isinstance(clause, Select) or clause._for_update_arg is not None:  # noqa: SLF001 - no other way
        return False
    return not any(isinstance(each, UpdateBase) for each in visitors.iterate(clause))
