"""A tutorial's `insert().values(list)`, in as many rows as the 32,767 parameters allow."""

from itertools import batched
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import async_sessionmaker

from bench.peers.engine import new_engine
from bench.peers.models import Item
from bench.peers.schemas import ItemCreate
from bench.upserts.protocol import Upsert

ITEMS = TypeAdapter(list[ItemCreate])
FIELDS = ("name", "description", "price", "quantity", "status")
BATCH = 1000


async def open_upsert() -> Upsert:
    new_session = async_sessionmaker(new_engine(), expire_on_commit=False)

    async def upsert(owner: UUID, body: bytes) -> None:
        async with new_session() as session:
            for batch in batched(ITEMS.validate_json(body), BATCH):
                statement = insert(Item).values(
                    [item.model_dump() | {"owner_id": owner} for item in batch]
                )
                new = {name: statement.excluded[name] for name in FIELDS}
                await session.execute(
                    statement.on_conflict_do_update(
                        index_elements=["owner_id", "sku"],
                        index_where=text("deleted_at IS NULL"),
                        set_=new,
                    )
                )
            await session.commit()

    return upsert
