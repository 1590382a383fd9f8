"""Seeks a position in an ordered list by comparing rows, so that depth costs nothing.

`(a, id) > ($1, $2)` is one range of an index. With OR between its parts it would be none, and a
NULL fulfils neither. So what lies behind a position is cut into ranges that do not overlap, each
of which an index on the sort keys serves by itself, in either direction: those rows that compare as
behind, and where a key may be NULL, those with NULL.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    FromClause,
    Table,
    bindparam,
    select,
    tuple_,
    union_all,
)

from app.common.rows import listed
from app.common.sql_filters import unbounded
from app.core.list_query import Position, SortKey
from app.database.sql import Query


class Shape(NamedTuple):
    """What of a position changes the SQL: of each value, whether it is NULL."""

    nulls: tuple[bool, ...] | None
    backwards: bool


@dataclass(frozen=True, slots=True, eq=False)
class Key:
    """A sort key in the direction of the walk, and the value that the position has for it."""

    column: ColumnElement[Any]
    descending: bool
    nullable: bool
    value: BindParameter[Any]
    is_null: bool

    @property
    def equals(self) -> ColumnElement[bool]:
        return self.column.is_(None) if self.is_null else self.column == self.value


@dataclass(frozen=True, slots=True)
class Range:
    """`conditions` narrow a query to the range, in which `known` fields need no NULLS LAST."""

    conditions: tuple[ColumnElement[bool], ...] = ()
    known: frozenset[str] = frozenset()


def shape(position: Position) -> Shape:
    key = position.key
    nulls = None if key is None else tuple(value is None for value in key)
    return Shape(nulls, position.backwards)


def values(position: Position) -> dict[str, Any]:
    """What to bind, by parameter."""
    return {_parameter(at): value for at, value in enumerate(position.key or ())}


def order_by(
    table: Table,
    keys: Sequence[SortKey],
    *,
    backwards: bool = False,
    known: frozenset[str] = frozenset(),
    source: FromClause | None = None,
) -> list[ColumnElement[Any]]:
    """NULLs last in both directions, and first on the way back.

    Said only where there can be one, so that an index need not be made for it. The columns are
    those of `source`, if the rows come from there.
    """
    clauses: list[ColumnElement[Any]] = []
    for key in keys:
        column = (table if source is None else source).columns[key.field]
        clause = column.desc() if key.descending != backwards else column.asc()
        if table.columns[key.field].nullable and key.field not in known:
            clause = clause.nulls_first() if backwards else clause.nulls_last()
        clauses.append(clause)
    return clauses


def walk(
    query: Query,
    table: Table,
    keys: Sequence[SortKey],
    position: Shape,
    limit: BindParameter[int],
) -> Query:
    """The first rows of a query behind the position, in the order of the walk."""
    backwards = position.backwards
    parts = [
        query.where(*each.conditions)
        .order_by(*order_by(table, keys, backwards=backwards, known=each.known))
        .limit(limit)
        for each in ranges(table, keys, position)
    ]
    if len(parts) == 1:
        return parts[0].with_only_columns(*listed(table), maintain_column_froms=True)
    found = union_all(*(select(each.subquery()) for each in parts)).subquery("found")
    in_order = order_by(table, keys, backwards=backwards, source=found)
    return select(*listed(table, found)).order_by(*in_order).limit(limit)


def ranges(table: Table, keys: Sequence[SortKey], position: Shape) -> Iterator[Range]:
    """What lies behind the position in the direction of the walk."""
    if position.nulls is None:
        yield from _everything(table, keys[0].field)
        return
    sought = [
        _key(table, at, key, is_null=is_null, backwards=position.backwards)
        for at, (key, is_null) in enumerate(zip(keys, position.nulls, strict=True))
    ]
    fields = [key.field for key in keys]
    for at, key in enumerate(sought):
        same = tuple(each.equals for each in sought[:at])
        known = frozenset(fields[: at + 1])
        if key.is_null and position.backwards:
            yield Range((*same, key.column.is_not(None)), known)
        elif key.nullable and not key.is_null and not position.backwards:
            yield Range((*same, key.column.is_(None)), known)
    start = 0
    for (is_null, descending), run in groupby(sought, lambda key: (key.is_null, key.descending)):
        compared = list(run)
        if not is_null:
            same = tuple(each.equals for each in sought[:start])
            row = tuple_(*(key.column for key in compared))
            sought_row = tuple_(*(key.value for key in compared))
            behind = row < sought_row if descending else row > sought_row
            yield Range((*same, behind), frozenset(fields[: start + 1]))
        start += len(compared)


def _everything(table: Table, first: str) -> Iterator[Range]:
    column = table.columns[first]
    if not column.nullable:
        yield Range()
        return
    yield Range((column.is_not(None),), frozenset({first}))
    yield Range((column.is_(None),), frozenset({first}))


def _key(table: Table, at: int, key: SortKey, *, is_null: bool, backwards: bool) -> Key:
    column = table.columns[key.field]
    value: BindParameter[Any] = bindparam(_parameter(at), None, type_=unbounded(column.type))
    return Key(column, key.descending != backwards, bool(column.nullable), value, is_null)


def _parameter(at: int) -> str:
    return f"position_{at}"
