"""Many rows as one array per column, which `unnest` turns back into rows.

However many rows there are, the statement stays the same and has few parameters: PostgreSQL takes
no more than 32,767 of them.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import BaseModel
from sqlalchemy import (
    ARRAY,
    Boolean,
    Column,
    ColumnElement,
    Insert,
    String,
    Table,
    TableValuedAlias,
    Text,
    Update,
    and_,
    bindparam,
    case,
    cast,
    collate,
    column,
    exists,
    false,
    func,
    literal_column,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.types import TypeEngine

from app.common.array_text import ArrayText
from app.common.sql_filters import bind_array, unbounded
from app.core.models import natural_key
from app.core.repository import Outcome
from app.database.sql import Query
from app.exceptions import FieldError, Invalid

BATCH = 1000  # rows per statement: Python prepares the next ones while the server writes these

# Columns of our own beside a table's, of which none can have such a name.
_POSITION, _NUMBER = "#position", "#number"

type Key = tuple[Any, ...]


def keys_of(rows: Sequence[BaseModel], fields: Sequence[str]) -> list[Key]:
    """The natural key of each row, by which they are sorted before they are written."""
    return list(zip(*columns_of(rows, fields), strict=True)) or [()] * len(rows)


def columns_of(rows: Sequence[BaseModel], names: Iterable[str]) -> list[list[Any]]:
    """The fields of these names, each as a list of all rows' values."""
    fields = [vars(row) for row in rows]
    return [[each[name] for each in fields] for name in names]


def distinct_keys_of(rows: Sequence[BaseModel], fields: Sequence[str]) -> list[Key]:
    """The natural key of each row. Raises Invalid when two rows have the same one."""
    keys = keys_of(rows, fields)
    if len(set(keys)) == len(keys):
        return keys
    first: dict[Key, int] = {}
    errors = []
    names = " and ".join(fields)
    for position, key in enumerate(keys):
        if (earlier := first.setdefault(key, position)) != position:
            message = f"items {earlier} and {position} have the same {names}"
            loc = ("body", "items", position, fields[0])
            errors.append(FieldError(loc, message, "duplicate_key"))
    raise Invalid("Two items of one request may not have the same key", errors=errors)


def set_fields(rows: Sequence[BaseModel], names: Iterable[str]) -> tuple[list[str], bool]:
    """The fields that at least one row sets, and whether all rows set the same ones."""
    each_row = [row.model_fields_set for row in rows]
    anywhere = each_row[0]
    same = each_row.count(anywhere) == len(rows)
    if not same:
        anywhere = anywhere.union(*each_row)
    return [name for name in names if name in anywhere], same


def flags(rows: Sequence[BaseModel], names: Iterable[str]) -> dict[str, list[bool]]:
    """For each of the fields, whether a row sets it."""
    return {_flag(name): [name in row.model_fields_set for row in rows] for name in names}


def create(table: Table, names: Sequence[str]) -> Insert:
    return insert(table).from_select(names, _rows(table, names)).returning(*table.columns)


# The next three return a row's outcome, its id and its natural key. Their `key` has the columns of
# the unique index, the owner among them.


def upsert(table: Table, names: Sequence[str], key: Sequence[str], fields: Sequence[str]) -> Insert:
    """Insert new rows, and give existing ones the new values of `fields` where those differ.

    Every existing row is locked, in the order of the arrays. Only rows that were written are
    returned; one of version 1 is new.
    """
    statement = insert(table).from_select(names, _rows(table, names))
    new = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=key,
        index_where=table.columns.deleted_at.is_(None),
        set_={name: new[name] for name in fields} | written(table),
        where=or_(false(), *(table.columns[name].is_distinct_from(new[name]) for name in fields)),
    ).returning(
        case((table.columns.version == text("1"), _outcome("created")), else_=_outcome("updated")),
        *_identity(table),
    )


def update_set_fields(table: Table, key: Sequence[str], fields: Sequence[str]) -> Update:
    """Give existing rows the fields that their item sets, where those differ."""
    flags = [Column(_flag(name), Boolean) for name in fields]
    data = _source(table, [*key, *fields], key=key, flags=flags)
    sets = {name: data.columns[_flag(name)] for name in fields}
    new = {name: _value(data, table.columns[name]) for name in fields}
    differs = [and_(sets[name], table.columns[name].is_distinct_from(new[name])) for name in fields]
    values = {name: case((sets[name], new[name]), else_=table.columns[name]) for name in fields}
    return (
        update(table)
        .values(values | written(table))
        .where(*_live(table, key, data), or_(false(), *differs))
        .returning(_outcome("updated"), *_identity(table))
    )


