"""The 10,000 rows of W6: every other one exists already, with other values."""

from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5

import orjson

ROWS = 10_000
EXISTING_COLUMNS = ("id", "owner_id", "name", "sku", "price", "quantity", "status")


def id_of(owner: UUID, sku: str) -> UUID:
    return uuid5(owner, sku)


def body() -> bytes:
    return orjson.dumps(
        [
            {
                "name": f"Item {number}",
                "description": f"What there is to say of item {number}, in a line",
                "sku": _sku(number),
                "price": str(_price(number)),
                "quantity": number % 100,
                "status": "active",
            }
            for number in range(ROWS)
        ]
    )


def existing(owner: UUID) -> list[tuple[Any, ...]]:
    skus = [_sku(number) for number in range(0, ROWS, 2)]
    return [(id_of(owner, sku), owner, "Old", sku, Decimal(1), 1, "draft") for sku in skus]


def expected() -> tuple[int, Decimal, int, int]:
    """How many rows there are afterwards, the sums of their prices and quantities, the active."""
    numbers = range(ROWS)
    return ROWS, sum(map(_price, numbers), Decimal()), sum(n % 100 for n in numbers), ROWS


def _sku(number: int) -> str:
    return f"BULK-{number * 7_919 % ROWS:05d}"  # not in the order of the key


def _price(number: int) -> Decimal:
    return Decimal(number + 1000).scaleb(-2)
