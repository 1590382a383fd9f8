"""The limit without a temporary table: an array a column, and `unnest`."""

import os
from decimal import Decimal
from uuid import UUID

import asyncpg
import orjson

from bench.upserts.protocol import Upsert

MERGE = """
INSERT INTO items (id, owner_id, name, description, sku, price, quantity, status)
SELECT uuidv7(), $1, name, description, sku, price, quantity, status
FROM unnest($2::text[], $3::text[], $4::text[], $5::numeric[], $6::integer[], $7::text[])
    AS incoming (name, description, sku, price, quantity, status)
ORDER BY sku
ON CONFLICT (owner_id, sku) WHERE deleted_at IS NULL DO UPDATE SET
    name = excluded.name, description = excluded.description, price = excluded.price,
    quantity = excluded.quantity, status = excluded.status,
    version = items.version + 1, updated_at = now()
"""


async def open_upsert() -> Upsert:
    connection = await asyncpg.connect(os.environ["DATABASE_URL"], server_settings={"jit": "off"})

    async def upsert(owner: UUID, body: bytes) -> None:
        rows = orjson.loads(body)
        await connection.execute(
            MERGE,
            owner,
            [row["name"] for row in rows],
            [row["description"] for row in rows],
            [row["sku"] for row in rows],
            [Decimal(row["price"]) for row in rows],
            [row["quantity"] for row in rows],
            [row["status"] for row in rows],
        )

    return upsert
