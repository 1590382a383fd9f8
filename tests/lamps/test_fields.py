"""What lamps alone have; the rules of every resource are in tests/conformance."""

from typing import Any

import httpx
import pytest

from tests.factories import create_lamps, lamp
from tests.problems import LAMPS, NO_LAMP


async def test_what_may_be_left_out(alice: httpx.AsyncClient) -> None:
    [created] = await create_lamps(alice, {})
    assert (created["description"], created["quantity"], created["status"]) == (None, 0, "draft")


@pytest.mark.parametrize(
    ("price", "answered"), [("12.5", "12.50"), (0.1, "0.10"), (3, "3.00"), ("1e2", "100.00")]
)
async def test_prices_are_exact(
    alice: httpx.AsyncClient, price: float | str, answered: str
) -> None:
    [created] = await create_lamps(alice, {"price": price})
    assert created["price"] == answered


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
        ("owner_id", NO_LAMP),
    ],
)
async def test_refuses_a_field(alice: httpx.AsyncClient, field: str, value: Any) -> None:
    response = await alice.post(LAMPS, json=lamp() | {field: value})
    assert response.status_code == 422
    assert response.json()["errors"][0]["loc"] == ["body", field]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "x" * 255),
        ("description", "x" * 5000),
        ("sku", "x" * 64),
        ("price", "9999999999.99"),
        ("quantity", 2**31 - 1),
        ("status", "archived"),
    ],
)
async def test_takes_as_much_as(alice: httpx.AsyncClient, field: str, value: Any) -> None:
    [created] = await create_lamps(alice, {field: value})
    assert created[field] == value


@pytest.mark.parametrize("field", ["name", "description", "sku"])
async def test_searches_texts(alice: httpx.AsyncClient, field: str) -> None:
    [found, _] = await create_lamps(alice, {field: "100% Wool"}, {"name": "100"})
    page = (await alice.get(LAMPS, params={"search": "0% w"})).json()
    assert page["items"] == [found]
