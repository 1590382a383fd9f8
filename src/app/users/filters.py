from typing import ClassVar, Literal

from app.core.filters import Filter, OrderBy, Search
from app.core.types import AddressText, Text, Timestamp
from app.users.models import User

type UserOrder = Literal[
    "email", "-email", "display_name", "-display_name", "created_at", "-created_at",
    "updated_at", "-updated_at",
]  # fmt: skip


class UserFilter(Filter):
    email: AddressText | None = None
    email__icontains: Text | None = None
    display_name__icontains: Text | None = None
    is_active: bool | None = None
    is_superuser: bool | None = None
    created_at__gte: Timestamp | None = None
    created_at__lt: Timestamp | None = None
    order_by: OrderBy[UserOrder] = None
    search: Search = None

    search_fields: ClassVar = ("email", "display_name")

    class Constants(Filter.Constants):
        model = User
