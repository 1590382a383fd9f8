"""Positions in an ordered list: what lies behind them, and what it costs to find."""

import asyncio
import json
import random
import re
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from itertools import permutations, product
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import Column, Integer, MetaData, Table, bindparam, insert, select, text
from sqlalchemy.schema import CreateTable

from app.common import keyset
from app.config import Settings
from app.core.list_query import TOTAL_LIMIT, Position, SortKey
from app.core.repository import EVERYONE
from app.database.connections import Database
from app.database.sql import DIALECT, Statement
from app.database.unit_of_work import UnitOfWork
from app.users.repository import UserRepository
from app.users.schemas import UserCreate
from tests.conftest import TEMPLATE, connect, create_database, database_url, drop_database
from tests.factories import create_user, find_user
from tests.lamps.filters import LampFilter
from tests.lamps.repository import LampRepository
from tests.lamps.schemas import LampCreate
from tests.statements import recorded_statements

PLACES = Table(
    "places",
    MetaData(),
    Column("a", Integer),
    Column("b", Integer),
    Column("c", Integer, nullable=False),
    Column("id", Integer, primary_key=True),
    prefixes=["TEMPORARY"],
)

type Place = tuple[int | None, ...]

ROWS: list[Place] = [
    (*values, id) for id, values in enumerate(product([None, 0, 1], [None, 0, 1], [0, 1]))
]
FIELDS = [column.name for column in PLACES.columns]


def in_order(order: list[SortKey]) -> list[Place]:
    """The rows sorted by the last key first: those before it keep its order among equals."""
    rows = list(ROWS)
    for key in reversed(order):
        at = FIELDS.index(key.field)
        known = [(value, row) for row in rows if (value := row[at]) is not None]
        known.sort(key=lambda pair: pair[0], reverse=key.descending)
        rows = [row for _, row in known] + [row for row in rows if row[at] is None]
    return rows


@pytest.mark.parametrize("fields", list(permutations("abc")))
async def test_every_place_of_every_order(work: UnitOfWork, fields: tuple[str, ...]) -> None:
    await work.execute(text(str(CreateTable(PLACES).compile(dialect=DIALECT))))
    await work.execute(insert(PLACES).values([dict(zip(FIELDS, row, strict=True)) for row in ROWS]))
    limit = bindparam("limit", None, Integer())
    for signs in product([False, True], repeat=3):
        keys = zip(fields, signs, strict=True)
        order = [*(SortKey(*key) for key in keys), SortKey("id", descending=signs[-1])]
        expected = in_order(order)
        statements: dict[keyset.Shape, Statement] = {}
        for at, backwards in product(range(-1, len(expected) + 1), [False, True]):
            if 0 <= at < len(expected):
                key = tuple(expected[at][FIELDS.index(each.field)] for each in order)
                position = Position(key, backwards)
                behind = expected[:at][::-1] if backwards else expected[at + 1 :]
            else:
                position = Position(backwards=backwards)
                behind = expected[::-1] if backwards else expected
            shape = keyset.shape(position)
            if shape not in statements:
                walk = keyset.walk(select(PLACES), PLACES, order, shape, limit)
                statements[shape] = Statement(walk)
            for size in (2, len(ROWS)):
                values = keyset.values(position) | {"limit": size}
                found = await work.fetch(statements[shape], values)
                assert [row["id"] for row in found] == [row[-1] for row in behind[:size]]


MANY = 100_000
OWNER = "owner@example.com"
NOBODY = UUID(int=0)
SIZE = 100
MAKE_ROWS = """
    INSERT INTO lamps (id, owner_id, sku, name, description, price, quantity, status, created_at)
    SELECT md5(n::text)::uuid, $1, n, n % 50, CASE WHEN n % 3 > 0 THEN n % 40 END, n % 1000, 0,
           'draft', timestamptz '2026-01-01' + hashint4(n) % 10000 * interval '1 minute'
    FROM generate_series(1, $2::int) AS n
"""
# One that the application has no need of, as its lamps are seldom listed by description.
INDEX = "CREATE INDEX ON lamps (owner_id, description, id) WHERE deleted_at IS NULL"
FIELDS_WITH_INDEX = ["created_at", "name", "description"]
DELETE_SOME = "UPDATE lamps SET deleted_at = now() WHERE id = ANY($1) AND deleted_at IS NULL"
INSERT_SOME = """
    INSERT INTO lamps (id, owner_id, sku, name, description, price, quantity, status)
    SELECT gen_random_uuid(), owner_id, gen_random_uuid(), name, description, price, 0, 'draft'
    FROM lamps WHERE id = ANY($1)
"""
PLACES_AMONG_ALL = f"""
    SELECT {{field}}, id FROM (
        SELECT {{field}}, id,
            row_number() OVER (ORDER BY {{field}} {{to}} NULLS LAST, id {{to}}) AS n
        FROM lamps
    ) AS numbered WHERE n % {MANY // 9} = {SIZE}
"""  # noqa: S608 - ours


