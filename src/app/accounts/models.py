from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary, String, Uuid, func
from sqlalchemy.orm import Mapped, mapped_column

from app.core.models import SECRET, Base


class EmailToken(Base):
    """Proves that its holder reads the mail of an address. The row is deleted by its one use."""

    __tablename__ = "email_tokens"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True, info={SECRET: True})
    purpose: Mapped[str] = mapped_column(String(20))
    user_id: Mapped[UUID] = mapped_column(
        Uuid, ForeignKey("users.id", ondelete="CASCADE"), index=True
    )
    email: Mapped[str] = mapped_column(String(254))
    session_id: Mapped[UUID | None] = mapped_column(Uuid)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime]


class Throttle(Base):
    """When the next attempt is due. The key is a hash, which does not show whose attempts."""

    __tablename__ = "throttles"

    key: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    due_at: Mapped[datetime]
    # Since the last attempt that was allowed.
    refusals: Mapped[int] = mapped_column(server_default="0")
    # In a row, where failures are counted; the row is kept even when an attempt is long due.
    failures: Mapped[int] = mapped_column(server_default="0")
    kept_until: Mapped[datetime | None]
