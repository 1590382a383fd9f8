"""Cursors as clients meet them: walks that lose nothing, and nothing that can be forged."""

import re
from collections.abc import Iterator
from random import Random
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.models import uuid7
from app.dispatch.cursors import SIGNATURE_BYTES
from tests.factories import SignIn, create_lamps, lamp
from tests.problems import LAMPS, V1, read_problem

EVENTS, USERS = f"{V1}/security-events", f"{V1}/users"
SIGNATURE_LENGTH = SIGNATURE_BYTES // 3 * 4  # in base64
URL_SAFE = re.compile(r"[A-Za-z0-9_-]+")

EXAMPLES = settings(
    max_examples=40,
    derandomize=True,
    deadline=None,  # a busy machine may take long
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # each signs in a user of its own
)

TEXTS = ["a", "A", 'a,"b', "é", "😀", "\\%_", "&cursor=", " ", "x" * 250, "\u2028", "\uffff"]

ORDERS = [
    None, "name", "-name", "description", "-description", "description,-name", "-sku",
    "-status,description", "status,-description,name", "-quantity,price",
    "price,-quantity,description,-name",
]  # fmt: skip

QUERIES: list[dict[str, Any]] = [
    {}, {}, {"status__in": "draft,active"}, {"search": "a"}, {"description__isnull": "false"},
    {"quantity__gte": 1}, {"deleted": "include"},
]  # fmt: skip


def new_lamp(random: Random) -> dict[str, Any]:
    return lamp(
        name=random.choice(TEXTS),
        description=random.choice([None, None, "", *TEXTS]),
        price=random.choice(["0", "1.5", "9999999999.99"]),
        quantity=random.randrange(3),
        status=random.choice(["draft", "active", "archived"]),
    )


async def read(client: httpx.AsyncClient, **query: Any) -> dict[str, Any]:
    response = await client.get(LAMPS, params={k: v for k, v in query.items() if v is not None})
    assert response.status_code == 200, response.text
    page: dict[str, Any] = response.json()
    return page


def ids(page: dict[str, Any]) -> list[str]:
    return [each["id"] for each in page["items"]]


@EXAMPLES
@given(
    order_by=st.sampled_from(ORDERS),
    query=st.sampled_from(QUERIES),
    random=st.randoms(use_true_random=True),
)
async def test_what_is_there_all_along_is_delivered_once(
    sign_in: SignIn, order_by: str | None, query: dict[str, Any], random: Random
) -> None:
    reader = await sign_in(f"{uuid7()}@example.com")
    rows = [new_lamp(random) for _ in range(15)]
    created = (await reader.post(f"{LAMPS}/bulk", json={"items": rows})).json()["items"]
    untouched = {each["id"] for each in created}
    query = {"order_by": order_by} | query
    page = await read(reader, **query, page=1, size=random.randint(1, 5))
    pages = [ids(page)]
    while cursor := page["next_cursor"]:
        assert URL_SAFE.fullmatch(cursor)
        if random.random() < 0.5:
            await reader.post(LAMPS, json=new_lamp(random))
        if random.random() < 0.5:
            # The last row of a page is the one that its cursor names.
            gone = random.choice([pages[-1][-1], random.choice(created)["id"]])
            await reader.delete(f"{LAMPS}/{gone}")
            untouched.discard(gone)
        page = await read(reader, **query, cursor=cursor, size=random.randint(1, 5))
        pages.append(ids(page))
        assert len(pages) < 100
    there, back = [id for each in pages for id in each], pages[-1]
    while cursor := page["previous_cursor"]:
        page = await read(reader, **query, cursor=cursor, size=random.randint(1, 5))
        back = ids(page) + back
    expected = ids(await read(reader, **query, size=100))
    assert back == expected
    assert len(set(there)) == len(there)
    assert [id for id in there if id in untouched] == [id for id in expected if id in untouched]


