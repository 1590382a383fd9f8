from typing import ClassVar, Literal

from app.core.filters import Filter, OrderBy, Search, Values
from app.core.types import Id, Text, Timestamp
from app.security_events.models import SecurityEvent
from app.security_events.schemas import Event

type SecurityEventOrder = Literal["created_at", "-created_at", "event", "-event"]


class SecurityEventFilter(Filter):
    event: Event | None = None
    event__in: Values[Event] = None
    event__not_in: Values[Event] = None
    user_id: Id | None = None
    actor_id: Id | None = None
    session_id: Id | None = None
    revoked_session_id: Id | None = None
    ip: Text | None = None
    created_at__gte: Timestamp | None = None
    created_at__lt: Timestamp | None = None
    order_by: OrderBy[SecurityEventOrder] = None
    search: Search = None

    search_fields: ClassVar = ("event", "ip")

    class Constants(Filter.Constants):
        model = SecurityEvent
