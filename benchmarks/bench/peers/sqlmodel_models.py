"""The tables and schemas in SQLModel, as full-stack-fastapi-template writes them."""

from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import DateTime, LargeBinary
from sqlmodel import Field, SQLModel

from app.core.models import uuid7

Timestamp = DateTime(timezone=True)


def utc_now() -> datetime:
    return datetime.now(UTC)


class User(SQLModel, table=True):
    __tablename__ = "users"

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    email: str = Field(max_length=254)
    password_hash: str
    display_name: str | None = None
    is_active: bool = True
    is_superuser: bool = False
    created_at: datetime = Field(default_factory=utc_now, sa_type=Timestamp)
    deleted_at: datetime | None = Field(default=None, sa_type=Timestamp)


class UserSession(SQLModel, table=True):
    __tablename__ = "sessions"

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    user_id: UUID = Field(foreign_key="users.id")
    token_hash: bytes = Field(sa_type=LargeBinary)
    expires_at: datetime = Field(sa_type=Timestamp)


class ItemBase(SQLModel):
    name: str = Field(min_length=1, max_length=255)
    description: str | None = Field(default=None, max_length=5000)
    sku: str = Field(min_length=1, max_length=64)
    price: Decimal = Field(ge=0, max_digits=12, decimal_places=2)
    quantity: int = Field(default=0, ge=0)
    status: str = Field(default="draft", max_length=32)


class ItemCreate(ItemBase):
    pass


class Item(ItemBase, table=True):
    __tablename__ = "items"

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    owner_id: UUID = Field(foreign_key="users.id", ondelete="CASCADE")
    created_at: datetime = Field(default_factory=utc_now, sa_type=Timestamp)
    updated_at: datetime = Field(default_factory=utc_now, sa_type=Timestamp)
    version: int = 1
    deleted_at: datetime | None = Field(default=None, sa_type=Timestamp)


class ItemPublic(ItemBase):
    id: UUID
    owner_id: UUID
    created_at: datetime
    updated_at: datetime
    version: int
    deleted_at: datetime | None


class ItemsPublic(SQLModel):
    data: list[ItemPublic]
    count: int
