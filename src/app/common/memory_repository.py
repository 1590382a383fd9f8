"""The repository contract kept in a dictionary, to test a service's rules without a database."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from functools import cmp_to_key
from operator import eq, ge, gt, le, lt, ne
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from app.common import bulk_sql
from app.common.collisions import of_rows
from app.common.rows import insert_defaults
from app.core.filters import Filter
from app.core.list_query import Condition, Deleted, Operator, Selection, SortKey
from app.core.models import Entity
from app.core.pagination import Page, window
from app.core.repository import (
    AbstractRepository,
    Caller,
    Everyone,
    Outcome,
    Upserted,
    Versions,
)
from app.core.schemas import field_names
from app.exceptions import Conflict, FieldError, NotFound


class MemoryRepository[ModelT: Entity, CreateT: BaseModel, UpdateT: BaseModel](
    AbstractRepository[ModelT, CreateT, UpdateT]
):
    """Repositories of several callers share the `rows` they are given, as they would a table.

    A write replaces the row's instance: what was read before stays as it was read. It knows no
    other entity: every reference is accepted, and a delete has no effect on other rows.
    """

    def __init__(self, caller: Caller, rows: dict[UUID, ModelT] | None = None) -> None:
        super().__init__(caller)
        self.rows: dict[UUID, ModelT] = {} if rows is None else rows
        self._table = self.model.metadata.tables[self.model.__tablename__]

    async def get(self, id: UUID) -> ModelT | None:
        row = self._mine(id)
        return row if row is not None and row.deleted_at is None else None

    async def list(self, filters: Filter) -> Page[ModelT]:
        query = filters.list_query
        order, position = query.selection.order, query.position
        sign = -1 if position is not None and position.backwards else 1

        def key(row: ModelT) -> tuple[Any, ...]:
            return tuple(_value(row, each.field) for each in order)

        def compare(one: tuple[Any, ...], other: tuple[Any, ...]) -> int:
            return _compare(order, one, other) * sign

        matching = self._matching(query.selection)
        found = sorted(matching, key=lambda row: cmp_to_key(compare)(key(row)))
        if position is None:
            found = found[query.offset :]
        elif (sought := position.key) is not None:
            found = [row for row in found if compare(key(row), sought) > 0]
        page = window(found[: query.size + 1], query, key)
        return Page[ModelT].create(
            page.rows,
            filters,
            query=query,
            total=None if query.total == "none" else len(matching),
            following=page.following,
            preceding=page.preceding,
        )

    async def count(self, filters: Filter) -> int:
        return len(self._matching(filters.selection))

    async def create(self, data: CreateT) -> ModelT:
        values = {name: make() for name, make in insert_defaults(self._table).items()}
        if self.owned:
            values["owner_id"] = self.owner_id
        now = datetime.now(UTC)
        values |= {"created_at": now, "updated_at": now, "version": 1, "deleted_at": None}
        return self._store(values | {name: getattr(data, name) for name in field_names(data)})

    async def update(
        self, id: UUID, data: UpdateT, versions: Versions | None = None
    ) -> ModelT | None:
        row = self._of_version(await self.get(id), versions)
        if row is None or not data.model_fields_set:
            return row
        return self._write(row, {name: getattr(data, name) for name in data.model_fields_set})

    async def delete(self, id: UUID, versions: Versions | None = None) -> bool:
        row = self._of_version(await self.get(id), versions)
        if row is not None:
            self._write(row, {"deleted_at": datetime.now(UTC)})
        return row is not None

    async def restore(self, id: UUID, versions: Versions | None = None) -> ModelT | None:
        row = self._of_version(self._mine(id), versions)
        if row is None or row.deleted_at is None:
            return row
        return self._write(row, {"deleted_at": None})

    async def bulk_create(self, data: Sequence[CreateT]) -> Sequence[ModelT]:
        return await self._all(data, self.create)

    async def bulk_upsert(self, data: Sequence[CreateT]) -> Sequence[Upserted]:
        bulk_sql.distinct_keys_of(data, self.natural_key)
        return await self._all(data, self._upsert)

    async def bulk_delete(self, ids: Sequence[UUID]) -> int:
        for id in ids:
            if await self.get(id) is None:
                raise NotFound(f"{self.model.__name__} {id} not found")
        return sum([await self.delete(id) for id in set(ids)])

    def _mine(self, id: UUID) -> ModelT | None:
        row = self.rows.get(id)
        return row if row is not None and self._visible(row) else None

    def _visible(self, row: ModelT) -> bool:
        everyone = not self.owned or isinstance(self.caller, Everyone)
        return everyone or _value(row, "owner_id") == self.caller

    def _listed(self, deleted: Deleted = "exclude") -> Sequence[ModelT]:
        wanted = {"exclude": {False}, "only": {True}, "include": {False, True}}[deleted]
        rows = self.rows.values()
        return [
            row for row in rows if (row.deleted_at is not None) in wanted and self._visible(row)
        ]

    def _matching(self, selection: Selection) -> Sequence[ModelT]:
        found = self._listed(selection.deleted)
        for condition in selection.conditions:
            found = [row for row in found if _fulfils(row, condition)]
        if selection.search_term is not None:
            term = selection.search_term.lower()
            fields = selection.search_fields
            found = [
                row for row in found if any(term in (_value(row, f) or "").lower() for f in fields)
            ]
        return found

    async def _all[ResultT](
        self, data: Sequence[CreateT], write: Callable[[CreateT], Awaitable[ResultT]]
    ) -> Sequence[ResultT]:
        """Write all or none. Raises Conflict with the position of the first that is refused."""
        before, written = dict(self.rows), []
        for position, each in enumerate(data):
            try:
                written.append(await write(each))
            except Conflict as conflict:
                self.rows.clear()
                self.rows.update(before)
                raise of_rows(conflict, [position]) from None
        return written

    async def _upsert(self, data: CreateT) -> Upserted:
        [key] = bulk_sql.keys_of([data], self.natural_key)
        for row in self._listed():
            if tuple(_value(row, name) for name in self.natural_key) == key:
                values = {name: getattr(data, name) for name in data.model_fields_set}
                changes = {name: new for name, new in values.items() if _value(row, name) != new}
                if changes:
                    self._write(row, changes)
                outcome: Outcome = "updated" if changes else "unchanged"
                return Upserted(row.id, outcome)
        return Upserted((await self.create(data)).id, "created")

    def _write(self, row: ModelT, changes: dict[str, Any]) -> ModelT:
        values = {column.name: _value(row, column.name) for column in self._table.columns}
        written = {"version": row.version + 1, "updated_at": datetime.now(UTC)}
        return self._store(values | written | changes)

    def _store(self, values: dict[str, Any]) -> ModelT:
        row = self.model(**values)
        for index in (each for each in self._table.indexes if each.unique):
            columns = [column.name for column in index.columns]
            taken = any(
                all(_value(other, name) == values[name] for name in columns)
                for other in self.rows.values()
                if other.id != row.id and other.deleted_at is None and row.deleted_at is None
            )
            if taken:
                fields = [name for name in columns if name != "owner_id"]
                raise Conflict(
                    f"{' and '.join(fields)} is already taken",
                    errors=[
                        FieldError(("body", name), f"{name} is already taken", "unique")
                        for name in fields
                    ],
                )
        self.rows[row.id] = row
        return row


def _value(row: Entity, field: str) -> Any:
    return getattr(row, field)


def _compare(order: Sequence[SortKey], one: Sequence[Any], other: Sequence[Any]) -> int:
    """Whether one row's keys come before (-1) or after the other's (1); NULLs last."""
    for key, a, b in zip(order, one, other, strict=True):
        if a is None or b is None:
            if a is not b:
                return 1 if a is None else -1
        elif a != b:
            return 1 if (a > b) != key.descending else -1
    return 0


def _fulfils(row: Entity, condition: Condition) -> bool:
    value = _value(row, condition.field)
    if condition.operator in NULL_SAFE:
        return NULL_SAFE[condition.operator](value, condition.value)
    return value is not None and OPERATORS[condition.operator](value, condition.value)


NULL_SAFE: dict[Operator, Callable[[Any, Any], bool]] = {
    Operator.NEQ: ne,
    Operator.NOT_IN: lambda value, given: value not in given,
    Operator.ISNULL: lambda value, given: (value is None) == given,
}

OPERATORS: dict[Operator, Callable[[Any, Any], bool]] = {
    Operator.EQ: eq,
    Operator.IN: lambda value, given: value in given,
    Operator.GT: gt,
    Operator.GTE: ge,
    Operator.LT: lt,
    Operator.LTE: le,
    Operator.ICONTAINS: lambda value, given: given.lower() in value.lower(),
    Operator.ISTARTSWITH: lambda value, given: value.lower().startswith(given.lower()),
}
