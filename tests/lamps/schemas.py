from datetime import datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import Field

from app.core.schemas import UNSET, ReadSchema, Schema, example
from app.core.types import Digits, Integer, Text
from tests.lamps.models import LampStatus

Name = Annotated[Text, Field(min_length=1, max_length=255)]
Description = Annotated[Text, Field(max_length=5000)]
Sku = Annotated[Text, Field(min_length=1, max_length=64)]
Price = Annotated[Decimal, Digits(12, 2, ge=0)]
Quantity = Annotated[Integer, Field(ge=0)]


class LampCreate(Schema):
    model_config = example(
        {"name": "Desk lamp", "sku": "LAMP-1", "price": "49.90", "status": "active"}
    )

    name: Name
    description: Description | None = None
    sku: Sku
    price: Price
    quantity: Quantity = 0
    status: LampStatus = LampStatus.DRAFT


class LampUpdate(Schema):
    model_config = example({"price": "44.90"})

    name: Name = UNSET
    description: Description | None = UNSET
    sku: Sku = UNSET
    price: Price = UNSET
    quantity: Quantity = UNSET
    status: LampStatus = UNSET


class LampRead(ReadSchema):
    id: UUID
    owner_id: UUID
    name: str
    description: str | None
    sku: str
    price: Decimal
    quantity: int
    status: LampStatus
    created_at: datetime
    updated_at: datetime
    version: int
    deleted_at: datetime | None