class TestLinks:
    async def test_lead_through_the_list_and_back(self, alice: httpx.AsyncClient) -> None:
        await create_lamps(alice, *({"name": f"<{n}>"} for n in range(5)))
        response = await alice.get(LAMPS, params={"order_by": "name", "size": 2, "search": '<"&>'})
        assert response.json()["items"] == []
        names = []
        before = ""
        url = f"{LAMPS}?order_by=name&size=2&total=none&search=%3C"
        first = await alice.get(url)
        url += f"&cursor={first.json()['next_cursor']}"
        while url:
            response = await alice.get(url)
            names.append([each["name"] for each in response.json()["items"]])
            assert "last" not in response.links
            before = response.links["prev"]["url"]
            url = response.links.get("next", {}).get("url", "")
        assert names == [["<2>", "<3>"], ["<4>"]]
        response = await alice.get(before)
        assert [each["name"] for each in response.json()["items"]] == ["<2>", "<3>"]
        response = await alice.get(response.links["first"]["url"])
        assert response.json()["items"] == first.json()["items"]

    async def test_the_last_page_is_known_wherever_it_was_counted(
        self, alice: httpx.AsyncClient
    ) -> None:
        await create_lamps(alice, *({"name": f"{n}"} for n in range(5)))
        query = f"{LAMPS}?order_by=name&size=2"
        first = (await alice.get(query)).json()
        response = await alice.get(f"{query}&total=exact&cursor={first['next_cursor']}")
        last = await alice.get(response.links["last"]["url"])
        assert [each["name"] for each in last.json()["items"]] == ["4"]

    async def test_a_long_query_leaves_room_for_what_follows(
        self, alice: httpx.AsyncClient
    ) -> None:
        """In more than a proxy takes, `next` stays as long as it can."""
        made = await create_lamps(alice, *({"name": f"{n}"} for n in range(5)))
        skus = ",".join(each["sku"] for each in made)
        for length, expected in ((100, {"next", "prev", "first", "last"}), (2000, {"next"})):
            query = f"{LAMPS}?size=2&page=2&sku__in={skus},{'x' * length}"
            response = await alice.get(query)
            assert set(response.links) <= {"next", "prev", "first", "last"}
            assert expected <= set(response.links)
            assert len(response.headers["Link"]) <= 4096

    async def test_a_query_that_leaves_no_room_for_them_has_none(
        self, alice: httpx.AsyncClient
    ) -> None:
        response = await alice.get(f"{LAMPS}?name={'x' * 4096}")
        assert (response.status_code, "Link" in response.headers) == (200, False)
        document = (await alice.get("/openapi.json")).json()
        assert document["components"]["headers"]["Link"]["required"] is False


def damaged(cursor: str) -> Iterator[str]:
    """With every character changed, at every length, and put together anew."""
    for at, character in enumerate(cursor):
        for other in ("A" if character != "A" else "B", "-" if character != "-" else "_", "!", "é"):
            yield cursor[:at] + other + cursor[at + 1 :]
        yield cursor[:at]
    for more in ("A", "=", "==", " ", "\n", "\0", cursor):
        yield cursor + more
    yield " " + cursor
    yield cursor[SIGNATURE_LENGTH:] + cursor[:SIGNATURE_LENGTH]
    yield cursor[::-1]
    yield cursor.swapcase()


@pytest.fixture
async def cursor(alice: httpx.AsyncClient) -> str:
    """One that leads from the first page of two, by name."""
    await create_lamps(alice, {"name": "a"}, {"name": "b"})
    cursor: str = (await read(alice, order_by="name", size=1))["next_cursor"]
    return cursor


