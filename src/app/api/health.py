from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from app.database.migrations import missing
from app.dependencies import Work
from app.exceptions import ServiceUnavailable

TAGS = {"health": "Whether the service runs, for those who look after it."}

router = APIRouter(prefix="/health", tags=["health"])


class Health(BaseModel):
    status: Literal["ok"] = "ok"


@router.get("/live", summary="Is it alive")
async def live() -> Health:
    """The process answers; whether anything else does is not asked."""
    return Health()


@router.get("/ready", summary="Is it ready")
async def ready(work: Work) -> Health:
    """The database answers and has the tables that this version of the application expects."""
    if reason := await missing(work):
        raise ServiceUnavailable(reason)
    return Health()
