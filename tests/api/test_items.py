from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.factories import create_items, item

ITEMS = "/api/v1/items"
NO_ITEM = "0198f3c2-0000-7000-8000-000000000000"


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
