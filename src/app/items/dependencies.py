from typing import Annotated

from fastapi import Depends

from app.auth.dependencies import CurrentSession
from app.core.types import Id
from app.dependencies import Work
from app.items.models import Item
from app.items.repository import ItemRepository
from app.items.service import ItemService


async def get_items(work: Work, session: CurrentSession) -> ItemService:
    return ItemService(ItemRepository(work, session.user_id))


Items = Annotated[ItemService, Depends(get_items)]


async def load_item(item_id: Id, items: Items) -> Item:
    return await items.get(item_id)


LoadedItem = Annotated[Item, Depends(load_item)]
