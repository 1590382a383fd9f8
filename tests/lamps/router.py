from typing import Annotated

from fastapi import APIRouter, Query

from app.core.bulk import BulkCreated, BulkDeleted, BulkIds, BulkItems, BulkUpserted
from app.core.pagination import Page
from app.core.types import Id
from app.dependencies import IfMatch
from tests.lamps.dependencies import Lamps, LoadedLamp
from tests.lamps.filters import LampFilter
from tests.lamps.models import Lamp
from tests.lamps.schemas import LampCreate, LampRead, LampUpdate

TAGS = {"lamps": "Each belongs to the user who created it."}

router = APIRouter(prefix="/lamps", tags=["lamps"])


@router.post("", status_code=201, response_model=LampRead, summary="Create a lamp")
async def create_lamp(data: LampCreate, lamps: Lamps) -> Lamp:
    """The answer has its id, and `Location` the path at which it can be read."""
    return await lamps.create(data)


@router.get("", response_model=Page[LampRead], summary="List lamps")
async def list_lamps(filters: Annotated[LampFilter, Query()], lamps: Lamps) -> Page[Lamp]:
    """The newest first, unless `order_by` says otherwise."""
    return await lamps.list(filters)


@router.get("/{lamp_id}", response_model=LampRead, summary="Read a lamp")
async def read_lamp(lamp: LoadedLamp) -> Lamp:
    """Its `ETag` is for `If-None-Match` here, and for `If-Match` when it is changed."""
    return lamp


@router.patch("/{lamp_id}", response_model=LampRead, summary="Change a lamp")
async def update_lamp(lamp_id: Id, data: LampUpdate, lamps: Lamps, if_match: IfMatch) -> Lamp:
    """Absent fields stay; null clears a field that may be null."""
    return await lamps.update(lamp_id, data, if_match)


@router.delete("/{lamp_id}", status_code=204, summary="Delete a lamp")
async def delete_lamp(lamp_id: Id, lamps: Lamps, if_match: IfMatch) -> None:
    """Put the lamp into the bin, from where it can be restored."""
    await lamps.delete(lamp_id, if_match)


@router.post("/{lamp_id}/restore", response_model=LampRead, summary="Restore a lamp")
async def restore_lamp(lamp_id: Id, lamps: Lamps, if_match: IfMatch) -> Lamp:
    """Take the lamp out of the bin; one that is not in it stays as it is."""
    return await lamps.restore(lamp_id, if_match)


@router.post(
    "/bulk", status_code=201, response_model=BulkCreated[LampRead], summary="Create several lamps"
)
async def bulk_create_lamps(data: BulkItems[LampCreate], lamps: Lamps) -> BulkCreated[Lamp]:
    """Create all of them or none."""
    return BulkCreated.of(await lamps.bulk_create(data.items))


@router.put("/bulk", response_model=BulkUpserted, summary="Create or change several lamps")
async def bulk_upsert_lamps(data: BulkItems[LampCreate], lamps: Lamps) -> BulkUpserted:
    """Create those whose sku is new, and update the others.

    A field that is absent takes its default in a new one, and stays as it is in an existing one.
    """
    return BulkUpserted.of(await lamps.bulk_upsert(data.items))


@router.post("/bulk/delete", response_model=BulkDeleted, summary="Delete several lamps")
async def bulk_delete_lamps(data: BulkIds, lamps: Lamps) -> BulkDeleted:
    """Put all of them into the bin, or none."""
    return BulkDeleted(deleted=await lamps.bulk_delete(data.ids))
