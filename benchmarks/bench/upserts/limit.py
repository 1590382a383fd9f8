"""L of W6: COPY into a temporary table, then one INSERT … SELECT … ON CONFLICT."""

import os
from decimal import Decimal
from uuid import UUID

import asyncpg
import orjson

from bench.upserts.protocol import Upsert

COLUMNS = ("name", "description", "sku", "price", "quantity", "status")
CREATE = """
CREATE TEMPORARY TABLE incoming (
    name text, description text, sku text, price numeric, quantity integer, status text
) ON COMMIT DELETE ROWS
"""
MERGE = """
INSERT INTO items (id, owner_id, name, description, sku, price, quantity, status)
SELECT uuidv7(), $1, name, description, sku, price, quantity, status FROM incoming ORDER BY sku
ON CONFLICT (owner_id, sku) WHERE deleted_at IS NULL DO UPDATE SET
    name = excluded.name, description = excluded.description, price = excluded.price,
    quantity = excluded.quantity, status = excluded.status,
    version = items.version + 1, updated_at = now()
"""


async def open_upsert() -> Upsert:
    connection = await asyncpg.connect(os.environ["DATABASE_URL"], server_settings={"jit": "off"})
    await connection.execute(CREATE)

    async def upsert(owner: UUID, body: bytes) -> None:
        rows = [
            (
                row["name"],
                row["description"],
                row["sku"],
                Decimal(row["price"]),
                row["quantity"],
                row["status"],
            )
            for row in orjson.loads(body)
        ]
        async with connection.transaction():
            await connection.copy_records_to_table("incoming", records=rows, columns=COLUMNS)
            await connection.execute(MERGE, owner)

    return upsert
