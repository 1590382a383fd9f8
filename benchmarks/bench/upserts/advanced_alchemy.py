"""advanced-alchemy's upsert_many, told the id of each row as fastcrud's is.

By the natural key it would have to be unique among all rows and not among the live ones: for a
partial index it falls back to a SELECT by 10,000 pairs, which PostgreSQL refuses.
"""

from uuid import UUID

from advanced_alchemy.extensions.fastapi import repository, service
from pydantic import TypeAdapter
from sqlalchemy.ext.asyncio import async_sessionmaker

from bench.peers.engine import new_engine
from bench.peers.models import Item
from bench.peers.schemas import ItemCreate
from bench.upserts.protocol import Upsert
from bench.upserts.rows import id_of

ITEMS = TypeAdapter(list[ItemCreate])


class ItemService(service.SQLAlchemyAsyncRepositoryService[Item]):
    class Repo(repository.SQLAlchemyAsyncRepository[Item]):
        model_type = Item

    repository_type = Repo


async def open_upsert() -> Upsert:
    new_session = async_sessionmaker(new_engine(), expire_on_commit=False)

    async def upsert(owner: UUID, body: bytes) -> None:
        rows = [
            item.model_dump() | {"id": id_of(owner, item.sku), "owner_id": owner}
            for item in ITEMS.validate_json(body)
        ]
        async with new_session() as session:
            await ItemService(session).upsert_many(rows, auto_commit=True)

    return upsert
