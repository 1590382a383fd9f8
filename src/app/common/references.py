"""References to rows, and what happens to them when such a row is deleted.

A foreign key does not see a soft delete. So a transaction that writes a reference locks the row it
refers to, and one that deletes a row looks for references after it has locked the row. When two
meet, one waits for the other, and then sees what that one did. A row is locked before those that
refer to it, and the rows of one table in one order.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import (
    Column,
    Executable,
    Select,
    Table,
    Update,
    Uuid,
    any_,
    bindparam,
    func,
    select,
    update,
)

from app.common import bulk_sql
from app.common.sql_filters import bind_array
from app.core.models import Entity, OnDelete
from app.core.registry import load_models
from app.core.repository import EVERYONE, Caller, Everyone
from app.database.sql import Row, Statement
from app.database.unit_of_work import UnitOfWork
from app.exceptions import Conflict, FieldError, Invalid


@dataclass(frozen=True, slots=True)
class Parent:
    """A table that `fields` refer to. `hold` locks the rows of `ids`, `hold_own` the caller's."""

    fields: Sequence[str]
    hold: Statement
    hold_own: Statement


@dataclass(frozen=True, slots=True)
class Child:
    """A column that refers to the table. The statement carries out the rule for `ids`."""

    table: Table
    rule: OnDelete
    statement: Statement


class References:
    """The references of one entity's rows, and those to them."""

    def __init__(self, model: type[Entity]) -> None:
        """Raises TypeError for a rule that cannot be carried out on its column."""
        self._name = model.__name__
        self._table = model.metadata.tables[model.__tablename__]
        columns = list(_referring(self._table))
        self._fields = [column.name for column in columns]
        for column in columns:
            if column.info["ondelete"] == "setnull" and not column.nullable:
                raise TypeError(
                    f"{self._name}.{column.name}: setnull needs a column that may be null"
                )

    async def require(
        self, work: UnitOfWork, caller: Caller, rows: Sequence[BaseModel], *, many: bool = False
    ) -> None:
        """Lock the rows that these refer to until the transaction ends.

        Raises Invalid where there is no such live row that the caller may see. With `many`, the
        rows are the `items` of a body.
        """
        if not self._fields:
            return
        values = {field: [getattr(row, field, None) for row in rows] for field in self._fields}
        if missing := await self._missing(work, caller, values):
            raise Invalid(
                errors=[
                    missing_reference(field, "items", at) if many else missing_reference(field)
                    for at, field in missing
                ]
            )

    async def require_of(self, work: UnitOfWork, caller: Caller, row: Row) -> None:
        """The same for a row that has just been restored; raises Conflict."""
        if not self._fields:
            return
        values = {field: [row[field]] for field in self._fields}
        if missing := await self._missing(work, caller, values):
            errors = [missing_reference(field) for _, field in missing]
            raise Conflict(errors[0].message, errors=errors)

    async def follow(self, work: UnitOfWork, ids: Sequence[UUID]) -> None:
        """Carry out the rules of all references to rows that this transaction has deleted.

        Raises Conflict where one of them is `restrict`.
        """
        gone = [(self._table, ids)]
        restricted: list[tuple[Child, Sequence[UUID]]] = []
        for table, deleted in gone:  # it grows meanwhile
            for child in _children(table):
                if child.rule == "restrict":
                    restricted.append((child, deleted))
                    continue
                written = await work.fetch(child.statement, {"ids": deleted})
                if written and child.rule == "cascade":
                    gone.append((child.table, [row["id"] for row in written]))
        # Check restrict last: rows deleted in this cascade must not block it.
        for child, deleted in restricted:
            row = await work.fetch_one(child.statement, {"ids": deleted})
            if row is not None:
                what = (
                    f"{self._name} {row[0]}"
                    if row[0] in ids
                    else "A row that would be deleted with it"
                )
                raise Conflict(still_needed(what, child.table))

    async def hold(self, work: UnitOfWork, ids: Mapping[str, Sequence[UUID]]) -> None:
        """The same as `require` for rows that an ORM session has written; ids by field.

        Raises Invalid where that is no live row. A session knows no caller.
        """
        values: dict[str, Sequence[UUID]] = {field: ids.get(field, ()) for field in self._fields}
        if missing := await self._missing(work, EVERYONE, values):
            raise Invalid(errors=[missing_reference(field) for _, field in missing])

    @cached_property
    def _parents(self) -> Sequence[Parent]:
        load_models()
        fields: dict[Table, list[str]] = {}
        for column in _referring(self._table):
            fields.setdefault(_target(column), []).append(column.name)
        # In the order in which a delete locks them.
        return [
            Parent(
                fields[table],
                Statement(_hold(table, own=False)),
                Statement(_hold(table, own="owner_id" in table.columns)),
            )
            for table in self._table.metadata.sorted_tables
            if table in fields
        ]

    async def _missing(
        self, work: UnitOfWork, caller: Caller, values: Mapping[str, Sequence[UUID | None]]
    ) -> list[tuple[int, str]]:
        """Lock the rows that these columns refer to; return position and field of missing ones."""
        missing: list[tuple[int, str]] = []
        for parent in self._parents:
            wanted = {id for field in parent.fields for id in values[field] if id is not None}
            if not wanted:
                continue
            hold = parent.hold if isinstance(caller, Everyone) else parent.hold_own
            found = await work.fetch(hold, {"ids": list(wanted), "caller": caller})
            absent = wanted.difference(row["id"] for row in found)
            for field in parent.fields:
                missing += [(at, field) for at, id in enumerate(values[field]) if id in absent]
        return sorted(missing)


