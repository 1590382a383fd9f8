from datetime import datetime
from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.factories import create_items, item

ITEMS = "/api/v1/items"
NO_ITEM = "0198f3c2-0000-7000-8000-000000000000"


async def names(client: httpx.AsyncClient, **query: Any) -> list[str]:
    response = await client.get(ITEMS, params=query)
    assert response.status_code == 200, response.text
    return [each["name"] for each in response.json()["items"]]


class TestCreate:
    async def test_anonymous(self, client: httpx.AsyncClient) -> None:
        response = await client.post(ITEMS, json=item())
        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"] == "Bearer"

    async def test_answers_the_item_and_where_it_is(self, alice: httpx.AsyncClient) -> None:
        response = await alice.post(ITEMS, json=item(price="12.5"))
        created = response.json()
        assert response.status_code == 201
        assert created["price"] == "12.50"
        assert created["status"] == "draft"
        assert created["version"] == 1
        assert UUID(created["id"]).version == 7
        assert (await alice.get(response.headers["Location"])).json() == created

    async def test_takes_a_number_for_a_price(self, alice: httpx.AsyncClient) -> None:
        response = await alice.post(ITEMS, json=item(price=0.1))
        assert response.json()["price"] == "0.10"

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("name", ""),
            ("name", "x" * 256),
            ("name", None),
            ("description", "x" * 5001),
            ("sku", ""),
            ("sku", "x" * 65),
            ("price", "-0.01"),
            ("price", "0.001"),
            ("price", "12345678901.00"),
            ("quantity", -1),
            ("quantity", "1"),
            ("quantity", True),
            ("status", "sold"),
            ("owner_id", NO_ITEM),
        ],
    )
    async def test_refuses_a_field(self, alice: httpx.AsyncClient, field: str, value: Any) -> None:
        response = await alice.post(ITEMS, json=item() | {field: value})
        assert response.status_code == 422
        assert response.json()["errors"][0]["loc"] == ["body", field]

    async def test_conflict_names_the_field(self, alice: httpx.AsyncClient) -> None:
        await create_items(alice, {"sku": "A"})
        response = await alice.post(ITEMS, json=item(sku="A"))
        assert response.status_code == 409
        assert response.json()["errors"][0]["loc"] == ["body", "sku"]

    async def test_another_owner_may_have_the_same_sku(
        self, alice: httpx.AsyncClient, bob: httpx.AsyncClient
    ) -> None:
        await create_items(alice, {"sku": "A"})
        await create_items(bob, {"sku": "A"})


class TestRead:
    async def test_anonymous(self, client: httpx.AsyncClient) -> None:
        assert (await client.get(f"{ITEMS}/{NO_ITEM}")).status_code == 401

    async def test_missing_deleted_and_foreign_are_alike(
        self, alice: httpx.AsyncClient, bob: httpx.AsyncClient
    ) -> None:
        [foreign] = await create_items(bob, {})
        [deleted] = await create_items(alice, {})
        await alice.delete(f"{ITEMS}/{deleted['id']}")
        for id in (NO_ITEM, deleted["id"], foreign["id"]):
            response = await alice.get(f"{ITEMS}/{id}")
            assert response.status_code == 404
            assert response.json()["detail"] == f"Item {id} not found"

    async def test_a_superuser_is_no_exception(
        self, alice: httpx.AsyncClient, sign_in: Any
    ) -> None:
        [created] = await create_items(alice, {})
        root = await sign_in("root@example.com", superuser=True)
        assert (await root.get(f"{ITEMS}/{created['id']}")).status_code == 404


