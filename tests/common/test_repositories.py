"""What every repository promises, on PostgreSQL and in memory alike."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from pydantic import TypeAdapter

from app.common.memory_repository import MemoryRepository
from app.core.list_query import Serving
from app.core.models import uuid7
from app.core.repository import EVERYONE, AbstractRepository, Caller
from app.database.connections import Database
from app.database.unit_of_work import UnitOfWork
from app.dispatch.cursors import Cursors
from app.exceptions import Conflict, Invalid, InvalidCursor, NotFound
from tests import factories
from tests.lamps.filters import LampFilter
from tests.lamps.models import Lamp, LampStatus
from tests.lamps.repository import LampRepository
from tests.lamps.schemas import LampCreate, LampUpdate

type Lamps = AbstractRepository[Lamp, LampCreate, LampUpdate]


CURSORS = partial(Cursors, [b"key"], Lamp, "somebody here")


class MemoryLamps(MemoryRepository[Lamp, LampCreate, LampUpdate]): ...


@pytest.fixture(params=["postgres", "memory"])
async def of(request: pytest.FixtureRequest, work: UnitOfWork) -> Callable[[Caller], Lamps]:
    """Makes a repository for a caller; they share their rows."""
    if request.param == "postgres":
        return lambda caller: LampRepository(work, caller)
    rows: dict[UUID, Lamp] = {}
    return lambda caller: MemoryLamps(caller, rows)


@pytest.fixture
async def owner(database: Database) -> UUID:
    return (await factories.create_user(database, "owner@example.com")).id


@pytest.fixture
async def other(database: Database) -> UUID:
    return (await factories.create_user(database, "other@example.com")).id


@pytest.fixture
def lamps(of: Callable[[Caller], Lamps], owner: UUID) -> Lamps:
    return of(owner)


@pytest.fixture
def foreign(of: Callable[[Caller], Lamps], other: UUID) -> Lamps:
    return of(other)


def new(**fields: Any) -> LampCreate:
    return TypeAdapter(LampCreate).validate_json(json.dumps(factories.lamp(**fields)))


def change(**fields: Any) -> LampUpdate:
    return TypeAdapter(LampUpdate).validate_json(json.dumps(fields))


async def skus(repository: Lamps, **query: Any) -> list[str]:
    return [each.sku for each in (await repository.list(LampFilter(**query))).items]


class TestGet:
    async def test_finds_what_was_created(self, lamps: Lamps, owner: UUID) -> None:
        created = await lamps.create(new(description="d"))
        found = await lamps.get(created.id)
        assert found is not None
        assert (found.description, found.owner_id, found.version) == ("d", owner, 1)
        assert found.status is LampStatus.DRAFT
        assert found.created_at.tzinfo is not None

    async def test_another_owner_finds_nothing(self, lamps: Lamps, foreign: Lamps) -> None:
        created = await lamps.create(new())
        assert await foreign.get(created.id) is None

    async def test_everyone_finds_it(self, lamps: Lamps, of: Callable[[Caller], Lamps]) -> None:
        created = await lamps.create(new())
        assert await of(EVERYONE).get(created.id) is not None

    async def test_everyone_owns_nothing_new(self, of: Callable[[Caller], Lamps]) -> None:
        with pytest.raises(TypeError, match="needs an owner"):
            await of(EVERYONE).create(new())


class TestList:
    async def test_total_order_and_page(self, lamps: Lamps) -> None:
        await lamps.bulk_create([new(sku=f"{n}", quantity=n % 2) for n in range(5)])
        assert await skus(lamps, order_by=["quantity", "-sku"]) == ["4", "2", "0", "3", "1"]
        page = await lamps.list(LampFilter(page=2, size=2, order_by=["sku"]))
        assert ([each.sku for each in page.items], page.total, page.pages) == (["2", "3"], 5, 3)

    @pytest.mark.parametrize(
        ("query", "limit", "told"),
        [
            ({}, 5, (5, "eq", 3)),
            ({}, 4, (4, "gte", None)),
            ({"page": 2}, 4, (4, "gte", None)),
            ({"page": 3}, 4, (4, "gte", None)),
            ({"page": 9}, 4, (4, "gte", None)),
            ({"total": "bounded"}, 1, (1, "gte", None)),
            ({"total": "exact"}, 1, (5, "eq", 3)),
            ({"total": "none"}, 4, (None, None, None)),
            ({"name": "1"}, 1, (1, "eq", 1)),
            ({"name": "nothing"}, 1, (0, "eq", 0)),
        ],
    )
    async def test_totals(
        self, lamps: Lamps, query: dict[str, Any], limit: int, told: tuple[Any, ...]
    ) -> None:
        await lamps.bulk_create([new(sku=f"{n}", name=f"{n}") for n in range(5)])
        filters = LampFilter(size=2, **query)
        page = await lamps.list(filters.served(Serving(CURSORS, limit)))
        assert (page.total, page.total_relation, page.pages) == told
        assert await lamps.count(filters) == (5 if "name" not in query else told[0])

    async def test_walks_by_cursors_that_the_api_makes(self, lamps: Lamps) -> None:
        await lamps.bulk_create([new(sku=f"{n}") for n in range(5)])
        filters = LampFilter(size=2, order_by=["sku"]).served(Serving(CURSORS))
        page = await lamps.list(filters)
        found = [each.sku for each in page.items]
        while page.next_cursor:
            page = await lamps.list(filters.model_copy(update={"cursor": page.next_cursor}))
            assert (page.page, page.total, page.total_relation) == (None, None, None)
            found += [each.sku for each in page.items]
        assert found == [f"{n}" for n in range(5)]
        bounded = {"cursor": page.previous_cursor, "total": "bounded"}
        page = await lamps.list(filters.model_copy(update=bounded))
        assert [each.sku for each in page.items] == ["2", "3"]
        assert (page.total, page.total_relation, page.pages) == (5, "eq", None)

    async def test_a_cursor_is_of_the_list_as_it_is_in_the_end(self, lamps: Lamps) -> None:
        await lamps.bulk_create([new(sku=f"{n}", name="same") for n in range(5)])
        filters = LampFilter(size=2).served(Serving(CURSORS))
        by_sku = filters.model_copy(update={"order_by": ["sku"]}).narrowed(name="same")
        page = await lamps.list(by_sku)
        further = by_sku.model_copy(update={"cursor": page.next_cursor})
        assert [each.sku for each in (await lamps.list(further)).items] == ["2", "3"]
        with pytest.raises(InvalidCursor):
            await lamps.list(filters.model_copy(update={"cursor": page.next_cursor}))

    async def test_nulls_sort_last_in_both_directions(self, lamps: Lamps) -> None:
        for sku, description in {"A": "x", "B": None, "C": "y"}.items():
            await lamps.create(new(sku=sku, description=description))
        assert await skus(lamps, order_by=["description"]) == ["A", "C", "B"]
        assert await skus(lamps, order_by=["-description"]) == ["C", "A", "B"]

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ({"name": "100%"}, "A"),
            ({"name__icontains": "0%"}, "A"),
            ({"name__icontains": "1_0"}, ""),
            ({"name__istartswith": "ONE"}, "B"),
            ({"sku__in": ["A", "B", "Z"]}, "AB"),
            ({"status__in": ["draft", "active"]}, "AB"),
            ({"status__not_in": ["draft"]}, "B"),
            ({"status__neq": "draft"}, "B"),
            ({"price__gt": "1", "price__lte": "2"}, "B"),
            ({"price__gte": "1", "price__lt": "2"}, "A"),
            ({"quantity": 3}, "B"),
            ({"description__isnull": True}, "A"),
            ({"description__isnull": False}, "B"),
            ({"search": "TEXT"}, "B"),
            ({"search": "0%"}, "A"),
        ],
    )
    async def test_filters_alike(self, lamps: Lamps, query: dict[str, Any], found: str) -> None:
        await lamps.create(new(sku="A", name="100%", price="1"))
        await lamps.create(
            new(sku="B", name="One", price="2", quantity=3, status="active", description="text")
        )
        assert await skus(lamps, order_by=["sku"], **query) == list(found)
        assert await lamps.count(LampFilter(**query)) == len(found)

    async def test_is_scoped(self, lamps: Lamps, foreign: Lamps) -> None:
        await lamps.create(new())
        assert await skus(foreign) == []
        assert await foreign.count(LampFilter()) == 0


class TestUpdate:
    async def test_writes_what_was_set(self, lamps: Lamps) -> None:
        created = await lamps.create(new(description="d", quantity=1))
        updated = await lamps.update(created.id, change(description=None))
        assert updated is not None
        assert (updated.description, updated.quantity, updated.version) == (None, 1, 2)

    async def test_nothing_set_changes_nothing(self, lamps: Lamps) -> None:
        created = await lamps.create(new())
        updated = await lamps.update(created.id, change())
        assert updated is not None
        assert (updated.version, updated.updated_at) == (1, created.updated_at)

    async def test_another_owner_changes_nothing(self, lamps: Lamps, foreign: Lamps) -> None:
        created = await lamps.create(new(name="mine"))
        assert await foreign.update(created.id, change(name="theirs")) is None
        found = await lamps.get(created.id)
        assert found is not None
        assert found.name == "mine"

    async def test_conflict_names_the_field(self, lamps: Lamps) -> None:
        await lamps.create(new(sku="A"))
        created = await lamps.create(new(sku="B"))
        with pytest.raises(Conflict) as raised:
            await lamps.update(created.id, change(sku="A"))
        assert [each.loc for each in raised.value.errors] == [("body", "sku")]


class TestDeleteAndRestore:
    async def test_a_deleted_row_is_not_there(self, lamps: Lamps) -> None:
        created = await lamps.create(new())
        assert await lamps.delete(created.id)
        assert await lamps.get(created.id) is None
        assert await lamps.update(created.id, change(name="x")) is None
        assert await skus(lamps) == []
        assert not await lamps.delete(created.id)

    async def test_restores(self, lamps: Lamps) -> None:
        created = await lamps.create(new())
        await lamps.delete(created.id)
        restored = await lamps.restore(created.id)
        assert restored is not None
        assert (restored.deleted_at, restored.version) == (None, 3)
        again = await lamps.restore(created.id)
        assert again is not None
        assert again.version == 3

    async def test_restore_conflicts(self, lamps: Lamps) -> None:
        created = await lamps.create(new(sku="A"))
        await lamps.delete(created.id)
        await lamps.create(new(sku="A"))
        with pytest.raises(Conflict):
            await lamps.restore(created.id)

    async def test_another_owner_can_do_neither(self, lamps: Lamps, foreign: Lamps) -> None:
        created = await lamps.create(new())
        assert not await foreign.delete(created.id)
        await lamps.delete(created.id)
        assert await foreign.restore(created.id) is None


class TestBulkCreate:
    async def test_returns_the_order_given(self, lamps: Lamps) -> None:
        created = await lamps.bulk_create([new(sku=sku) for sku in "CAB"])
        assert [each.sku for each in created] == list("CAB")
        assert await lamps.bulk_create([]) == []

    async def test_all_or_nothing_conflict(self, lamps: Lamps) -> None:
        with pytest.raises(Conflict) as raised:
            await lamps.bulk_create([new(sku="B"), new(sku="A"), new(sku="A")])
        assert [each.loc for each in raised.value.errors] == [("body", "items", 2, "sku")]


class TestBulkUpsert:
    async def test_tells_what_became_of_each_row(self, lamps: Lamps) -> None:
        [a, b] = await lamps.bulk_create(
            [new(sku="A", name="a", price="1"), new(sku="B", name="b", price="1")]
        )
        rows = [new(sku=sku, name="b", price="1") for sku in "CBA"]
        results = await lamps.bulk_upsert(rows)
        assert [each.outcome for each in results] == ["created", "unchanged", "updated"]
        assert [each.id for each in results[1:]] == [b.id, a.id]
        found = [await lamps.get(each.id) for each in results]
        assert [each.version for each in found if each] == [1, 1, 2]

    async def test_an_absent_field_stays_or_takes_its_default(self, lamps: Lamps) -> None:
        await lamps.create(new(sku="A", name="a", price="1", quantity=5, description="d"))
        results = await lamps.bulk_upsert(
            [
                new(sku="A", name="a", price="1", description=None),
                new(sku="B", name="b", price="1", quantity=7),
            ]
        )
        assert [each.outcome for each in results] == ["updated", "created"]
        [a, b] = [await lamps.get(each.id) for each in results]
        assert a is not None
        assert b is not None
        assert (a.quantity, a.description, a.version) == (5, None, 2)
        assert (b.quantity, b.description, b.version) == (7, None, 1)

    async def test_differing_fields_that_change_nothing(self, lamps: Lamps) -> None:
        await lamps.create(new(sku="A", name="a", price="1", quantity=5))
        [result, _] = await lamps.bulk_upsert(
            [new(sku="A", name="a", price="1"), new(sku="B", name="b", price="1", quantity=7)]
        )
        assert result.outcome == "unchanged"

    async def test_a_deleted_row_is_invisible(self, lamps: Lamps) -> None:
        created = await lamps.create(new(sku="A"))
        await lamps.delete(created.id)
        [result] = await lamps.bulk_upsert([new(sku="A")])
        assert (result.outcome, result.id == created.id) == ("created", False)

    async def test_another_owner_is_never_touched(self, lamps: Lamps, foreign: Lamps) -> None:
        created = await lamps.create(new(sku="A", name="mine"))
        [result] = await foreign.bulk_upsert([new(sku="A", name="theirs")])
        assert result.outcome == "created"
        found = await lamps.get(created.id)
        assert found is not None
        assert found.name == "mine"

    async def test_two_rows_with_one_key_name_both_positions(self, lamps: Lamps) -> None:
        with pytest.raises(Invalid) as raised:
            await lamps.bulk_upsert([new(sku="A"), new(sku="B"), new(sku="A")])
        [error] = raised.value.errors
        assert error.loc == ("body", "items", 2, "sku")
        assert "0 and 2" in error.message

    async def test_nothing_is_nothing(self, lamps: Lamps) -> None:
        assert await lamps.bulk_upsert([]) == []


class TestBulkDelete:
    async def test_a_repeated_id_counts_once(self, lamps: Lamps) -> None:
        [a, b, c] = await lamps.bulk_create([new(sku=sku) for sku in "ABC"])
        assert await lamps.bulk_delete([a.id, b.id, a.id]) == 2
        assert await skus(lamps) == [c.sku]

    async def test_an_unknown_or_foreign_id_is_not_found(
        self, lamps: Lamps, foreign: Lamps
    ) -> None:
        created = await lamps.create(new())
        theirs = await foreign.create(new())
        for id in (uuid7(), theirs.id):
            with pytest.raises(NotFound, match=str(id)):
                await lamps.bulk_delete([created.id, id])
