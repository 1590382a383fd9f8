"""Which rows of a bulk write have a unique value that is taken.

PostgreSQL ends the statement at the first one, and tells only by words which that was. So it is
asked once more, beside the transaction, which has failed.
"""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from sqlalchemy import Column, Index, Table, UniqueConstraint

from app.common import bulk_sql
from app.core.models import index_condition, is_among_live
from app.database.sql import Statement
from app.database.unit_of_work import UnitOfWork
from app.exceptions import Conflict, FieldError


class Unique(NamedTuple):
    columns: Sequence[str]
    live: bool  # of live rows alone


@asynccontextmanager
async def rows_named(
    work: UnitOfWork,
    table: Table,
    columns: Callable[[], Mapping[str, Sequence[Any]]],
    key: Sequence[str] = (),
) -> AsyncGenerator[None]:
    """Raises a Conflict of what runs within with the rows that it is about, where they are known.

    `columns` gives the rows in the order of the request. `key` has the columns by which an upsert
    finds its row, which may keep its own values.
    """
    try:
        yield
    except Conflict as conflict:
        unique = _unique(table, conflict.constraint)
        given = columns() if unique else {}
        if unique is None or not given.keys() >= {*unique.columns, *key}:
            raise
        statement = Statement(bulk_sql.colliding(table, unique.columns, key, live=unique.live))
        found = await work.look_aside(statement, given)
        rows = [row for row in found if row[1]] or found
        if not rows:
            raise
        raise of_rows(conflict, [row[0] - 1 for row in rows]) from None


def of_rows(conflict: Conflict, positions: Sequence[int]) -> Conflict:
    errors = [
        FieldError(("body", "items", position, each.loc[-1]), each.message, each.code)
        for position in positions
        for each in conflict.errors
    ]
    return Conflict(conflict.detail, errors=errors)


def _unique(table: Table, name: str | None) -> Unique | None:
    """The index or constraint of this name, if it compares columns alone, of all or live rows."""
    for each in (*table.indexes, *table.constraints):
        if name is None or str(each.name) != name:
            continue
        if isinstance(each, UniqueConstraint):
            return Unique([column.name for column in each.columns], live=False)
        if isinstance(each, Index) and all(isinstance(part, Column) for part in each.expressions):
            live = is_among_live(each)
            if live or index_condition(each) is None:
                return Unique([column.name for column in each.columns], live=live)
    return None
