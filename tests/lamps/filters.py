from typing import ClassVar, Literal

from app.core.filters import Filter, OrderBy, Search, Values
from app.core.types import Integer, Number, Text, Timestamp
from tests.lamps.models import Lamp, LampStatus

type LampOrder = Literal[
    "name", "-name",
    "description", "-description",
    "sku", "-sku",
    "price", "-price",
    "quantity", "-quantity",
    "status", "-status",
    "created_at", "-created_at",
    "updated_at", "-updated_at",
]  # fmt: skip


class LampFilter(Filter):
    name: Text | None = None
    name__icontains: Text | None = None
    name__istartswith: Text | None = None
    description__isnull: bool | None = None
    sku: Text | None = None
    sku__in: Values[Text] = None
    price: Number | None = None
    price__gt: Number | None = None
    price__gte: Number | None = None
    price__lt: Number | None = None
    price__lte: Number | None = None
    quantity: Integer | None = None
    quantity__gt: Integer | None = None
    quantity__gte: Integer | None = None
    quantity__lt: Integer | None = None
    quantity__lte: Integer | None = None
    status: LampStatus | None = None
    status__neq: LampStatus | None = None
    status__in: Values[LampStatus] = None
    status__not_in: Values[LampStatus] = None
    created_at__gte: Timestamp | None = None
    created_at__lt: Timestamp | None = None
    updated_at__gte: Timestamp | None = None
    updated_at__lt: Timestamp | None = None
    order_by: OrderBy[LampOrder] = None
    search: Search = None

    search_fields: ClassVar = ("name", "description", "sku")

    class Constants(Filter.Constants):
        model = Lamp
