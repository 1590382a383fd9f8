"""Walks through lists, on PostgreSQL and in memory alike: no row is lost, and none comes twice."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from math import ceil
from random import Random
from typing import Any, get_args
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from app.common import bulk_sql
from app.common.memory_repository import MemoryRepository
from app.core.list_query import Position
from app.core.models import Base
from app.core.pagination import Page
from app.core.repository import EVERYONE, AbstractRepository
from app.database.connections import Database
from app.database.sql import Statement
from app.database.unit_of_work import UnitOfWork
from app.main import Application
from app.users.repository import UserRepository
from app.users.schemas import UserCreate
from tests.lamps.filters import LampFilter, LampOrder
from tests.lamps.models import Lamp, LampStatus
from tests.lamps.repository import LampRepository
from tests.lamps.schemas import LampCreate, LampUpdate

type Lamps = AbstractRepository[Lamp, LampCreate, LampUpdate]

# The same examples in every run, however long a busy machine takes for one.
EXAMPLES = settings(max_examples=80, derandomize=True, deadline=None)
# Rows and sizes come from a seed: Hypothesis' own tend to be few, alike and never NULL.
SEEDED = st.randoms(use_true_random=True)
WRITES = 8  # pages after which somebody writes; a walk that rows run ahead of shall end
KINDS = ["postgres", "memory"]

TIMES = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(microseconds=n) for n in range(3)]
WORDS = ["", "a", "aa", "b"]  # in one order in every collation
TABLE = Base.metadata.tables[Lamp.__tablename__]
COLUMNS = [column.name for column in TABLE.columns]
INSERT = Statement(bulk_sql.create(TABLE, COLUMNS))


class MemoryLamps(MemoryRepository[Lamp, LampCreate, LampUpdate]): ...


@dataclass
class Store:
    """A repository of one owner, and a way to insert rows with all that they have."""

    lamps: Lamps
    insert: Callable[[Sequence[Lamp]], Awaitable[None]]

    async def toggle(self, id: UUID) -> None:
        """Delete a row, or restore it."""
        if not await self.lamps.delete(id):
            await self.lamps.restore(id)


@asynccontextmanager
async def new_store(kind: str, database: Database) -> AsyncGenerator[Store]:
    if kind == "memory":
        rows: dict[UUID, Lamp] = {}
        owner = UUID(int=0)

        async def remember(lamps: Sequence[Lamp]) -> None:
            rows.update((each.id, _owned(each, owner)) for each in lamps)

        yield Store(MemoryLamps(owner, rows), remember)
        return
    async with UnitOfWork(database) as work:  # of which nothing stays
        data = UserCreate(email="walker@example.com", password_hash="none", is_superuser=False)
        user = await UserRepository(work, EVERYONE).create(data)

        async def insert(lamps: Sequence[Lamp]) -> None:
            owned = [_owned(each, user.id) for each in lamps]
            values = {name: [getattr(each, name) for each in owned] for name in COLUMNS}
            await work.fetch(INSERT, values)

        yield Store(LampRepository(work, user.id), insert)


def _owned(lamp: Lamp, owner: UUID) -> Lamp:
    lamp.owner_id = owner
    return lamp


def new_lamps(random: Random, count: int) -> list[Lamp]:
    """Rows with few values, so that many share them."""
    return [
        Lamp(
            id=UUID(int=number),
            sku=f"{number * 37 % 101:03}",
            name=random.choice(WORDS),
            description=random.choice([None, None, *WORDS]),
            price=random.choice([Decimal(0), Decimal("0.01"), Decimal("9999999999.99")]),
            quantity=random.randrange(3),
            status=random.choice(list(LampStatus)),
            created_at=random.choice(TIMES),
            updated_at=random.choice(TIMES),
            version=1,
            deleted_at=random.choice([None, None, TIMES[0]]),
        )
        for number in random.sample(range(101), count)
    ]


def orders() -> SearchStrategy[list[str] | None]:
    fields = sorted({key.removeprefix("-") for key in get_args(LampOrder.__value__)})
    # Half of them by the column that may be NULL.
    field = st.just("description") | st.sampled_from(fields)
    key = st.tuples(st.sampled_from(["", "-"]), field)
    keys = st.lists(key, max_size=4, unique_by=lambda key: key[1])
    return keys.map(lambda keys: [sign + field for sign, field in keys] or None)


CONDITIONS: list[tuple[dict[str, Any], Callable[[Lamp], bool]]] = [
    ({"name": "a"}, lambda row: row.name == "a"),
    ({"name__istartswith": "A"}, lambda row: row.name.startswith("a")),
    ({"description__isnull": True}, lambda row: row.description is None),
    ({"description__isnull": False}, lambda row: row.description is not None),
    ({"status__in": ["draft", "active"]}, lambda row: row.status in {"draft", "active"}),
    ({"status__neq": "draft"}, lambda row: row.status != "draft"),
    ({"price__gt": Decimal(0)}, lambda row: row.price > 0),
    ({"quantity__gte": 1, "quantity__lt": 2}, lambda row: row.quantity == 1),
    ({"created_at__gte": TIMES[1]}, lambda row: row.created_at >= TIMES[1]),
    ({"search": "B"}, lambda row: "b" in (row.name + (row.description or ""))),
]

DELETED: dict[str, Collection[bool]] = {
    "exclude": {False},
    "only": {True},
    "include": {False, True},
}


@dataclass
class Query:
    order_by: list[str] | None
    deleted: str
    conditions: list[int]

    def filters(self, **place: Any) -> LampFilter:
        parameters = {k: v for each in self.conditions for k, v in CONDITIONS[each][0].items()}
        given = {"order_by": self.order_by, "deleted": self.deleted}
        return LampFilter.model_validate(parameters | given | place)

    def matches(self, row: Lamp) -> bool:
        in_bin = row.deleted_at is not None
        wanted = in_bin in DELETED[self.deleted]
        return wanted and all(CONDITIONS[each][1](row) for each in self.conditions)

    def in_order(self, rows: Sequence[Lamp]) -> list[Lamp]:
        """Sorted by the last key first: those before it keep its order among equals."""
        keys = self.order_by or ["-created_at"]
        found = list(rows)
        for key in reversed([*keys, "-id" if keys[-1].startswith("-") else "id"]):
            field = key.removeprefix("-")
            known = [row for row in found if getattr(row, field) is not None]
            nulls = [row for row in found if getattr(row, field) is None]
            known.sort(key=lambda row: getattr(row, field), reverse=key.startswith("-"))
            found = known + nulls
        return found


def queries() -> SearchStrategy[Query]:
    at = st.integers(0, len(CONDITIONS) - 1)
    each_once = st.lists(at, max_size=2, unique_by=lambda at: min(CONDITIONS[at][0]))
    none: list[int] = []
    conditions = st.just(none) | each_once
    deleted = st.sampled_from(["exclude", "include", "only"])
    return st.builds(Query, orders(), deleted, conditions)


def ids(rows: Sequence[Lamp]) -> list[int]:
    return [row.id.int for row in rows]


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("kind", KINDS)
@EXAMPLES
@given(query=queries(), random=SEEDED)
async def test_what_is_there_all_along_is_delivered_once(
    session_app: Application, kind: str, query: Query, random: Random, *, backwards: bool
) -> None:
    pool = new_lamps(random, 30)
    later = [pool.pop() for _ in range(6)]
    untouched = {row.id: row for row in pool if query.matches(row)}
    delivered: list[Lamp] = []
    async with new_store(kind, session_app.database) as store:
        await store.insert(pool)
        position: Position | None = Position(backwards=backwards)
        pages = 0
        while position is not None:
            size = random.randint(1, 6)
            page = await store.lamps.list(query.filters(size=size).at_position(position))
            rows = list(page.items)
            delivered = rows + delivered if backwards else delivered + rows
            position = page.preceding if backwards else page.following
            assert position is None or len(rows) == size
            pages += 1
            assert pages < 100
            if pages > WRITES:
                continue
            if later and random.random() < 0.5:
                await store.insert([row := later.pop()])
                pool.append(row)
            # The rows at the edges of the page are those that its positions name.
            edges = [row.id for row in rows[:1] + rows[-1:]]
            for id in random.sample(edges, min(len(edges), random.randrange(2))):
                await store.toggle(id)
                untouched.pop(id, None)
            for row in random.sample(pool, random.randrange(2)):
                await store.toggle(row.id)
                untouched.pop(row.id, None)
    assert ids(delivered) == ids(query.in_order(delivered))
    seen = [row for row in delivered if row.id in untouched]
    assert ids(seen) == ids(query.in_order(list(untouched.values())))


def starts() -> SearchStrategy[int | Position]:
    """The number of a page, or a position."""
    return st.integers(1, 6) | st.sampled_from([Position(), Position(backwards=True)])


@pytest.mark.parametrize("kind", KINDS)
@EXAMPLES
@given(query=queries(), start=starts(), random=SEEDED)
async def test_a_reader_may_turn_at_any_page(
    session_app: Application, kind: str, query: Query, start: int | Position, random: Random
) -> None:
    pool = new_lamps(random, random.randrange(25))
    expected = ids(query.in_order([row for row in pool if query.matches(row)]))
    end = len(expected)

    def check(page: Page[Lamp], low: int, high: int) -> None:
        assert ids(page.items) == expected[low:high]
        assert page.total == end
        if expected:
            assert (page.preceding is None, page.following is None) == (low == 0, high == end)

    async with new_store(kind, session_app.database) as store:
        await store.insert(pool)
        first = random.randint(1, 9)
        if isinstance(start, int):
            page = await store.lamps.list(query.filters(page=start, size=first))
            assert (page.page, page.pages) == (start, ceil(end / first))
            low = min((start - 1) * first, end)
            high = min(low + first, end)
        else:
            page = await store.lamps.list(
                query.filters(size=first, total="exact").at_position(start)
            )
            assert (page.page, page.pages) == (None, None)
            low, high = (max(end - first, 0), end) if start.backwards else (0, min(first, end))
        check(page, low, high)
        for _ in range(8):
            backwards, size = random.random() < 0.5, random.randint(1, 9)
            position = page.preceding if backwards else page.following
            if position is None:
                continue
            page = await store.lamps.list(
                query.filters(size=size, total="exact").at_position(position)
            )
            if backwards:
                low, high = max(low - size, 0), low
            else:
                low, high = high, min(high + size, end)
            check(page, low, high)
