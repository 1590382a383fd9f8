from uuid import UUID

from sqlalchemy import String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from app.core.models import ABOUT_USER, TOLD_TO, Entity, listed_by


class SecurityEvent(Entity):
    """Something that happened to an account. A trigger allows rows to be added only."""

    __tablename__ = "security_events"
    __table_args__ = (
        listed_by("security_events", "created_at", "id"),
        listed_by("security_events", "user_id", "created_at", "id"),
    )

    event: Mapped[str] = mapped_column(String(50))
    # Whom it concerns, and who did it if that is somebody else. No foreign keys: it outlives both.
    user_id: Mapped[UUID | None] = mapped_column(Uuid, info={ABOUT_USER: True})
    actor_id: Mapped[UUID | None] = mapped_column(Uuid, info={ABOUT_USER: True})
    # The session that did it, and the one it ended.
    session_id: Mapped[UUID | None] = mapped_column(Uuid, info={TOLD_TO: "actor_id"})
    revoked_session_id: Mapped[UUID | None] = mapped_column(Uuid)
    ip: Mapped[str | None] = mapped_column(String(45), info={TOLD_TO: "actor_id"})
