"""The repository contract kept on PostgreSQL, with statements that are compiled once per shape."""

from collections.abc import Callable, Hashable, Sequence
from typing import Any, ClassVar
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import (
    ColumnElement,
    Executable,
    Integer,
    Select,
    Table,
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
from app.common.rows import Hydrator, insert_defaults
from app.common.sql_filters import bind_array
from app.core.filters import Filter, Operator
from app.core.models import Entity
from app.core.pagination import Page
from app.core.repository import AbstractRepository, Caller, Everyone, Outcome, Upserted
from app.database import Row, Statement, UnitOfWork
from app.exceptions import NotFound

MAX_STATEMENTS = 500  # a repository's: filters come in more shapes than anyone asks for

type Values = dict[str, Any]


class PostgresRepository[ModelT: Entity, CreateT: BaseModel, UpdateT: BaseModel](
    AbstractRepository[ModelT, CreateT, UpdateT]
):
    """Every statement is narrowed to what the caller may see, so that no method can forget it.

    A method of an entity's own reads with `first` or `all` from `query().where(...)`.
    """

    _table: ClassVar[Table]
    _hydrate: ClassVar[Hydrator[Any]]
    _defaults: ClassVar[dict[str, Callable[[], Any]]]
    _statements: ClassVar[dict[Hashable, Statement]]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls._table = cls.model.metadata.tables[cls.model.__tablename__]
        cls._hydrate = Hydrator(cls.model)
        cls._defaults = insert_defaults(cls._table)
        cls._statements = {}

    def __init__(self, work: UnitOfWork, caller: Caller) -> None:
        super().__init__(caller)
        self.work = work
        self._scoped = self.owned and not isinstance(caller, Everyone)

    def query(self) -> Select[ModelT]:
        """The live rows that the caller may see."""
        return select(self.model).where(*self._visible())

    async def first(self, query: Select[ModelT]) -> ModelT | None:
        return self._one(await self.work.fetch_one(query, self._values()))

    async def all(self, query: Select[ModelT]) -> Sequence[ModelT]:
        return [self._hydrate(row) for row in await self.work.fetch(query, self._values())]

    async def get(self, id: UUID) -> ModelT | None:
        statement = self._statement("get", lambda: self.query().where(self._is_row()))
        return self._one(await self.work.fetch_one(statement, self._values(row_id=id)))

    async def list(self, filters: Filter) -> Page[ModelT]:
        statement = self._statement(
            ("list", filters.order, self._shape(filters)), lambda: self._page(filters)
        )
        values = self._values(limit=filters.size, offset=filters.offset)
        rows = await self.work.fetch(statement, values | sql_filters.values(filters))
        items = [self._hydrate(row) for row in rows]
        return Page[ModelT].create(items, filters, total=await self.count(filters))

    async def count(self, filters: Filter) -> int:
        statement = self._statement(
            ("count", self._shape(filters)),
            lambda: self._matching(filters).with_only_columns(
                func.count(), maintain_column_froms=True
            ),
        )
        row = await self.work.fetch_one(statement, self._values() | sql_filters.values(filters))
        assert row is not None
        return int(row[0])

    async def create(self, data: CreateT) -> ModelT:
        values = {name: make() for name, make in self._new_row().items()}
        values |= {name: getattr(data, name) for name in type(data).model_fields}
        statement = self._statement(
            ("create", *values),
            lambda: (
                insert(self._table)
                .values({name: bindparam(name, None) for name in values})
                .returning(*self._table.columns)
            ),
        )
        created = self._one(await self.work.fetch_one(statement, values))
        assert created is not None
        return created

    async def update(self, id: UUID, data: UpdateT) -> ModelT | None:
        fields = sorted(data.model_fields_set)
        if not fields:
            return await self.get(id)
        statement = self._statement(
            ("update", *fields),
            lambda: self._write(
                self._visible(), {name: bindparam(f"new_{name}", None) for name in fields}
            ).returning(*self._table.columns),
        )
        changes = {f"new_{name}": getattr(data, name) for name in fields}
        return self._one(await self.work.fetch_one(statement, self._values(row_id=id, **changes)))

    async def delete(self, id: UUID) -> bool:
        statement = self._statement(
            "delete", lambda: self._write(self._visible(), {"deleted_at": func.now()})
        )
        return await self.work.execute(statement, self._values(row_id=id)) > 0

    async def restore(self, id: UUID) -> ModelT | None:
        deleted = [self._table.columns.deleted_at.is_not(None), *self._scope()]
        statement = self._statement(
            "restore",
            lambda: self._write(deleted, {"deleted_at": None}).returning(*self._table.columns),
        )
        row = await self.work.fetch_one(statement, self._values(row_id=id))
        return self._one(row) if row else await self.get(id)

    async def bulk_create(self, data: Sequence[CreateT]) -> Sequence[ModelT]:
        if not data:
            return []
        values = self._columns(data)
        statement = self._statement(
            ("bulk create", *values), lambda: bulk.create(self._table, list(values))
        )
        rows = {row["id"]: row for row in await self.work.fetch(statement, values)}
        return [self._hydrate(rows[id]) for id in values["id"]]

    async def bulk_upsert(self, data: Sequence[CreateT]) -> Sequence[Upserted]:
        if not data:
            return []
        keys = bulk.keys_of(data, self.natural_key)
        # One order for every writer: concurrent calls over the same keys wait, and never deadlock.
        ordered = sorted(range(len(data)), key=keys.__getitem__)
        rows = [data[position] for position in ordered]
        values = self._columns(rows)
        new_ids = {keys[at]: id for at, id in zip(ordered, values["id"], strict=True)}
        outcomes: dict[bulk.Key, Upserted] = {}

        def note(written: Sequence[Row], outcome: Outcome | None = None) -> None:
            for row in written:
                key = tuple(row[name] for name in self.natural_key)
                made: Outcome = "created" if row["id"] == new_ids[key] else "updated"
                outcomes.setdefault(key, Upserted(row["id"], outcome or made))

        optional = [name for name in type(rows[0]).model_fields if name not in self.natural_key]
        fields, alike = bulk.set_fields(rows, optional)
        key_columns = ["owner_id", *self.natural_key] if self.owned else [*self.natural_key]
        # Items that set different fields: the first statement creates, and locks what exists.
        at_once = fields if alike else []
        upsert = self._statement(
            ("upsert", *values, None, *at_once),
            lambda: bulk.upsert(self._table, list(values), key_columns, at_once),
        )
        note(await self.work.fetch(upsert, values))
        if not alike:
            sets = {
                bulk.flag(name): [name in row.model_fields_set for row in rows] for name in fields
            }
            update_set = self._statement(
                ("update set fields", *fields),
                lambda: bulk.update_set_fields(self._table, key_columns, fields),
            )
            note(await self.work.fetch(update_set, values | sets))
        if len(outcomes) < len(data):
            find = self._statement("find", lambda: bulk.find(self._table, key_columns))
            note(await self.work.fetch(find, values), "unchanged")
        return [outcomes[key] for key in keys]

    async def bulk_delete(self, ids: Sequence[UUID]) -> int:
        statement = self._statement("bulk delete", self._delete_all)
        distinct = tuple(set(ids))
        values = self._values(ids=distinct, expected=len(distinct))
        if await self.work.execute(statement, values) < len(distinct):
            query = self.query().where(self._table.columns.id == any_(bind_array("ids", Uuid())))
            there = {row["id"] for row in await self.work.fetch(query, values)}
            missing = next(id for id in ids if id not in there)
            raise NotFound(f"{self.model.__name__} {missing} not found")
        return len(distinct)

    def _one(self, row: Row | None) -> ModelT | None:
        return None if row is None else self._hydrate(row)

    def _scope(self) -> Sequence[ColumnElement[bool]]:
        if not self._scoped:
            return []
        return [self._table.columns.owner_id == bindparam("caller", None, Uuid())]

    def _visible(self) -> Sequence[ColumnElement[bool]]:
        return [self._table.columns.deleted_at.is_(None), *self._scope()]

    def _is_row(self) -> ColumnElement[bool]:
        return self._table.columns.id == bindparam("row_id", None, Uuid())

    def _values(self, **values: Any) -> Values:
        if self._scoped:
            values["caller"] = self.caller
        return values

    def _statement(self, shape: Hashable, build: Callable[[], Executable]) -> Statement:
        key = (shape, self._scoped)
        statement = self._statements.get(key)
        if statement is None:
            if len(self._statements) >= MAX_STATEMENTS:
                self._statements.pop(next(iter(self._statements)))
            statement = self._statements[key] = Statement(build())
        return statement

    def _shape(self, filters: Filter) -> Hashable:
        """What of a filter changes the SQL, and not only its values."""
        conditions = tuple(
            (each.parameter, each.operator is Operator.ISNULL and each.value)
            for each in filters.conditions()
        )
        return type(filters), conditions, filters.search is not None

    def _matching(self, filters: Filter) -> Select[ModelT]:
        query = self.query().where(
            *(sql_filters.where(self.model, each) for each in filters.conditions())
        )
        if filters.search is not None:
            query = query.where(sql_filters.matches_search(self.model, filters))
        return query

    def _page(self, filters: Filter) -> Select[ModelT]:
        return (
            self._matching(filters)
            .order_by(*sql_filters.order_by(self.model, filters.order))
            .limit(bindparam("limit", None, Integer()))
            .offset(bindparam("offset", None, Integer()))
        )

    def _write(self, rows: Sequence[ColumnElement[bool]], values: Values) -> Update:
        written = values | bulk.written(self._table)
        return update(self._table).where(*rows, self._is_row()).values(written)

    def _delete_all(self) -> Update:
        id = self._table.columns.id
        # Locked in one order, so that two of these never wait for each other.
        locked = (
            self.query()
            .with_only_columns(id)
            .where(id == any_(bind_array("ids", Uuid())))
            .order_by(id)
            .with_for_update()
            .cte("locked")
        )
        found = select(func.count()).select_from(locked).scalar_subquery()
        return (
            update(self._table)
            .where(
                id.in_(select(locked.columns.id)), found == bindparam("expected", None, Integer())
            )
            .values(deleted_at=func.now(), **bulk.written(self._table))
        )

    def _new_row(self) -> dict[str, Callable[[], Any]]:
        if not self.owned:
            return self._defaults
        owner_id = self.owner_id
        return self._defaults | {"owner_id": lambda: owner_id}

    def _columns(self, rows: Sequence[CreateT]) -> dict[str, Sequence[Any]]:
        """The rows to insert, as one list a column."""
        columns = {name: [make() for _ in rows] for name, make in self._new_row().items()}
        return columns | {
            name: [getattr(row, name) for row in rows] for name in type(rows[0]).model_fields
        }
