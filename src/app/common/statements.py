"""The SQL of one entity, compiled once per shape and then kept."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BindParameter,
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
    literal_column,
    select,
    update,
)

from app.common import bulk_sql, keyset, sql_filters
from app.common.rows import listed
from app.common.sql_filters import bind_array
from app.core.list_query import Deleted, ListQuery, Operator, Position, Selection
from app.core.models import Entity
from app.database.sql import Query, Statement

MAX_KEPT = 500  # per entity: clients may ask for more shapes than fit into memory
DEEP = 1000  # rows to skip, from which on it is faster to skip ids alone


class Statements[ModelT: Entity]:
    """Each statement is narrowed to live rows, and when `scoped`, to those of the caller.

    The values to bind are `caller`, `row_id` or `ids`, and what the methods' docstrings name.
    """

    def __init__(self, model: type[ModelT], *, scoped: bool) -> None:
        self.model = model
        self.table = model.metadata.tables[model.__tablename__]
        self.scoped = scoped
        self._kept: dict[Hashable, Statement] = {}

    def query(self, deleted: Deleted = "exclude", caller: UUID | None = None) -> Select[ModelT]:
        """What a `caller` may see without its value being bound again; else binds `caller`."""
        return select(self.model).where(*self._visible(deleted, caller))

    def get(self, deleted: Deleted = "exclude") -> Statement:
        return self._keep(("get", deleted), lambda: self.query(deleted).where(self._is_row()))

    def page(self, query: ListQuery) -> Statement:
        """Binds `limit` and `offset`, and what `sql_filters.values` has."""
        selection, deep = query.selection, query.offset >= DEEP
        build = self._deep_page if deep else self._shallow_page
        return self._keep(
            ("page", deep, selection.order, _shape(selection)), lambda: build(selection)
        )

    def walk(self, selection: Selection, position: Position) -> Statement:
        """Binds `limit`, and what `keyset.values` and `sql_filters.values` have."""
        shape, order = keyset.shape(position), selection.order
        return self._keep(
            ("walk", shape, order, _shape(selection)),
            lambda: keyset.walk(
                self._matching(selection), self.table, order, shape, _bound("limit")
            ),
        )

    def count(self, selection: Selection, limit: int | None = None) -> Statement:
        """Counts the rows, or no more of them than the limit. Binds `sql_filters.values`."""
        return self._keep(
            ("count", limit, _shape(selection)), lambda: self._count(selection, limit)
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

    def update(self, fields: Sequence[str], *, versioned: bool) -> Statement:
        """Binds the new value of a field as `new_` and its name.

        As in the next two, a `versioned` statement writes only a row of one of the `versions`.
        """
        values: dict[str, Any] = {name: bindparam(f"new_{name}", None) for name in fields}
        return self._keep(
            ("update", versioned, *fields),
            lambda: self._write("exclude", values, versioned).returning(*self.table.columns),
        )

    def delete(self, *, versioned: bool) -> Statement:
        return self._keep(
            ("delete", versioned),
            lambda: self._write("exclude", {"deleted_at": func.now()}, versioned),
        )

    def restore(self, *, versioned: bool) -> Statement:
        return self._keep(
            ("restore", versioned),
            lambda: self._write("only", {"deleted_at": None}, versioned).returning(
                *self.table.columns
            ),
        )

    def bulk_create(self, names: Sequence[str]) -> Statement:
        return self._keep(("bulk create", *names), lambda: bulk_sql.create(self.table, names))

    def bulk_upsert(
        self, names: Sequence[str], key: Sequence[str], fields: Sequence[str]
    ) -> Statement:
        return self._keep(
            ("bulk upsert", *names, None, *fields),
            lambda: bulk_sql.upsert(self.table, names, key, fields),
        )

    def bulk_update_set_fields(self, key: Sequence[str], fields: Sequence[str]) -> Statement:
        return self._keep(
            ("bulk update", *fields),
            lambda: bulk_sql.update_set_fields(self.table, key, fields),
        )

    def bulk_find(self, key: Sequence[str]) -> Statement:
        return self._keep("bulk find", lambda: bulk_sql.find(self.table, key))

    def bulk_delete(self) -> Statement:
        """Binds `expected`, how many rows there must be for any of them to go."""
        return self._keep("bulk delete", self._delete_all)

    def ids_among(self) -> Statement:
        return self._keep(
            "ids among",
            lambda: self.query().with_only_columns(self.table.columns.id).where(self._is_among()),
        )

    def _keep(self, shape: Hashable, build: Callable[[], Executable]) -> Statement:
        statement = self._kept.pop(shape, None)
        if statement is None:
            if len(self._kept) >= MAX_KEPT:
                del self._kept[next(iter(self._kept))]
            statement = Statement(build())
        self._kept[shape] = statement  # now the last to make room
        return statement

    def _scope(self, caller: UUID | None) -> Sequence[ColumnElement[bool]]:
        if not self.scoped:
            return []
        return [self.table.columns.owner_id == bindparam("caller", caller, Uuid())]

    def _visible(
        self, deleted: Deleted, caller: UUID | None = None
    ) -> Sequence[ColumnElement[bool]]:
        at = self.table.columns.deleted_at
        in_bin = {"exclude": [at.is_(None)], "only": [at.is_not(None)], "include": []}
        return [*in_bin[deleted], *self._scope(caller)]

    def _is_row(self) -> ColumnElement[bool]:
        return self.table.columns.id == bindparam("row_id", None, Uuid())

    def _is_among(self) -> ColumnElement[bool]:
        return self.table.columns.id == any_(bind_array("ids", Uuid()))

    def _matching(self, selection: Selection) -> Select[ModelT]:
        query = self.query(selection.deleted).where(
            *(sql_filters.where(self.model, each) for each in selection.conditions)
        )
        if selection.search_term is not None:
            query = query.where(sql_filters.matches_search(self.model, selection.search_fields))
        return query

    def _count(self, selection: Selection, limit: int | None) -> Query:
        rows = self._matching(selection)
        if limit is None:
            return rows.with_only_columns(func.count(), maintain_column_froms=True)
        # With the limit as a parameter, a generic plan would expect a tenth of the table.
        some = rows.with_only_columns(literal_column("1"), maintain_column_froms=True)
        return select(func.count()).select_from(some.limit(literal_column(str(limit))).subquery())

    def _page(self, selection: Selection) -> Select[ModelT]:
        query = self._matching(selection).order_by(*keyset.order_by(self.table, selection.order))
        return query.limit(_bound("limit")).offset(_bound("offset"))

    def _shallow_page(self, selection: Selection) -> Query:
        columns = listed(self.table)
        return self._page(selection).with_only_columns(*columns, maintain_column_froms=True)

    def _deep_page(self, selection: Selection) -> Query:
        # An index that has all columns of the conditions gives the ids without reading a row. They
        # come as an array: for a join, a generic plan would expect a tenth of the table.
        id = self.table.columns.id
        ids = self._page(selection).with_only_columns(id).scalar_subquery()
        return (
            select(*listed(self.table))
            .where(id == any_(func.array(ids)))
            .order_by(*keyset.order_by(self.table, selection.order))
        )

    def _write(self, deleted: Deleted, values: dict[str, Any], versioned: bool) -> Update:  # noqa: FBT001
        rows = [*self._visible(deleted), self._is_row()]
        if versioned:
            rows.append(self.table.columns.version == any_(bind_array("versions", Integer())))
        return update(self.table).where(*rows).values(values | bulk_sql.written(self.table))

    def _delete_all(self) -> Update:
        id = self.table.columns.id
        locked = (
            self.query()
            .with_only_columns(id)
            .where(self._is_among())
            .order_by(*bulk_sql.lock_order(self.table))
            .with_for_update()
            .cte("locked")
        )
        found = select(func.count()).select_from(locked).scalar_subquery()
        return (
            update(self.table)
            .where(id.in_(select(locked.columns.id)), found == _bound("expected"))
            .values(deleted_at=func.now(), **bulk_sql.written(self.table))
        )


def _bound(name: str) -> BindParameter[int]:
    return bindparam(name, None, Integer())


def _shape(selection: Selection) -> Hashable:
    """What of a selection, beside its order, changes the SQL and not only its values."""
    conditions = tuple(
        [
            (each.parameter, each.operator is Operator.ISNULL and each.value)
            for each in selection.conditions
        ]
    )
    searched = selection.search_fields if selection.search_term is not None else ()
    return conditions, searched, selection.deleted