def still_needed(row: str, child: Table) -> str:
    return f"{row} is still referred to by {child.name.replace('_', ' ')}"


def missing_reference(field: str, *at: str | int) -> FieldError:
    message = f"{field} refers to something that does not exist"
    return FieldError(("body", *at, field), message, "reference")


def _referring(table: Table) -> Iterator[Column[Any]]:
    return (column for column in table.columns if "ondelete" in column.info)


def _target(column: Column[Any]) -> Table:
    [key] = column.foreign_keys
    return key.column.table


@cache
def _children(table: Table) -> Sequence[Child]:
    load_models()
    return [
        Child(each, column.info["ondelete"], Statement(RULES[column.info["ondelete"]](column)))
        for each in table.metadata.sorted_tables
        for column in _referring(each)
        if _target(column) is table
    ]


def _hold(table: Table, *, own: bool) -> Select[Any]:
    rows = table.columns
    query = select(rows.id).where(rows.id == any_(bind_array("ids", Uuid())))
    if own:
        query = query.where(rows.owner_id == bindparam("caller", None, Uuid()))
    live = query.where(rows.deleted_at.is_(None))
    return live.order_by(*bulk_sql.lock_order(table)).with_for_update(read=True)


def _live(column: Column[Any]) -> Select[Any]:
    """The column of the live rows that refer to any of `ids`."""
    refers = column == any_(bind_array("ids", Uuid()))
    return select(column).where(refers, column.table.columns.deleted_at.is_(None))


def _write(column: Column[Any], values: dict[str, Any]) -> Update:
    table = column.table
    assert isinstance(table, Table)
    id = table.columns.id
    found = _live(column).with_only_columns(id).order_by(*bulk_sql.lock_order(table))
    locked = found.with_for_update().cte("locked")
    return (
        update(table)
        .where(id.in_(select(locked.columns.id)))
        .values(values | bulk_sql.written(table))
        .returning(id)
    )


RULES: dict[OnDelete, Callable[[Column[Any]], Executable]] = {
    "restrict": lambda column: _live(column).limit(1),
    "cascade": lambda column: _write(column, {"deleted_at": func.now()}),
    "setnull": lambda column: _write(column, {column.name: None}),
}

UnitOfWork.reference_rules = staticmethod(cache(References))
