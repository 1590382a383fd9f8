from typing import Annotated

from fastapi import APIRouter, Query

from app.core.bulk import BulkCreated, BulkDeleted, BulkIds, BulkItems, BulkUpserted
from app.core.pagination import Page
from app.core.types import Id
from app.dependencies import IfMatch
from app.items.dependencies import Items, LoadedItem
from app.items.filters import ItemFilter
from app.items.models import Item
from app.items.schemas import ItemCreate, ItemRead, ItemUpdate

TAGS = {"items": "Each belongs to the user who created it."}

router = APIRouter(prefix="/items", tags=["items"])


@router.post("", status_code=201, response_model=ItemRead, summary="Create an item")
async def create_item(data: ItemCreate, items: Items) -> Item:
    """The answer has its id, and `Location` the path at which it can be read."""
    return await items.create(data)


@router.get("", response_model=Page[ItemRead], summary="List items")
async def list_items(filters: Annotated[ItemFilter, Query()], items: Items) -> Page[Item]:
    """The newest first, unless `order_by` says otherwise."""
    return await items.list(filters)


@router.get("/{item_id}", response_model=ItemRead, summary="Read an item")
async def read_item(item: LoadedItem) -> Item:
    """Its `ETag` is for `If-None-Match` here, and for `If-Match` when it is changed."""
    return item


@router.patch("/{item_id}", response_model=ItemRead, summary="Change an item")
async def update_item(item_id: Id, data: ItemUpdate, items: Items, if_match: IfMatch) -> Item:
    """Absent fields stay; null clears a field that may be null."""
    return await items.update(item_id, data, if_match)


@router.delete("/{item_id}", status_code=204, summary="Delete an item")
async def delete_item(item_id: Id, items: Items, if_match: IfMatch) -> None:
    """Put the item into the bin, from where it can be restored."""
    await items.delete(item_id, if_match)


@router.post("/{item_id}/restore", response_model=ItemRead, summary="Restore an item")
async def restore_item(item_id: Id, items: Items, if_match: IfMatch) -> Item:
    """Take the item out of the bin; one that is not in it stays as it is."""
    return await items.restore(item_id, if_match)


@router.post(
    "/bulk", status_code=201, response_model=BulkCreated[ItemRead], summary="Create several items"
)
async def bulk_create_items(data: BulkItems[ItemCreate], items: Items) -> BulkCreated[Item]:
    """Create all of them or none."""
    return BulkCreated.of(await items.bulk_create(data.items))


@router.put("/bulk", response_model=BulkUpserted, summary="Create or change several items")
async def bulk_upsert_items(data: BulkItems[ItemCreate], items: Items) -> BulkUpserted:
    """Create those whose sku is new, and update the others.

    A field that is absent takes its default in a new one, and stays as it is in an existing one.
    """
    return BulkUpserted.of(await items.bulk_upsert(data.items))


@router.post("/bulk/delete", response_model=BulkDeleted, summary="Delete several items")
async def bulk_delete_items(data: BulkIds, items: Items) -> BulkDeleted:
    """Put all of them into the bin, or none."""
    return BulkDeleted(deleted=await items.bulk_delete(data.ids))
