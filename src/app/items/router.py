from typing import Annotated

from fastapi import APIRouter, Query

from app.core.pagination import Page
from app.core.schemas import Id
from app.items.dependencies import Items, LoadedItem
from app.items.filters import ItemFilter
from app.items.models import Item
from app.items.schemas import ItemCreate, ItemRead, ItemUpdate

router = APIRouter(prefix="/items", tags=["items"])


@router.post("", status_code=201, response_model=ItemRead)
async def create_item(data: ItemCreate, items: Items) -> Item:
    return await items.create(data)


@router.get("", response_model=Page[ItemRead])
async def list_items(filters: Annotated[ItemFilter, Query()], items: Items) -> Page[Item]:
    return await items.list(filters)


@router.get("/{item_id}", response_model=ItemRead)
async def read_item(item: LoadedItem) -> Item:
    return item


@router.patch("/{item_id}", response_model=ItemRead)
async def update_item(item_id: Id, data: ItemUpdate, items: Items) -> Item:
    """Absent fields stay; null clears one that may be empty."""
    return await items.update(item_id, data)


@router.delete("/{item_id}", status_code=204)
async def delete_item(item_id: Id, items: Items) -> None:
    """Put the item into the bin, from where it can be restored."""
    await items.delete(item_id)


@router.post("/{item_id}/restore", response_model=ItemRead)
async def restore_item(item_id: Id, items: Items) -> Item:
    return await items.restore(item_id)