@dataclass
class Plan:
    """What PostgreSQL did to run a statement: the nodes of its plan from the outermost."""

    nodes: list[dict[str, Any]]

    @property
    def buffers(self) -> int:
        return int(self.nodes[0]["Shared Hit Blocks"] + self.nodes[0]["Shared Read Blocks"])

    @property
    def kinds(self) -> set[str]:
        return {str(node["Node Type"]) for node in self.nodes}

    @property
    def conditions(self) -> str:
        return " ".join(node.get("Index Cond", "") for node in self.nodes)

    @property
    def left_out(self) -> int:
        """Rows that were looked at in vain."""
        return sum(int(node.get("Rows Removed by Filter", 0)) for node in self.nodes)


def nodes_of(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for each in node.get("Plans", []):
        yield from nodes_of(each)


@dataclass
class Many:
    """A database with many rows of one owner, and a connection beside the application's."""

    database: Database
    connection: "asyncpg.Connection"
    owner: UUID

    async def ids(self, order: str) -> list[UUID]:
        query = f"SELECT id FROM lamps WHERE deleted_at IS NULL ORDER BY {order}"  # noqa: S608 - ours
        return [row["id"] for row in await self.connection.fetch(query)]

    async def walk(self, order: str, *, backwards: bool = False) -> list[UUID]:
        """The ids of all rows, as a reader of pages meets them."""
        found: list[list[UUID]] = []
        filters = LampFilter.model_validate({"order_by": [order], "size": SIZE})
        position: Position | None = Position(backwards=backwards)
        async with UnitOfWork(self.database) as work:
            lamps = LampRepository(work, self.owner)
            while position is not None:
                page = await lamps.list(filters.at_position(position))
                found.append([each.id for each in page.items])
                position = page.preceding if backwards else page.following
        pages = found[::-1] if backwards else found
        return [id for page in pages for id in page]

    async def explain(self, statement: Statement, **values: Any) -> Plan:
        sql, bound = statement.bind(values | {"caller": self.owner, "limit": SIZE + 1})
        literals = ", ".join(f"'{value}'" for value in bound)
        await self.connection.execute(f"PREPARE explained AS {sql}")
        explained = await self.connection.fetchval(
            f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE explained({literals})"
        )
        await self.connection.execute("DEALLOCATE explained")
        return Plan(list(nodes_of(json.loads(explained)[0]["Plan"])))


@pytest.fixture(scope="module")
def filled(database_name: str, settings: Settings) -> Iterator[str]:
    """The suffix of a database with many rows, that no test changes."""
    suffix = f"{database_name}_many"
    asyncio.run(create_database(suffix, TEMPLATE))
    asyncio.run(fill(suffix, settings, MANY))
    yield suffix
    asyncio.run(drop_database(suffix))


async def fill(suffix: str, settings: Settings, rows: int) -> None:
    # MANY take three seconds.
    async with opened(suffix, settings) as many:
        connection = many.connection
        owner = (await create_user(many.database, OWNER)).id
        # VACUUM passes over rows whose commit is not written to the log yet.
        await connection.execute("SET synchronous_commit = on")
        await connection.execute(MAKE_ROWS, owner, rows)
        await connection.execute(INDEX)
        await connection.execute("VACUUM (ANALYZE) lamps")


@asynccontextmanager
async def opened(suffix: str, settings: Settings) -> AsyncGenerator[Many]:
    database = Database(database_url(suffix), settings)
    connection = await connect(suffix)
    owner = await find_user(database, OWNER)
    yield Many(database, connection, owner.id if owner else NOBODY)
    await connection.close()
    await database.close()


@pytest.fixture
async def many(filled: str, settings: Settings) -> AsyncIterator[Many]:
    async with opened(filled, settings) as many:
        yield many


@pytest.fixture
async def changing(scratch: str, settings: Settings) -> AsyncIterator[Many]:
    """Fewer of them, to change as one likes."""
    await fill(scratch, settings, MANY // 5)
    async with opened(scratch, settings) as many:
        yield many


async def test_rows_come_and_go_around_readers_of_many(changing: Many) -> None:
    # Two seconds: 400 pages of 100.
    before = await changing.ids("id")
    victims, done = iter(random.sample(before, len(before))), asyncio.Event()

    async def write() -> int:
        writes = 0
        while not done.is_set():
            some = [next(victims) for _ in range(10)]
            await changing.connection.execute(INSERT_SOME, some)
            await changing.connection.execute(DELETE_SOME, some)
            await asyncio.sleep(0.01)
            writes += len(some)
        return writes

    writer = asyncio.create_task(write())
    walks = await asyncio.gather(
        changing.walk("description"), changing.walk("-name", backwards=True)
    )
    done.set()
    assert await writer > 100
    for found, order in zip(walks, ("description, id", "name DESC, id DESC"), strict=True):
        assert len(set(found)) == len(found)
        lasting = set(before).intersection(after := await changing.ids(order))
        assert len(lasting) < len(before)
        assert [id for id in found if id in lasting] == [id for id in after if id in lasting]


@pytest.mark.parametrize("plans", ["custom", "generic"])
async def test_every_page_costs_what_the_first_did(many: Many, plans: str) -> None:
    """With the plan that is made for one position, and with the one that serves all of them."""
    await many.connection.execute(f"SET plan_cache_mode = force_{plans}_plan")
    statements = LampRepository._callers
    for field, sign, backwards in product(FIELDS_WITH_INDEX, ["", "-"], [False, True]):
        selection = LampFilter.model_validate({"order_by": [sign + field]}).selection
        to = "DESC" if sign else "ASC"
        rows = await many.connection.fetch(PLACES_AMONG_ALL.format(field=field, to=to))
        first = await many.explain(statements.walk(selection, Position(backwards=backwards)))
        assert len(rows) == 9
        for row in rows:
            position = Position(tuple(row), backwards)
            values = keyset.values(position)
            plan = await many.explain(statements.walk(selection, position), **values)
            assert plan.buffers <= first.buffers * 1.1
            assert plan.left_out == 0
            assert "Seq Scan" not in plan.kinds
            if row[0] is not None:
                assert re.search(
                    rf"ROW\(\(?{field}.* {'<' if bool(sign) != backwards else '>'} ROW",
                    plan.conditions,
                )


@pytest.mark.parametrize("plans", ["custom", "generic"])
async def test_a_deep_page_is_found_by_its_ids(many: Many, plans: str) -> None:
    await many.connection.execute(f"SET plan_cache_mode = force_{plans}_plan")
    filters = LampFilter(page=MANY // SIZE, size=SIZE)
    query = filters.list_query
    statements = LampRepository._callers
    in_order = statements.query().order_by(text("created_at DESC, id DESC"))
    plain = await many.explain(Statement(in_order.limit(SIZE).offset(query.offset)))
    by_ids = await many.explain(statements.page(query), offset=query.offset)
    assert "Index Only Scan" in by_ids.kinds
    assert "Seq Scan" not in by_ids.kinds
    assert by_ids.buffers * 5 <= plain.buffers
    expected = (await many.ids("created_at DESC, id DESC"))[-SIZE:]
    async with UnitOfWork(many.database) as work:
        page = await LampRepository(work, many.owner).list(filters)
    assert [each.id for each in page.items] == expected


@pytest.mark.parametrize("plans", ["custom", "generic"])
async def test_a_bounded_total_costs_what_its_limit_does(many: Many, plans: str) -> None:
    await many.connection.execute(f"SET plan_cache_mode = force_{plans}_plan")
    statements = LampRepository._callers
    all_of_them = await many.explain(statements.count(LampFilter().selection))
    some = await many.explain(statements.count(LampFilter().selection, MANY // 50 + 1))
    assert some.buffers * 10 <= all_of_them.buffers
    assert (await many.connection.fetchval("SELECT count(*) FROM lamps")) > MANY // 50


@pytest.mark.parametrize(
    ("page", "statements", "total", "relation"),
    [
        (1, 2, TOTAL_LIMIT, "gte"),
        (TOTAL_LIMIT // SIZE, 2, TOTAL_LIMIT, "gte"),
        (TOTAL_LIMIT // SIZE + 1, 1, TOTAL_LIMIT, "gte"),  # which shows that there are more
        (MANY // SIZE, 1, TOTAL_LIMIT, "gte"),
        (MANY // SIZE + 1, 2, TOTAL_LIMIT, "gte"),
    ],
)
async def test_a_bounded_total_is_the_same_on_each_page(
    many: Many, page: int, statements: int, total: int, relation: str
) -> None:
    async with UnitOfWork(many.database) as work:
        with recorded_statements() as recorded:
            found = await LampRepository(work, many.owner).list(LampFilter(page=page, size=SIZE))
    assert (found.total, found.total_relation, found.pages) == (total, relation, None)
    assert len(recorded) == statements


@pytest.mark.parametrize(
    ("page", "size", "total", "statements"),
    [(1, 5, 5, 1), (1, 4, 5, 2), (2, 4, 5, 1), (2, 2, 5, 2), (3, 2, 5, 1), (4, 2, 5, 2)],
)
async def test_what_a_page_shows_is_not_counted(
    work: UnitOfWork, page: int, size: int, total: int, statements: int
) -> None:
    data = UserCreate(email="owner@example.com", password_hash="none")
    user = await UserRepository(work, EVERYONE).create(data)
    lamps = LampRepository(work, user.id)
    await lamps.bulk_create([LampCreate(name="n", sku=f"{n}", price=Decimal(1)) for n in range(5)])
    with recorded_statements() as recorded:
        found = await lamps.list(LampFilter(page=page, size=size))
    assert (found.total, len(recorded)) == (total, statements)
