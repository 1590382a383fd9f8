"""Ready-made lamps."""

from itertools import count
from typing import Any

import httpx

LAMPS = "/api/v1/lamps"
_numbers = count(1)


def lamp_json(**fields: Any) -> dict[str, Any]:
    """The body that creates one, with unique values of its own."""
    n = next(_numbers)
    return {
        "name": "name",
        "description": "description",
        "sku": f"SKU{n}",
        "price": "0",
        "quantity": 0,
        "status": "draft",
    } | fields


async def create_lamp(client: httpx.AsyncClient, **fields: Any) -> dict[str, Any]:
    response = await client.post(LAMPS, json=lamp_json(**fields))
    assert response.status_code == 201, response.text
    created: dict[str, Any] = response.json()
    return created
