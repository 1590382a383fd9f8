from typing import Annotated

from fastapi import APIRouter, Query

from app.auth.dependencies import FOR_SUPERUSERS, Superuser
from app.core.pagination import Page
from app.core.repository import EVERYONE
from app.dependencies import Work
from app.security_events.filters import SecurityEventFilter
from app.security_events.models import SecurityEvent
from app.security_events.repository import SecurityEventRepository
from app.security_events.schemas import SecurityEventRead

TAGS = {"security events": "What happened to accounts. For superusers."}

router = APIRouter(prefix="/security-events", tags=["security events"])


@router.get(
    "",
    response_model=Page[SecurityEventRead],
    responses=FOR_SUPERUSERS,
    summary="List security events",
)
async def list_security_events(
    _: Superuser, filters: Annotated[SecurityEventFilter, Query()], work: Work
) -> Page[SecurityEvent]:
    """What happened to accounts, when, to whom, from where. For superusers."""
    return await SecurityEventRepository(work, EVERYONE).list(filters)
