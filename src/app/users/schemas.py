from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from app.core.schemas import UNSET, ReadSchema, Schema, example
from app.core.types import Email, Text

DisplayName = Annotated[Text, Field(min_length=1, max_length=100)]


class UserCreate(Schema):
    """A new user; the password has been hashed already."""

    model_config = example({"email": "ada@example.com", "display_name": "Ada"})

    email: Email
    password_hash: str = Field(repr=False)
    display_name: DisplayName | None = None
    is_superuser: bool = False


class UserUpdate(Schema):
    """What users may change of themselves."""

    model_config = example({"display_name": "Ada"})

    display_name: DisplayName | None = UNSET


class UserAdminUpdate(UserUpdate):
    """What superusers may change of anyone."""

    model_config = example({"is_active": False})

    is_active: bool = UNSET
    is_superuser: bool = UNSET


class UserRead(ReadSchema):
    id: UUID
    email: str
    display_name: str | None
    is_active: bool
    is_superuser: bool
    email_verified_at: datetime | None
    created_at: datetime
    updated_at: datetime
    version: int


class UserAdminRead(UserRead):
    """A user as superusers see them."""

    deleted_at: datetime | None
