from decimal import Decimal
from enum import StrEnum

from sqlalchemy import CheckConstraint, Numeric, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.models import Entity, Owned, listed_by, listed_in_bin, unique_among_live


class LampStatus(StrEnum):
    DRAFT = "draft"
    ACTIVE = "active"
    ARCHIVED = "archived"


class Lamp(Owned, Entity):
    __tablename__ = "lamps"
    __table_args__ = (
        CheckConstraint("char_length(description) <= 5000", name="description"),
        CheckConstraint("price >= 0", name="price"),
        CheckConstraint("quantity >= 0", name="quantity"),
        unique_among_live("lamps", "owner_id", "sku"),
        listed_by("lamps", "owner_id", "created_at", "id"),
        listed_by("lamps", "owner_id", "name", "id"),
        listed_by("lamps", "owner_id", "price", "id"),
        listed_by("lamps", "owner_id", "status", "created_at", "id"),
        listed_in_bin("lamps", "owner_id", "created_at", "id"),
    )
    natural_key = ("sku",)

    name: Mapped[str] = mapped_column(String(255))
    description: Mapped[str | None] = mapped_column(Text)
    sku: Mapped[str] = mapped_column(String(64))
    price: Mapped[Decimal] = mapped_column(Numeric(12, 2))
    quantity: Mapped[int]
    status: Mapped[LampStatus]
