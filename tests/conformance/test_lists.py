"""Pages by number and by cursor, and the orders that they come in."""

from collections.abc import Iterator
from itertools import pairwise

import pytest

from tests.conformance.oracle import in_order
from tests.conformance.resources import RESOURCES, Resource
from tests.conformance.things import Things, ids
from tests.problems import read_problem

MEMBERS = {
    "items", "total", "total_relation", "page", "size", "pages", "next_cursor", "previous_cursor",
}  # fmt: skip


def orders() -> Iterator[tuple[Resource, str]]:
    """Each key in both directions, and two that go in different ones."""
    for resource in RESOURCES:
        ascending = [key for key in resource.sort_keys if not key.startswith("-")]
        yield from ((resource, key) for key in resource.sort_keys)
        yield from ((resource, f"{a},-{b}") for a, b in pairwise(ascending))


@pytest.mark.general
class TestPages:
    async def test_by_number(self, things: Things) -> None:
        rows = await things.varied()
        for number, size in ((1, 8), (1, 3), (2, 3), (3, 3), (4, 3), (2, 8)):
            page = await things.page(page=number, size=size, order_by="created_at")
            start = (number - 1) * size
            assert page.keys() == MEMBERS
            assert page["items"] == rows[start : start + size]
            assert (page["page"], page["size"]) == (number, size)
            assert (page["total"], page["total_relation"]) == (8, "eq")
            assert page["pages"] == -(-8 // size)
            assert (page["next_cursor"] is None) == (start + size >= 8)
            assert (page["previous_cursor"] is None) == (number == 1)

    async def test_by_cursor(self, things: Things) -> None:
        rows = await things.varied()
        first = await things.page(size=3, order_by="created_at")
        query = {"cursor": first["next_cursor"], "order_by": "created_at"}
        page = await things.page(**query, size=4)
        assert page.keys() == MEMBERS
        assert page["items"] == rows[3:7]
        unknown = ("page", "total", "total_relation", "pages")
        assert ([page[name] for name in unknown], page["size"]) == ([None] * 4, 4)
        assert page["next_cursor"]
        assert page["previous_cursor"]
        for total in ("exact", "bounded"):
            page = await things.page(**query, total=total)
            assert (page["items"], page["size"]) == (rows[3:], 50)
            assert [page[name] for name in unknown] == [None, 8, "eq", None]
            assert page["next_cursor"] is None

    async def test_newest_first_and_counted_unless_asked_otherwise(self, things: Things) -> None:
        rows = await things.varied()
        page = await things.page()
        assert page["items"] == rows[::-1]
        assert (page["total"], page["pages"], page["page"], page["size"]) == (8, 1, 1, 50)
        for total in ("bounded", "exact"):
            assert await things.page(total=total) == page
        page = await things.page(total="none", size=3)
        assert (page["total"], page["total_relation"], page["pages"]) == (None, None, None)
        assert page["page"] == 1
        assert page["next_cursor"]

    async def test_of_nothing(self, things: Things) -> None:
        page = await things.page()
        assert page.keys() == MEMBERS
        assert (page["items"], page["total"]) == ([], 0)
        assert (page["next_cursor"], page["previous_cursor"]) == (None, None)

    @pytest.mark.parametrize(
        "wrong",
        [
            {"page": 0},
            {"page": -1},
            {"page": "x"},
            {"size": 0},
            {"size": 101},
            {"size": ""},
            {"total": "all"},
            {"order_by": "no_such_key"},
            {"order_by": ""},
            {"order_by": "created_at,-created_at"},
            {"order_by": "+created_at"},
        ],
        ids=str,
    )
    async def test_refuses(self, things: Things, wrong: dict[str, int | str]) -> None:
        problem = read_problem(await things.send("GET", params=wrong), 422, "VALIDATION_ERROR")
        assert [error["loc"][:2] for error in problem["errors"]] == [["query", *wrong]]

    async def test_reaches_a_hundred_thousand_rows_by_number(self, things: Things) -> None:
        assert (await things.page(page=1001, size=100))["items"] == []
        response = await things.send("GET", params={"page": 1002, "size": 100})
        problem = read_problem(response, 422, "VALIDATION_ERROR")
        assert "cursor" in problem["errors"][0]["message"]

    async def test_is_either_a_page_or_a_cursor(self, things: Things) -> None:
        await things.varied()
        cursor = (await things.page(size=1))["next_cursor"]
        for page in (1, 2):
            response = await things.send("GET", params={"page": page, "cursor": cursor})
            read_problem(response, 422, "VALIDATION_ERROR")


class TestOrders:
    @pytest.mark.parametrize(("resource", "order_by"), list(orders()), ids=str)
    async def test_by_pages_and_cursors_alike(self, things: Things, order_by: str) -> None:
        rows = await things.varied()
        expected = ids({"items": in_order(things.resource, rows, *order_by.split(","))})
        assert await things.ids(order_by=order_by) == expected
        first = await things.page(order_by=order_by, size=3)  # so that one ends between NULLs
        pages = [first, *await things.walk(first, "next_cursor", order_by=order_by)]
        assert [id for page in pages for id in ids(page)] == expected
        pages = [pages[-1], *await things.walk(pages[-1], "previous_cursor", order_by=order_by)]
        assert [id for page in pages[::-1] for id in ids(page)] == expected

    async def test_takes_up_to_four_keys_each_once(self, things: Things) -> None:
        keys = [key for key in things.resource.sort_keys if not key.startswith("-")]
        rows = await things.varied()
        expected = in_order(things.resource, rows, *keys[:4])
        assert await things.rows(order_by=keys[:4]) == expected
        for wrong in ([keys[0], f"-{keys[0]}"], [keys[0]] * 2, [*keys, *keys][:5]):
            response = await things.send("GET", params={"order_by": ",".join(wrong)})
            problem = read_problem(response, 422, "VALIDATION_ERROR")
            assert problem["errors"][0]["loc"] == ["query", "order_by"]

    async def test_delivers_once_what_was_there_all_along(self, things: Things) -> None:
        for order_by in things.resource.sort_keys[::7]:
            staying = ids({"items": await things.varied()})
            leaving = [await things.create() for _ in range(4)]
            page = await things.page(order_by=order_by, size=3)
            seen = ids(page)
            while page["next_cursor"]:
                if leaving:
                    await things.delete(leaving.pop())
                    await things.create()
                page = await things.page(order_by=order_by, size=3, cursor=page["next_cursor"])
                seen += ids(page)
            assert sorted(id for id in seen if id in staying) == sorted(staying)
