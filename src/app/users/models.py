from datetime import datetime

from sqlalchemy import CheckConstraint, String, false, true
from sqlalchemy.orm import Mapped, mapped_column

from app.core.models import SECRET, Entity, listed_by, unique_among_live


class User(Entity):
    __tablename__ = "users"
    __table_args__ = (
        CheckConstraint("email = lower(email)", name="email"),
        unique_among_live("users", "email"),
        listed_by("users", "created_at", "id"),
    )
    natural_key = ("email",)

    email: Mapped[str] = mapped_column(String(254))
    password_hash: Mapped[str] = mapped_column(String(255), info={SECRET: True})
    display_name: Mapped[str | None] = mapped_column(String(100))
    is_active: Mapped[bool] = mapped_column(server_default=true())
    is_superuser: Mapped[bool] = mapped_column(server_default=false())
    email_verified_at: Mapped[datetime | None]