class TestUpdate:
    async def test_anonymous(self, client: httpx.AsyncClient) -> None:
        assert (await client.patch(f"{ITEMS}/{NO_ITEM}", json={})).status_code == 401

    async def test_absent_fields_stay(self, alice: httpx.AsyncClient) -> None:
        [before] = await create_items(alice, {"description": "d", "quantity": 3})
        response = await alice.patch(f"{ITEMS}/{before['id']}", json={"quantity": 4})
        after = response.json()
        changed = {"quantity": 4, "version": 2, "updated_at": after["updated_at"]}
        assert after == before | changed
        assert datetime.fromisoformat(after["updated_at"]) > datetime.fromisoformat(
            before["updated_at"]
        )

    async def test_null_clears_what_may_be_null(self, alice: httpx.AsyncClient) -> None:
        [before] = await create_items(alice, {"description": "d"})
        response = await alice.patch(f"{ITEMS}/{before['id']}", json={"description": None})
        assert response.json()["description"] is None
        response = await alice.patch(f"{ITEMS}/{before['id']}", json={"name": None})
        assert response.status_code == 422

    async def test_an_empty_patch_changes_nothing(self, alice: httpx.AsyncClient) -> None:
        [before] = await create_items(alice, {})
        response = await alice.patch(f"{ITEMS}/{before['id']}", json={})
        assert response.status_code == 200
        assert response.json() == before

    async def test_conflict_names_the_field(self, alice: httpx.AsyncClient) -> None:
        [first, _] = await create_items(alice, {}, {"sku": "A"})
        response = await alice.patch(f"{ITEMS}/{first['id']}", json={"sku": "A"})
        assert response.status_code == 409
        assert response.json()["errors"][0]["loc"] == ["body", "sku"]

    async def test_foreign(self, alice: httpx.AsyncClient, bob: httpx.AsyncClient) -> None:
        [foreign] = await create_items(bob, {})
        url = f"{ITEMS}/{foreign['id']}"
        assert (await alice.patch(url, json={"name": "mine"})).status_code == 404
        assert (await bob.get(url)).json() == foreign


class TestDelete:
    async def test_anonymous(self, client: httpx.AsyncClient) -> None:
        assert (await client.delete(f"{ITEMS}/{NO_ITEM}")).status_code == 401

    async def test_leaves_reads_lists_counts_and_uniqueness(self, alice: httpx.AsyncClient) -> None:
        [created] = await create_items(alice, {"sku": "A"})
        response = await alice.delete(f"{ITEMS}/{created['id']}")
        assert (response.status_code, response.content) == (204, b"")
        assert (await alice.delete(f"{ITEMS}/{created['id']}")).status_code == 404
        page = (await alice.get(ITEMS)).json()
        assert (page["items"], page["total"]) == ([], 0)
        await create_items(alice, {"sku": "A"})

    async def test_foreign(self, alice: httpx.AsyncClient, bob: httpx.AsyncClient) -> None:
        [foreign] = await create_items(bob, {})
        url = f"{ITEMS}/{foreign['id']}"
        assert (await alice.delete(url)).status_code == 404
        assert (await bob.get(url)).status_code == 200


class TestRestore:
    async def test_anonymous(self, client: httpx.AsyncClient) -> None:
        assert (await client.post(f"{ITEMS}/{NO_ITEM}/restore")).status_code == 401

    async def test_brings_the_item_back(self, alice: httpx.AsyncClient) -> None:
        [created] = await create_items(alice, {})
        url = f"{ITEMS}/{created['id']}"
        await alice.delete(url)
        response = await alice.post(f"{url}/restore")
        assert response.status_code == 200
        assert (await alice.get(url)).json() == response.json()
        assert response.json()["deleted_at"] is None

    async def test_a_live_item_is_answered_as_it_is(self, alice: httpx.AsyncClient) -> None:
        [created] = await create_items(alice, {})
        response = await alice.post(f"{ITEMS}/{created['id']}/restore")
        assert response.json() == created

    async def test_conflict_when_the_sku_was_taken_meanwhile(
        self, alice: httpx.AsyncClient
    ) -> None:
        [created] = await create_items(alice, {"sku": "A"})
        await alice.delete(f"{ITEMS}/{created['id']}")
        await create_items(alice, {"sku": "A"})
        response = await alice.post(f"{ITEMS}/{created['id']}/restore")
        assert response.status_code == 409
        assert response.json()["errors"][0]["loc"] == ["body", "sku"]

    async def test_foreign(self, alice: httpx.AsyncClient, bob: httpx.AsyncClient) -> None:
        [foreign] = await create_items(bob, {})
        await bob.delete(f"{ITEMS}/{foreign['id']}")
        assert (await alice.post(f"{ITEMS}/{foreign['id']}/restore")).status_code == 404
        assert (await bob.get(f"{ITEMS}/{foreign['id']}")).status_code == 404


