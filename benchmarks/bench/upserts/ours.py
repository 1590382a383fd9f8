"""Plinth: validated, with the id and the outcome of each row."""

from uuid import UUID

from pydantic import TypeAdapter

from app.config import load_settings
from app.database.connections import Database
from app.database.unit_of_work import UnitOfWork
from app.items.repository import ItemRepository
from app.items.schemas import ItemCreate
from app.main import collect_less_garbage
from bench.upserts.protocol import Upsert

ITEMS = TypeAdapter(list[ItemCreate])


async def open_upsert() -> Upsert:
    settings = load_settings()
    assert settings.database_url is not None
    database = Database(settings.database_url.get_secret_value(), settings)
    collect_less_garbage()  # as the application does when it starts

    async def upsert(owner: UUID, body: bytes) -> None:
        async with UnitOfWork(database) as work:
            await ItemRepository(work, owner).bulk_upsert(ITEMS.validate_json(body))
            await work.commit()

    return upsert
