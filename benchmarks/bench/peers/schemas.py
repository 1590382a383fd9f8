"""What the peers take and answer, in plain pydantic."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

Status = Literal["draft", "active", "archived"]


class ItemCreate(BaseModel):
    name: Annotated[str, Field(min_length=1, max_length=255)]
    description: Annotated[str, Field(max_length=5000)] | None = None
    sku: Annotated[str, Field(min_length=1, max_length=64)]
    price: Annotated[Decimal, Field(ge=0, max_digits=12, decimal_places=2)]
    quantity: Annotated[int, Field(ge=0)] = 0
    status: Status = "draft"


class OwnedItemCreate(ItemCreate):
    owner_id: UUID


class ItemRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    owner_id: UUID
    name: str
    description: str | None
    sku: str
    price: Decimal
    quantity: int
    status: Status
    created_at: datetime
    updated_at: datetime
    version: int
    deleted_at: datetime | None
