from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field

from app.core.schemas import ReadSchema, Schema, documented
from app.core.types import Ip


class Event(StrEnum):
    """What can happen to an account. Names are stored: never change what one means."""

    REGISTERED = "registered"
    LOGGED_IN = "logged_in"
    LOGIN_FAILED = "login_failed"
    THROTTLED = "throttled"
    LOGGED_OUT = "logged_out"
    REAUTHENTICATED = "reauthenticated"
    PASSWORD_REFUSED = "password_refused"  # noqa: S105 - an event, no password
    PASSWORD_CHANGED = "password_changed"  # noqa: S105
    PASSWORD_RESET_REQUESTED = "password_reset_requested"  # noqa: S105
    PASSWORD_RESET = "password_reset"  # noqa: S105
    EMAIL_VERIFIED = "email_verified"
    EMAIL_CHANGE_REQUESTED = "email_change_requested"
    EMAIL_CHANGED = "email_changed"
    SESSION_REVOKED = "session_revoked"
    SESSIONS_REVOKED = "sessions_revoked"
    DATA_EXPORTED = "data_exported"
    USER_DISABLED = "user_disabled"
    USER_ENABLED = "user_enabled"
    USER_PROMOTED = "user_promoted"
    USER_DEMOTED = "user_demoted"
    USER_DELETED = "user_deleted"
    USER_RESTORED = "user_restored"


class SecurityEventCreate(Schema):
    event: Event
    user_id: UUID | None = None
    actor_id: UUID | None = None
    session_id: UUID | None = None
    revoked_session_id: UUID | None = None
    ip: str | None = None


class SecurityEventUpdate(Schema):
    """Nothing: what happened cannot be changed."""


class SecurityEventRead(ReadSchema):
    id: UUID
    created_at: datetime
    event: Annotated[str, documented(maxLength=50, examples=[Event.LOGGED_IN])]
    user_id: Annotated[UUID | None, Field(description="Whom it concerns.")]
    actor_id: Annotated[UUID | None, Field(description="Who did it, if that is somebody else.")]
    session_id: Annotated[UUID | None, Field(description="The session that did it.")]
    revoked_session_id: Annotated[UUID | None, Field(description="The session that it ended.")]
    ip: Ip | None
