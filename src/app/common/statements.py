"""The SQL of one entity, compiled once per shape and then kept."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Executable,
    Integer,
    Select,
    Update,
    Uuid,
    any_,
    bindparam,
    func,
    insert,
    select,
    update,
)

from app.common import bulk, sql_filters
from app.common.sql_filters import bind_array
from app.core.filters import Filter, Operator
from app.core.models import Entity
from app.sql import Statement

MAX_KEPT = 500  # of one entity; filters come in more shapes than anyone asks for


class Statements[ModelT: Entity]:
    """Each of them is narrowed to what may be seen: live rows, and when `scoped` the caller's.

    The values to bind are `caller`, `row_id` or `ids`, and what the methods name.
    """

    def __init__(self, model: type[ModelT], *, scoped: bool) -> None:
        self.model = model
        self.table = model.metadata.tables[model.__tablename__]
        self.scoped = scoped
        self._kept: dict[Hashable, Statement] = {}

    def query(self) -> Select[ModelT]:
        return select(self.model).where(*self._visible())

    def get(self) -> Statement:
        return self._keep("get", lambda: self.query().where(self._is_row()))

    def page(self, filters: Filter) -> Statement:
        """Binds `limit` and `offset`, and what `sql_filters.values` has."""
        return self._keep(
            ("page", filters.order, _shape(filters)),
            lambda: (
                self._matching(filters)
                .order_by(*sql_filters.order_by(self.model, filters.order))
                .limit(bindparam("limit", None, Integer()))
                .offset(bindparam("offset", None, Integer()))
            ),
        )

    def count(self, filters: Filter) -> Statement:
        return self._keep(
            ("count", _shape(filters)),
            lambda: self._matching(filters).with_only_columns(
                func.count(), maintain_column_froms=True
            ),
        )

    def create(self, names: Iterable[str]) -> Statement:
        return self._keep(
            ("create", *names),
            lambda: (
                insert(self.table)
                .values({name: bindparam(name, None) for name in names})
                .returning(*self.table.columns)
            ),
        )

    def update(self, fields: Sequence[str]) -> Statement:
        """Binds the new value of a field as `new_` and its name."""
        values: dict[str, Any] = {name: bindparam(f"new_{name}", None) for name in fields}
        return self._keep(
            ("update", *fields),
            lambda: self._write(self._visible(), values).returning(*self.table.columns),
        )

    def delete(self) -> Statement:
        return self._keep(
            "delete", lambda: self._write(self._visible(), {"deleted_at": func.now()})
        )

    def restore(self) -> Statement:
        deleted = [self.table.columns.deleted_at.is_not(None), *self._scope()]
        return self._keep(
            "restore",
            lambda: self._write(deleted, {"deleted_at": None}).returning(*self.table.columns),
        )

    def bulk_create(self, names: Sequence[str]) -> Statement:
        return self._keep(("bulk create", *names), lambda: bulk.create(self.table, names))

    def bulk_upsert(
        self, names: Sequence[str], key: Sequence[str], fields: Sequence[str]
    ) -> Statement:
        return self._keep(
            ("bulk upsert", *names, None, *fields),
            lambda: bulk.upsert(self.table, names, key, fields),
        )

    def bulk_update_set_fields(self, key: Sequence[str], fields: Sequence[str]) -> Statement:
        return self._keep(
            ("bulk update", *fields), lambda: bulk.update_set_fields(self.table, key, fields)
        )

    def bulk_find(self, key: Sequence[str]) -> Statement:
        return self._keep("bulk find", lambda: bulk.find(self.table, key))

    def bulk_delete(self) -> Statement:
        """Binds `expected`, how many rows there must be for any of them to go."""
        return self._keep("bulk delete", self._delete_all)

    def ids_among(self) -> Statement:
        return self._keep(
            "ids among",
            lambda: self.query().with_only_columns(self.table.columns.id).where(self._is_among()),
        )

    def _keep(self, shape: Hashable, build: Callable[[], Executable]) -> Statement:
        statement = self._kept.get(shape)
        if statement is None:
            if len(self._kept) >= MAX_KEPT:
                self._kept.pop(next(iter(self._kept)))
            statement = self._kept[shape] = Statement(build())
        return statement

    def _scope(self) -> Sequence[ColumnElement[bool]]:
        if not self.scoped:
            return []
        return [self.table.columns.owner_id == bindparam("caller", None, Uuid())]

    def _visible(self) -> Sequence[ColumnElement[bool]]:
        return [self.table.columns.deleted_at.is_(None), *self._scope()]

    def _is_row(self) -> ColumnElement[bool]:
        return self.table.columns.id == bindparam("row_id", None, Uuid())

    def _is_among(self) -> ColumnElement[bool]:
        return self.table.columns.id == any_(bind_array("ids", Uuid()))

    def _matching(self, filters: Filter) -> Select[ModelT]:
        query = self.query().where(
            *(sql_filters.where(self.model, each) for each in filters.conditions())
        )
        if filters.search is not None:
            query = query.where(sql_filters.matches_search(self.model, filters))
        return query

    def _write(self, rows: Sequence[ColumnElement[bool]], values: dict[str, Any]) -> Update:
        written = values | bulk.written(self.table)
        return update(self.table).where(*rows, self._is_row()).values(written)

    def _delete_all(self) -> Update:
        id = self.table.columns.id
        # Locked in one order, so that two of these never wait for each other.
        locked = (
            self.query()
            .with_only_columns(id)
            .where(self._is_among())
            .order_by(id)
            .with_for_update()
            .cte("locked")
        )
        found = select(func.count()).select_from(locked).scalar_subquery()
        return (
            update(self.table)
            .where(
                id.in_(select(locked.columns.id)), found == bindparam("expected", None, Integer())
            )
            .values(deleted_at=func.now(), **bulk.written(self.table))
        )


def _shape(filters: Filter) -> Hashable:
    """What of a filter changes the SQL, and not only its values."""
    conditions = tuple(
        (each.parameter, each.operator is Operator.ISNULL and each.value)
        for each in filters.conditions()
    )
    return type(filters), conditions, filters.search is not None
