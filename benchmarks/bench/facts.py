"""The right answers, from the database itself."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg

from bench.dataset import MIN_QUANTITY, STATUS, Dataset
from bench.settings import PAGE_SIZE

SAMPLES = 1000
DEEPEST_PAGE = 100_000  # as far as a page number may reach by the contract

ITEM = (
    "id", "owner_id", "name", "description", "sku", "price", "quantity", "status", "created_at",
    "updated_at", "version", "deleted_at",
)  # fmt: skip
PAGE = """
SELECT * FROM items
WHERE owner_id = $1 AND deleted_at IS NULL AND status = $2 AND quantity >= $3
ORDER BY price DESC, id DESC LIMIT $4 OFFSET $5
"""

type Item = dict[str, Any]


@dataclass(frozen=True)
class Facts:
    samples: list[Item]  # of the reader
    somebody_elses: UUID
    pages: dict[int, list[Item]]  # by how many rows come before
    total: int
    depth: int
    page_depth: int


async def gather(connection: "asyncpg.Connection[Any]", data: Dataset) -> Facts:
    depth = data.rows // 2
    page_depth = min(depth, DEEPEST_PAGE)
    mine = await connection.fetch(
        "SELECT * FROM items WHERE owner_id = $1 ORDER BY random() LIMIT $2", data.reader, SAMPLES
    )
    other = await connection.fetchval("SELECT id FROM items WHERE owner_id = $1", data.owners[3])
    pages = {
        offset: await connection.fetch(PAGE, data.reader, STATUS, MIN_QUANTITY, PAGE_SIZE, offset)
        for offset in (0, PAGE_SIZE, depth, page_depth)
    }
    return Facts(
        [item(each) for each in mine],
        other,
        {offset: [item(each) for each in rows] for offset, rows in pages.items()},
        data.matching,
        depth,
        page_depth,
    )


def item(found: Mapping[str, Any]) -> Item:
    """An answer's item, or a row, in a form in which equal ones are equal.

    Raises KeyError when it lacks a field.
    """
    return {name: READ.get(name, _as_it_is)(found[name]) for name in ITEM}


def _as_it_is(value: Any) -> Any:
    return value


def _time(value: Any) -> datetime | None:
    return datetime.fromisoformat(value) if isinstance(value, str) else value


READ: dict[str, Callable[[Any], Any]] = {
    "id": str,
    "owner_id": str,
    "price": lambda value: Decimal(str(value)),
    "created_at": _time,
    "updated_at": _time,
    "deleted_at": _time,
}
