"""What is special to items; the rules of every entity are tests/conformance's."""

from typing import Any

import httpx
import pytest

from tests.items.factory import ITEMS, create_item, item_json


async def found(client: httpx.AsyncClient, **query: Any) -> list[str]:
    response = await client.get(ITEMS, params=query)
    assert response.status_code == 200, response.text
    return [row["id"] for row in response.json()["items"]]


async def test_anonymous(client: httpx.AsyncClient) -> None:
    assert (await client.get(ITEMS)).status_code == 401
    assert (await client.post(ITEMS, json=item_json())).status_code == 401


async def test_create_read_patch_delete_restore(alice: httpx.AsyncClient) -> None:
    created = await create_item(alice)
    address = f"{ITEMS}/{created['id']}"
    assert (await alice.get(address)).json() == created
    changed = await alice.patch(address, json={"name": "other name"})
    assert changed.json()["version"] == 2
    stale = await alice.patch(address, json={}, headers={"If-Match": '"1"'})
    assert stale.status_code == 412
    assert (await alice.delete(address)).status_code == 204
    assert (await alice.get(address)).status_code == 404
    assert await found(alice, deleted="only") == [created["id"]]
    assert (await alice.post(f"{address}/restore")).status_code == 200
    assert await found(alice) == [created["id"]]


async def test_bulk(alice: httpx.AsyncClient) -> None:
    created = await create_item(alice)
    rows = {"items": [item_json() for _ in range(3)]}
    response = await alice.post(f"{ITEMS}/bulk", json=rows)
    assert response.status_code == 201, response.text
    ids = [row["id"] for row in response.json()["items"]]
    upserted = (await alice.put(f"{ITEMS}/bulk", json=rows)).json()
    assert (upserted["unchanged"], [row["id"] for row in upserted["results"]]) == (3, ids)
    deleted = await alice.post(f"{ITEMS}/bulk/delete", json={"ids": ids})
    assert deleted.json() == {"deleted": 3}
    assert await found(alice) == [created["id"]]


@pytest.mark.parametrize(
    ("parameter", "field", "times"),
    [
        ("name", "name", 1),
        ("name__icontains", "name", 1),
        ("name__istartswith", "name", 1),
        ("description__isnull", "description", 0),
        ("sku", "sku", 1),
        ("sku__in", "sku", 1),
        ("price", "price", 1),
        ("price__gt", "price", 0),
        ("price__gte", "price", 1),
        ("price__lt", "price", 0),
        ("price__lte", "price", 1),
        ("quantity", "quantity", 1),
        ("quantity__gt", "quantity", 0),
        ("quantity__gte", "quantity", 1),
        ("quantity__lt", "quantity", 0),
        ("quantity__lte", "quantity", 1),
        ("status", "status", 1),
        ("status__neq", "status", 0),
        ("status__in", "status", 1),
        ("status__not_in", "status", 0),
        ("created_at__gte", "created_at", 1),
        ("created_at__lt", "created_at", 0),
        ("updated_at__gte", "updated_at", 1),
        ("updated_at__lt", "updated_at", 0),
    ],
)
async def test_filters(alice: httpx.AsyncClient, parameter: str, field: str, times: int) -> None:
    """By the value that a row has."""
    created = await create_item(alice)
    value = created[field] if not parameter.endswith("__isnull") else True
    query = {parameter: str(value).lower() if isinstance(value, bool) else value}
    assert await found(alice, **query) == [created["id"]] * times


@pytest.mark.parametrize(
    "key", ["name", "description", "sku", "price", "quantity", "status", "created_at", "updated_at"]
)
async def test_every_order_is_walked_to_its_end(alice: httpx.AsyncClient, key: str) -> None:
    ids = {(await create_item(alice))["id"] for _ in range(3)}
    walked: list[str] = []
    page: dict[str, Any] = {"next_cursor": None}
    while not walked or page["next_cursor"]:
        cursor = {"cursor": page["next_cursor"]} if page["next_cursor"] else {}
        query: dict[str, Any] = {"order_by": f"-{key}", "size": 1} | cursor
        page = (await alice.get(ITEMS, params=query)).json()
        walked += [row["id"] for row in page["items"]]
    assert (len(walked), set(walked)) == (3, ids)


async def test_sku_is_unique(alice: httpx.AsyncClient) -> None:
    created = await create_item(alice)
    again = item_json(sku=created["sku"])
    response = await alice.post(ITEMS, json=again)
    assert response.status_code == 409
    assert response.json()["errors"][0]["loc"] == ["body", "sku"]


async def test_nobody_else_sees_or_changes_them(
    alice: httpx.AsyncClient, bob: httpx.AsyncClient
) -> None:
    created = await create_item(alice)
    address = f"{ITEMS}/{created['id']}"
    assert await found(bob) == []
    assert (await bob.get(address)).status_code == 404
    assert (await bob.patch(address, json={})).status_code == 404
    assert (await bob.delete(address)).status_code == 404
    assert (await alice.get(address)).json() == created
