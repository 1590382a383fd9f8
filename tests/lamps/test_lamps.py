"""What is special to lamps.

tests/conformance tests every filter, order, page, write and conflict, as for each entity.
"""

import httpx

from tests.lamps.factory import LAMPS, create_lamp, lamp_json


async def test_anonymous(client: httpx.AsyncClient) -> None:
    assert (await client.get(LAMPS)).status_code == 401
    assert (await client.post(LAMPS, json=lamp_json())).status_code == 401


async def test_sku_is_unique(alice: httpx.AsyncClient) -> None:
    created = await create_lamp(alice)
    again = lamp_json(sku=created["sku"])
    response = await alice.post(LAMPS, json=again)
    assert response.status_code == 409
    assert response.json()["errors"][0]["loc"] == ["body", "sku"]


async def test_nobody_else_sees_or_changes_them(
    alice: httpx.AsyncClient, bob: httpx.AsyncClient
) -> None:
    created = await create_lamp(alice)
    address = f"{LAMPS}/{created['id']}"
    assert (await bob.get(LAMPS)).json()["items"] == []
    assert (await bob.get(address)).status_code == 404
    assert (await bob.patch(address, json={})).status_code == 404
    assert (await bob.delete(address)).status_code == 404
    assert (await alice.get(address)).json() == created