def find(table: Table, key: Sequence[str]) -> Query:
    return select(_outcome("unchanged"), *_identity(table)).where(
        *_live(table, key, _source(table, key, key=key))
    )


def colliding(table: Table, unique: Sequence[str], key: Sequence[str], *, live: bool) -> Query:
    """The positions, from 1, of rows whose `unique` columns another one has, and if that is sure.

    Another one is a row before it, or a stored one; with `live` only one that is not deleted, and
    with a `key` only one of another key. It is not sure where the rows write that one as well.
    """
    names = [*dict.fromkeys([*unique, *key])]
    data = _source(table, names, numbered=True)
    values = {name: _value(data, table.columns[name]) for name in names}
    compared = [values[name] for name in unique]
    number = func.row_number().over(partition_by=compared, order_by=data.columns[_POSITION])
    named = [value.label(name) for name, value in values.items()]
    found = select(data.columns[_POSITION], number.label(_NUMBER), *named)
    rows = found.where(*(value.is_not(None) for value in compared)).cte("rows")
    same = [table.columns[name] == rows.columns[name] for name in unique]
    if live:
        same.append(table.columns.deleted_at.is_(None))
    repeated = rows.columns[_NUMBER] > literal_column("1")
    if not key:
        sure = taken = or_(repeated, exists().where(*same))
    else:
        same.append(or_(*(table.columns[name] != rows.columns[name] for name in key)))
        written = rows.alias("written")
        is_written = exists().where(*(table.columns[name] == written.columns[name] for name in key))
        taken = or_(repeated, exists().where(*same))
        sure = or_(repeated, exists().where(*same, ~is_written))
    return select(rows.columns[_POSITION], sure).where(taken).order_by(rows.columns[_POSITION])


def lock_order(table: Table) -> list[ColumnElement[Any]]:
    """The one order in which many rows of a table are locked, so that there are no deadlocks.

    It is the order of the natural key as Python sorts it, text by its code points, because new rows
    are inserted in that order.
    """
    keys = [table.columns[name] for name in natural_key(table)]
    ordered = [collate(key, "C") if isinstance(key.type, String) else key for key in keys]
    return [*ordered, table.columns.id]


def written(table: Table) -> dict[str, ColumnElement[Any]]:
    """What every write of a row changes, besides its fields."""
    return {"version": table.columns.version + 1, "updated_at": func.now()}


def _outcome(outcome: Outcome) -> ColumnElement[str]:
    return literal_column(f"'{outcome}'", Text())


def _flag(name: str) -> str:
    return f"sets_{name}"


def _identity(table: Table) -> list[Column[Any]]:
    return [table.columns.id, *(table.columns[name] for name in natural_key(table))]


def _live(table: Table, key: Sequence[str], data: TableValuedAlias) -> list[ColumnElement[bool]]:
    same = [table.columns[name] == data.columns[name] for name in key]
    return [table.columns.deleted_at.is_(None), *same]


def _rows(table: Table, names: Sequence[str]) -> Query:
    data = _source(table, names)
    return select(*(_value(data, table.columns[name]) for name in names))


def _value(data: TableValuedAlias, of: Column[Any]) -> ColumnElement[Any]:
    value: ColumnElement[Any] = data.columns[of.name]
    if not isinstance(of.type, ARRAY):
        return value
    element = of.type.item_type
    if isinstance(element, String) and not isinstance(element, Text):
        return cast(value, ARRAY(String()))  # which TEXT[] does not compare with
    return cast(value, ARRAY(unbounded(element)))


def _source(
    table: Table,
    names: Sequence[str],
    *,
    key: Sequence[str] = (),
    flags: Sequence[Column[Any]] = (),
    numbered: bool = False,
) -> TableValuedAlias:
    """The rows of the arrays. Columns of the `key` are bound as arrays, the others as texts.

    PostgreSQL cannot see how many elements a text has, and expects ten: joined by it, ten thousand
    rows would make it sort the whole table.
    """
    columns = [*(table.columns[name] for name in names), *flags]
    arrays = [
        bind_array(each.name, each.type)
        if each.name in key
        else cast(bindparam(each.name, None, ArrayText(each.type)), ARRAY(_element(each.type)))
        for each in columns
    ]
    named = [column(each.name, _element(each.type)) for each in columns]
    numbers = {"with_ordinality": _POSITION} if numbered else {}
    return func.unnest(*arrays).table_valued(*named, name="data", **numbers).render_derived()


def _element(kind: TypeEngine[Any]) -> TypeEngine[Any]:
    """What an array of a column's values holds: where they are arrays, their texts."""
    return Text() if isinstance(kind, ARRAY) else unbounded(kind)
