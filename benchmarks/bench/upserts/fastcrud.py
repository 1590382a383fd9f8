"""fastcrud's upsert_multi. It knows primary keys alone, so it is told the id of each row."""

from typing import Any
from uuid import UUID

from fastcrud import FastCRUD
from pydantic import TypeAdapter
from sqlalchemy.ext.asyncio import async_sessionmaker

from bench.peers.engine import new_engine
from bench.peers.models import Item
from bench.peers.schemas import ItemCreate, OwnedItemCreate
from bench.upserts.protocol import Upsert
from bench.upserts.rows import id_of

ITEMS = TypeAdapter(list[ItemCreate])


class IdentifiedItemCreate(OwnedItemCreate):
    id: UUID


async def open_upsert() -> Upsert:
    new_session = async_sessionmaker(new_engine(), expire_on_commit=False)
    items: FastCRUD[Item, IdentifiedItemCreate, Any, Any, Any, Any] = FastCRUD(Item)

    async def upsert(owner: UUID, body: bytes) -> None:
        rows = [
            IdentifiedItemCreate(**item.model_dump(), id=id_of(owner, item.sku), owner_id=owner)
            for item in ITEMS.validate_json(body)
        ]
        async with new_session() as session:
            await items.upsert_multi(session, rows, commit=True, return_columns=["id"])

    return upsert