class TestTampering:
    async def test_no_character_can_be_changed(self, alice: httpx.AsyncClient, cursor: str) -> None:
        for wrong in damaged(cursor):
            response = await alice.get(LAMPS, params={"order_by": "name", "cursor": wrong})
            problem = read_problem(response, 422, "INVALID_CURSOR")
            assert problem["errors"][0]["loc"] == ["query", "cursor"]

    async def test_a_compressed_one_is_no_weaker(self, alice: httpx.AsyncClient) -> None:
        await create_lamps(alice, *({"description": "x" * 5000} for _ in range(2)))
        cursor = (await read(alice, order_by="description", size=1))["next_cursor"]
        for wrong in damaged(cursor):
            response = await alice.get(LAMPS, params={"order_by": "description", "cursor": wrong})
            read_problem(response, 422, "INVALID_CURSOR")

    async def test_two_cursors_have_no_parts_to_exchange(
        self, alice: httpx.AsyncClient, cursor: str
    ) -> None:
        other = (await read(alice, order_by="-name", size=1))["next_cursor"]
        halves = [(each[:SIGNATURE_LENGTH], each[SIGNATURE_LENGTH:]) for each in (cursor, other)]
        for order_by in ("name", "-name"):
            for wrong in (halves[0][0] + halves[1][1], halves[1][0] + halves[0][1]):
                response = await alice.get(LAMPS, params={"order_by": order_by, "cursor": wrong})
                read_problem(response, 422, "INVALID_CURSOR")

    @pytest.mark.parametrize(
        "query",
        [
            {},
            {"order_by": "-name"},
            {"order_by": "name,sku"},
            {"order_by": "name", "status": "draft"},
            {"order_by": "name", "status__in": "draft"},
            {"order_by": "name", "name": "a"},
            {"order_by": "name", "search": "a"},
            {"order_by": "name", "deleted": "only"},
            {"order_by": "name", "deleted": "include"},
        ],
    )
    async def test_another_list_refuses_it(
        self, alice: httpx.AsyncClient, cursor: str, query: dict[str, Any]
    ) -> None:
        response = await alice.get(LAMPS, params=query | {"cursor": cursor})
        read_problem(response, 422, "INVALID_CURSOR")

    @pytest.mark.parametrize(
        ("made", "used"),
        [
            ({"name__icontains": "a"}, {"name__istartswith": "a"}),
            ({"name__icontains": "a"}, {"search": "a"}),
            ({"price__gt": "1"}, {"price__gt": "1.01"}),
            ({"price__gt": "1"}, {"price__gte": "1"}),
            ({"sku__in": "A,B"}, {"sku__in": '"A,B"'}),
            ({"status__in": "draft,active"}, {"status__in": "draft"}),
            ({"description__isnull": "true"}, {"description__isnull": "false"}),
        ],
    )
    async def test_other_values_refuse_it(
        self, alice: httpx.AsyncClient, made: dict[str, str], used: dict[str, str]
    ) -> None:
        lamps = [{"sku": sku, "name": "a", "price": "2"} for sku in "AB"]
        lamps += [{"description": "d", "status": "active", "sku": f"{n}"} for n in range(2)]
        await create_lamps(alice, *lamps)
        cursor = (await read(alice, **made, size=1))["next_cursor"]
        response = await alice.get(LAMPS, params=used | {"cursor": cursor})
        read_problem(response, 422, "INVALID_CURSOR")
        assert (await alice.get(LAMPS, params=made | {"cursor": cursor})).status_code == 200

    async def test_another_user_may_not_use_it(
        self, bob: httpx.AsyncClient, client: httpx.AsyncClient, cursor: str
    ) -> None:
        await create_lamps(bob, {}, {})
        query = {"order_by": "name", "cursor": cursor}
        read_problem(await bob.get(LAMPS, params=query), 422, "INVALID_CURSOR")
        read_problem(await client.get(LAMPS, params=query), 401, "UNAUTHORIZED")

    async def test_another_route_refuses_it(self, sign_in: SignIn) -> None:
        root = await sign_in("root@example.com", superuser=True)
        await sign_in("alice@example.com")
        cursor = (await root.get(USERS, params={"size": 1})).json()["next_cursor"]
        assert (await root.get(USERS, params={"cursor": cursor})).status_code == 200
        for path in (LAMPS, EVENTS):
            response = await root.get(path, params={"cursor": cursor})
            read_problem(response, 422, "INVALID_CURSOR")

    async def test_the_size_and_the_total_may_change(
        self, alice: httpx.AsyncClient, cursor: str
    ) -> None:
        page = await read(alice, order_by="name", cursor=cursor)
        assert ([each["name"] for each in page["items"]], page["total"]) == (["b"], None)
        page = await read(alice, order_by="name", cursor=cursor, size=7, total="exact")
        assert ([each["name"] for each in page["items"]], page["total"]) == (["b"], 2)
        assert (page["page"], page["pages"], page["size"]) == (None, None, 7)

    async def test_not_along_with_a_page(self, alice: httpx.AsyncClient, cursor: str) -> None:
        query = {"order_by": "name", "cursor": cursor, "page": "1"}
        response = await alice.get(LAMPS, params=query)
        read_problem(response, 422, "VALIDATION_ERROR")


@pytest.mark.parametrize("text", ["x" * 5000, "😀" * 5000, 'a"\\\n\t' * 1000, "é,&=+/#?%00" * 400])
async def test_long_values_make_short_cursors_that_a_url_can_hold(
    alice: httpx.AsyncClient, text: str
) -> None:
    await create_lamps(alice, *({"description": text + end} for end in ("", "", "")))
    query = {"order_by": "description", "size": 1}
    met = []
    page = await read(alice, **query)
    while cursor := page["next_cursor"]:
        assert URL_SAFE.fullmatch(cursor)
        assert len(cursor) < 500
        met += ids(page)
        page = await read(alice, **query, cursor=cursor)
    assert met + ids(page) == ids(await read(alice, order_by="description"))


async def test_a_long_value_without_repetition_survives(alice: httpx.AsyncClient) -> None:
    random = Random(0)  # noqa: S311 - not a secret
    texts = ["".join(chr(random.randrange(0x1F300, 0x1F900)) for _ in range(5000)) for _ in "ab"]
    await create_lamps(alice, *({"description": text} for text in texts))
    first = await read(alice, order_by="description", size=1)
    second = await read(alice, order_by="description", size=1, cursor=first["next_cursor"])
    assert [first["items"][0]["description"], second["items"][0]["description"]] == sorted(texts)