class TestList:
    async def test_anonymous(self, client: httpx.AsyncClient) -> None:
        assert (await client.get(ITEMS)).status_code == 401

    async def test_newest_first_and_only_mine(
        self, alice: httpx.AsyncClient, bob: httpx.AsyncClient
    ) -> None:
        await create_items(alice, {"name": "first"}, {"name": "second"})
        await create_items(bob, {"name": "foreign"})
        assert await names(alice) == ["second", "first"]

    async def test_pages(self, alice: httpx.AsyncClient) -> None:
        await create_items(alice, *({"name": f"{n}"} for n in range(5)))
        page = (await alice.get(ITEMS, params={"page": 2, "size": 2, "order_by": "name"})).json()
        assert [each["name"] for each in page.pop("items")] == ["2", "3"]
        assert page.pop("next_cursor")
        assert page.pop("previous_cursor")
        assert page == {"total": 5, "page": 2, "size": 2, "pages": 3}

    @pytest.mark.parametrize(
        "query",
        [
            {"page": 0},
            {"size": 0},
            {"size": 101},
            {"page": 2002, "size": 50},
            {"order_by": "owner_id"},
            {"order_by": "name,-name"},
            {"order_by": "name,sku,price,status,quantity"},
            {"order_by": ""},
            {"search": ""},
            {"search": "x" * 101},
            {"sku__in": ",".join(map(str, range(101)))},
            {"created_at__gte": "2026-01-01T00:00:00"},
            {"created_at__gte": "1700000000"},
        ],
    )
    async def test_refuses(self, alice: httpx.AsyncClient, query: dict[str, Any]) -> None:
        response = await alice.get(ITEMS, params=query)
        assert response.status_code == 422
        assert response.json()["error_code"] == "VALIDATION_ERROR"

    async def test_a_typo_is_told_the_right_name(self, alice: httpx.AsyncClient) -> None:
        response = await alice.get(ITEMS, params={"statsu": "draft"})
        assert response.status_code == 422
        assert response.json()["error_code"] == "UNKNOWN_PARAMETER"
        assert "status" in response.json()["errors"][0]["message"]

    async def test_orders_by_several_keys(self, alice: httpx.AsyncClient) -> None:
        await create_items(
            alice,
            {"name": "a", "quantity": 1, "description": "x"},
            {"name": "b", "quantity": 2},
            {"name": "c", "quantity": 2, "description": "y"},
        )
        assert await names(alice, order_by="-quantity,name") == ["b", "c", "a"]
        assert await names(alice, order_by="description") == ["a", "c", "b"]
        assert await names(alice, order_by="-description") == ["c", "a", "b"]

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ({"name": "plain"}, "p"),
            ({"name__icontains": "0%_"}, "w"),
            ({"name__icontains": "PLAIN"}, "p"),
            ({"name__istartswith": "100"}, "w"),
            ({"sku": "P"}, "p"),
            ({"sku__in": "P,W"}, "pw"),
            ({"sku__in": ["P", "L"]}, "pl"),
            ({"status": "active"}, "w"),
            ({"status__neq": "active"}, "pl"),
            ({"status__in": "active,archived"}, "wl"),
            ({"status__not_in": "active,archived"}, "p"),
            ({"price": "1"}, "p"),
            ({"price__gt": "1"}, "wl"),
            ({"price__gte": "2"}, "wl"),
            ({"price__lt": "2.01"}, "pw"),
            ({"price__lte": "2"}, "pw"),
            ({"quantity": 7}, "l"),
            ({"quantity__gt": 5, "quantity__lt": 7}, "w"),
            ({"quantity__gte": 6, "quantity__lte": 6}, "w"),
            ({"created_at__gte": "2020-01-01T00:00:00Z"}, "pwl"),
            ({"created_at__lt": "2020-01-01T00:00:00+02:00"}, ""),
            ({"updated_at__gte": "2020-01-01T00:00:00Z"}, "pwl"),
            ({"updated_at__lt": "2020-01-01T00:00:00Z"}, ""),
            ({"description__isnull": "true"}, "pl"),
            ({"description__isnull": "false"}, "w"),
            ({"search": "wild\\card"}, "w"),
            ({"search": "%"}, "w"),
            ({"search": "l"}, "pwl"),
            ({"search": "none"}, ""),
        ],
    )
    async def test_filters(
        self, alice: httpx.AsyncClient, query: dict[str, Any], found: str
    ) -> None:
        await create_items(
            alice,
            {"name": "plain", "sku": "P", "price": "1", "quantity": 5},
            {
                "name": "100%_",
                "sku": "W",
                "price": "2",
                "quantity": 6,
                "status": "active",
                "description": "Wild\\Card",
            },
            {"name": "last", "sku": "L", "price": "3", "quantity": 7, "status": "archived"},
        )
        response = await alice.get(ITEMS, params=query)
        assert response.status_code == 200, response.text
        page = response.json()
        assert {each["sku"] for each in page["items"]} == set(found.upper())
        assert page["total"] == len(found)
