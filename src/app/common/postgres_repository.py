"""The repository contract kept on PostgreSQL."""

from collections.abc import Callable, Sequence
from itertools import batched
from typing import Any, ClassVar
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import ScalarResult, Select

from app.common import bulk_sql, keyset, sql_filters
from app.common.collisions import rows_named
from app.common.references import References
from app.common.rows import Hydrator, Rows, insert_defaults
from app.common.statements import Statements
from app.core.filters import Filter
from app.core.list_query import Deleted, ListQuery, Position, Selection
from app.core.models import Entity
from app.core.pagination import Page, Window, window
from app.core.repository import (
    AbstractRepository,
    Caller,
    Everyone,
    Upserted,
    Versions,
)
from app.core.schemas import field_names
from app.database.sql import Row, needs_session
from app.database.unit_of_work import UnitOfWork
from app.exceptions import NotFound, PreconditionFailed


class PostgresRepository[ModelT: Entity, CreateT: BaseModel, UpdateT: BaseModel](
    AbstractRepository[ModelT, CreateT, UpdateT]
):
    """Every statement is narrowed to what the caller may see, so that no method can forget it.

    A method of an entity's own reads with `first` or `all` from `query().where(...)`; with ORM
    options or joins that runs in the unit's session, whose instances stay attached to it.
    """

    _hydrate: ClassVar[Hydrator[Any]]
    _lists: ClassVar[Hydrator[Any]]
    _defaults: ClassVar[dict[str, Callable[[], Any]]]
    _references: ClassVar[References]
    _callers: ClassVar[Statements[Any]]
    _everyones: ClassVar[Statements[Any]]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if not hasattr(cls, "model"):  # a generic base of several entities' repositories
            return
        if cls.query is not PostgresRepository.query:
            raise TypeError(
                f"{cls.__name__}.query: get, list and the writes would not go through it: write a "
                "method of another name that returns self.query() with what it adds"
            )
        cls._hydrate = Hydrator(cls.model)
        cls._lists = Hydrator(cls.model, lists=True)
        cls._references = References(cls.model)
        cls._callers = Statements(cls.model, scoped=True)
        cls._everyones = Statements(cls.model, scoped=False)
        cls._defaults = insert_defaults(cls._callers.table)

    def __init__(self, work: UnitOfWork, caller: Caller) -> None:
        super().__init__(caller)
        self.work = work
        scoped = self.owned and not isinstance(caller, Everyone)
        self._sql: Statements[ModelT] = self._callers if scoped else self._everyones

    def query(self) -> Select[ModelT]:
        """The live rows that the caller may see; in `work.session()` just as well."""
        return self._sql.query(caller=self.caller if isinstance(self.caller, UUID) else None)

    async def first(self, query: Select[ModelT]) -> ModelT | None:
        if needs_session(query):
            return (await self._in_session(query)).first()
        return self._one(await self.work.fetch_one(query, self._values()))

    async def all(self, query: Select[ModelT]) -> Sequence[ModelT]:
        if needs_session(query):
            return (await self._in_session(query)).all()
        return [self._hydrate(row) for row in await self.work.fetch(query, self._values())]

    async def get(self, id: UUID) -> ModelT | None:
        return self._one(await self._find(id))

    async def list(self, filters: Filter) -> Page[ModelT]:
        query = filters.list_query
        selection = query.selection
        offset = query.offset
        values = self._values(limit=query.size + 1, offset=offset)
        values |= sql_filters.values(selection)
        position = query.position or (Position() if offset == 0 else None)
        if position is None:
            found = await self.work.fetch(self._sql.page(query), values)
        else:
            values |= keyset.values(position)
            found = await self.work.fetch(self._sql.walk(selection, position), values)
        fields, value = [key.field for key in selection.order], self._lists.value
        page = window(found, query, lambda row: tuple([value(row, field) for field in fields]))
        return Page[ModelT].create(
            Rows(page.rows, self._lists),
            filters,
            query=query,
            total=await self._total(query, page),
            following=page.following,
            preceding=page.preceding,
        )

    async def count(self, filters: Filter) -> int:
        return await self._count(filters.selection)

    async def create(self, data: CreateT) -> ModelT:
        await self._references.require(self.work, self.caller, [data])
        values = {name: make() for name, make in self._new_row().items()}
        values |= {name: getattr(data, name) for name in field_names(data)}
        created = self._one(await self.work.fetch_one(self._sql.create(values), values))
        assert created is not None
        return created

    async def update(
        self, id: UUID, data: UpdateT, versions: Versions | None = None
    ) -> ModelT | None:
        fields = sorted(data.model_fields_set)
        if not fields:
            return self._of_version(await self.get(id), versions)
        await self._references.require(self.work, self.caller, [data])
        changes = {f"new_{name}": getattr(data, name) for name in fields}
        statement = self._sql.update(fields, versioned=versions is not None)
        values = self._values(row_id=id, versions=versions, **changes)
        row = await self.work.fetch_one(statement, values)
        if row is None and versions is not None:
            await self._require_missing(id)
        return self._one(row)

    async def delete(self, id: UUID, versions: Versions | None = None) -> bool:
        statement = self._sql.delete(versioned=versions is not None)
        deleted = await self.work.execute(statement, self._values(row_id=id, versions=versions)) > 0
        if deleted:
            await self._references.follow(self.work, [id])
        elif versions is not None:
            await self._require_missing(id)
        return deleted

    async def restore(self, id: UUID, versions: Versions | None = None) -> ModelT | None:
        statement = self._sql.restore(versioned=versions is not None)
        row = await self.work.fetch_one(statement, self._values(row_id=id, versions=versions))
        if row is not None:
            await self._references.require_of(self.work, self.caller, row)
            return self._one(row)
        if versions is not None:
            await self._require_missing(id, "only")
        return self._of_version(await self.get(id), versions)

    async def bulk_create(self, data: Sequence[CreateT]) -> Sequence[ModelT]:
        if not data:
            return []
        await self._references.require(self.work, self.caller, data, many=True)
        columns = self._columns(data)
        # All writers insert in one order; the ids are in the order given.
        order = sorted(range(len(data)), key=bulk_sql.keys_of(data, self.natural_key).__getitem__)
        batches = (
            {name: [column[at] for at in part] for name, column in columns.items()}
            for part in batched(order, bulk_sql.BATCH)
        )
        created: dict[UUID, ModelT] = {}

        def take(rows: Sequence[Row]) -> None:
            created.update((row["id"], self._hydrate(row)) for row in rows)

        async with rows_named(self.work, self._sql.table, lambda: columns):
            await self.work.fetch_batches(self._sql.bulk_create(list(columns)), batches, take)
        return [created[id] for id in columns["id"]]

    async def bulk_upsert(self, data: Sequence[CreateT]) -> Sequence[Upserted]:
        if not data:
            return []
        keys = bulk_sql.distinct_keys_of(data, self.natural_key)
        await self._references.require(self.work, self.caller, data, many=True)
        # One order for every writer: concurrent calls over the same keys wait, and never deadlock.
        ordered = sorted(range(len(data)), key=keys.__getitem__)
        rows = [data[position] for position in ordered]
        parts = list(batched(rows, bulk_sql.BATCH))
        outcomes: dict[bulk_sql.Key, Upserted] = {}

        def take(found: Sequence[Row]) -> None:
            for row in found:
                outcomes.setdefault(row[2:], Upserted(row[1], row[0]))

        optional = [name for name in field_names(rows[0]) if name not in self.natural_key]
        fields, alike = bulk_sql.set_fields(rows, optional)
        key = ["owner_id", *self.natural_key] if self.owned else [*self.natural_key]
        # If items set different fields, this creates and locks, and the next statement updates.
        names = [*self._new_row(), *field_names(rows[0])]
        upsert = self._sql.bulk_upsert(names, key, fields if alike else [])
        async with rows_named(self.work, self._sql.table, lambda: self._columns(data), key):
            await self.work.fetch_batches(upsert, map(self._columns, parts), take)
            if not alike:
                update = self._sql.bulk_update_set_fields(key, fields)
                values = (self._columns(part) | bulk_sql.flags(part, fields) for part in parts)
                await self.work.fetch_batches(update, values, take)
        if len(outcomes) < len(data):
            find = self._sql.bulk_find(key)
            await self.work.fetch_batches(find, map(self._columns, parts), take)
        return [outcomes[key] for key in keys]

    async def bulk_delete(self, ids: Sequence[UUID]) -> int:
        distinct = tuple(set(ids))
        values = self._values(ids=distinct, expected=len(distinct))
        if await self.work.execute(self._sql.bulk_delete(), values) < len(distinct):
            found = {row["id"] for row in await self.work.fetch(self._sql.ids_among(), values)}
            missing = next(id for id in ids if id not in found)
            raise NotFound(f"{self.model.__name__} {missing} not found")
        await self._references.follow(self.work, distinct)
        return len(distinct)

    async def _in_session(self, query: Select[ModelT]) -> ScalarResult[ModelT]:
        return (await self.work.session().scalars(query, self._values())).unique()

    async def _find(self, id: UUID, deleted: Deleted = "exclude") -> Row | None:
        return await self.work.fetch_one(self._sql.get(deleted), self._values(row_id=id))

    async def _require_missing(self, id: UUID, deleted: Deleted = "exclude") -> None:
        """Raise PreconditionFailed if the row exists: then its version prevented the write."""
        if await self._find(id, deleted) is not None:
            raise PreconditionFailed

    async def _total(self, query: ListQuery, page: Window[Row]) -> int | None:
        """How many rows there are. If that is bounded, a number above the limit means more."""
        if query.total == "none":
            return None
        limit = query.total_limit + 1 if query.total == "bounded" else None
        if query.position is None and (page.rows or query.offset == 0):
            seen = query.offset + len(page.rows)
            if page.following is None or (limit is not None and seen >= limit):
                return seen  # there are no others, or more than are counted
        return await self._count(query.selection, limit)

    async def _count(self, selection: Selection, limit: int | None = None) -> int:
        values = self._values() | sql_filters.values(selection)
        row = await self.work.fetch_one(self._sql.count(selection, limit), values)
        assert row is not None
        return int(row[0])

    def _one(self, row: Row | None) -> ModelT | None:
        return None if row is None else self._hydrate(row)

    def _values(self, **values: Any) -> dict[str, Any]:
        if self._sql.scoped:
            values["caller"] = self.caller
        return values

    def _new_row(self) -> dict[str, Callable[[], Any]]:
        if not self.owned:
            return self._defaults
        owner_id = self.owner_id
        return self._defaults | {"owner_id": lambda: owner_id}

    def _columns(self, rows: Sequence[CreateT]) -> dict[str, Sequence[Any]]:
        """The rows to insert, as one list per column."""
        columns: dict[str, Sequence[Any]] = {
            name: [make() for _ in rows] for name, make in self._new_row().items()
        }
        names = field_names(rows[0])
        return columns | dict(zip(names, bulk_sql.columns_of(rows, names), strict=True))
