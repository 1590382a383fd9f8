"""What a cursor is good for, and what it is not; and the links to the pages around."""

import asyncio
import re
from string import ascii_letters, digits
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.conformance.resources import RESOURCES
from tests.conformance.things import Things
from tests.problems import read_problem

pytestmark = pytest.mark.general

PRIVATE = [each for each in RESOURCES if not each.is_public("GET")]  # the others do not ask who
ALPHABET = f"{ascii_letters}{digits}-_"


def links(response: httpx.Response) -> dict[str, str]:
    found = re.findall(r'<([^>]*)>; rel="(\w+)"', response.headers["Link"])
    return {name: target for target, name in found}


async def refuse(things: Things, **query: Any) -> None:
    read_problem(await things.send("GET", params=query), 422, "INVALID_CURSOR")


class TestCursors:
    async def test_is_of_one_order(self, things: Things) -> None:
        await things.varied()
        cursor = (await things.page(order_by="created_at", size=3))["next_cursor"]
        await things.page(order_by="created_at", cursor=cursor)
        for order_by in {*things.resource.sort_keys, "created_at,updated_at"} - {"created_at"}:
            await refuse(things, cursor=cursor, order_by=order_by)
        await refuse(things, cursor=cursor)

    async def test_is_of_one_set_of_filters(self, things: Things) -> None:
        await things.varied()
        filters = {"created_at__lt": "2999-01-01T00:00:00Z", "deleted": "include"}
        cursor = (await things.page(**filters, size=3))["next_cursor"]
        await things.page(**filters, cursor=cursor)
        others: list[dict[str, Any]] = [
            {},
            {"created_at__lt": filters["created_at__lt"]},
            {"deleted": "include"},
            filters | {"deleted": "only"},
            filters | {"created_at__lt": "2998-01-01T00:00:00Z"},
            filters | {"updated_at__lt": "2999-01-01T00:00:00Z"},
        ]
        if things.resource.filters.search_fields:
            others.append(filters | {"search": "a"})
        for other in others:
            await refuse(things, cursor=cursor, **other)

    @pytest.mark.parametrize("resource", PRIVATE, ids=str)
    async def test_is_of_one_user(self, things: Things, theirs: Things) -> None:
        await things.varied()
        await theirs.varied()
        cursor = (await things.page(size=3))["next_cursor"]
        await refuse(theirs, cursor=cursor)

    async def test_is_of_one_list(self, things: Things) -> None:
        await things.varied()
        cursor = (await things.page(size=3))["next_cursor"]
        for other in RESOURCES:
            if other is not things.resource:
                response = await things.client.get(other.path, params={"cursor": cursor})
                read_problem(response, 422, "INVALID_CURSOR")

    async def test_no_character_of_it_may_change(self, things: Things) -> None:
        await things.varied()
        cursor: str = (await things.page(size=3))["next_cursor"]
        assert {*cursor} <= {*ALPHABET}
        changed = [
            cursor[:at] + ALPHABET[ALPHABET.index(each) ^ 1] + cursor[at + 1 :]
            for at, each in enumerate(cursor)
        ]
        changed += [
            cursor[:-1],
            cursor[1:],
            f"{cursor}A",
            f"{cursor}=",
            cursor * 2,
            "",
            "x",
            "É",
            "=",
        ]
        await asyncio.gather(*(refuse(things, cursor=each) for each in changed))


class TestLinks:
    async def test_lead_to_the_pages_around_a_page(self, things: Things) -> None:
        rows = await things.varied()
        query = {"size": 3, "page": 2, "order_by": "created_at", "deleted": "include"}
        found = links(await things.send("GET", params=query))
        assert found.keys() == {"first", "prev", "next", "last"}
        expected = {"first": rows[:3], "prev": rows[:3], "next": rows[6:], "last": rows[6:]}
        for name, target in found.items():
            page = (await things.client.get(target)).json()
            assert page["items"] == expected[name], name
            assert (page["total"], page["page"]) == (8, 3 if expected[name] == rows[6:] else 1)
            sent = parse_qs(urlsplit(target).query)
            assert (sent["order_by"], sent["deleted"]) == (["created_at"], ["include"])

    async def test_end_with_the_list(self, things: Things) -> None:
        await things.varied()
        first = links(await things.send("GET", params={"size": 5}))
        last = links(await things.send("GET", params={"size": 5, "page": 2}))
        assert first.keys() == {"first", "next", "last"}
        assert last.keys() == {"first", "prev", "last"}

    async def test_leave_out_the_last_page_where_nothing_is_counted(self, things: Things) -> None:
        await things.varied()
        found = links(await things.send("GET", params={"size": 3, "page": 2, "total": "none"}))
        assert found.keys() == {"first", "prev", "next"}
        assert (await things.client.get(found["next"])).json()["total"] is None

    async def test_lead_to_the_pages_around_a_cursor(self, things: Things) -> None:
        rows = await things.varied()
        query: dict[str, Any] = {"size": 3, "order_by": "created_at"}
        query["cursor"] = (await things.page(**query))["next_cursor"]
        found = links(await things.send("GET", params=query))
        assert found.keys() == {"first", "prev", "next"}
        expected = {"first": rows[:3], "prev": rows[:3], "next": rows[6:]}
        for name, target in found.items():
            assert (await things.client.get(target)).json()["items"] == expected[name], name
