from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Interval, LargeBinary, Uuid, bindparam, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from app.auth.models import Session
from app.common.rows import Hydrator
from app.core.models import uuid7
from app.database import UnitOfWork
from app.sql import Statement
from app.users.models import User

TOUCH_EVERY = timedelta(minutes=5)

_idle = bindparam("idle", None, Interval())
_touch_every = bindparam("touch_every", None, Interval())
_user_id = bindparam("by_user", None, Uuid())
_session_id = bindparam("by_session", None, Uuid())

# The database's clock alone judges lifetimes: workers' clocks differ.
FIND = Statement(
    select(
        User,
        Session.id.label("session_id"),
        (Session.last_used_at < func.now() - _touch_every).label("stale"),
    )
    .join(Session, Session.user_id == User.id)
    .where(
        Session.token_hash == bindparam("by_token_hash", None, LargeBinary()),
        Session.expires_at > func.now(),
        Session.last_used_at > func.now() - _idle,
        User.is_active,
        User.deleted_at.is_(None),
    )
)
TOUCH = Statement(
    update(Session)
    .where(Session.id == _session_id, Session.last_used_at < func.now() - _touch_every)
    .values(last_used_at=func.now()),
    autonomous=True,
)
CREATE = Statement(
    insert(Session)
    .values(
        id=_session_id,
        user_id=_user_id,
        token_hash=bindparam("new_token_hash", None, LargeBinary()),
        expires_at=func.now() + bindparam("lifetime", None, Interval()),
    )
    .returning(Session.expires_at)
)
DELETE = Statement(delete(Session).where(Session.id == _session_id))
DELETE_EXPIRED = Statement(
    delete(Session).where(
        Session.user_id == _user_id,
        or_(Session.expires_at <= func.now(), Session.last_used_at <= func.now() - _idle),
    )
)

_user = Hydrator(User)


@dataclass(frozen=True, slots=True)
class Found:
    user: User
    session_id: UUID


class SessionRepository:
    def __init__(self, work: UnitOfWork) -> None:
        self.work = work

    async def find(self, token_hash: bytes, idle: timedelta) -> Found | None:
        """The live session of a token and its user; notes the use, at most once in five minutes."""
        touch_every = min(TOUCH_EVERY, idle / 2)
        values = {"by_token_hash": token_hash, "idle": idle, "touch_every": touch_every}
        row = await self.work.fetch_one(FIND, values)
        if row is None:
            return None
        if row["stale"]:
            await self.work.execute(TOUCH, values | {"by_session": row["session_id"]})
        return Found(_user(row), row["session_id"])

    async def create(self, user_id: UUID, token_hash: bytes, lifetime: timedelta) -> datetime:
        """Store a session and return when it ends at the latest."""
        values = {
            "by_session": uuid7(),
            "by_user": user_id,
            "new_token_hash": token_hash,
            "lifetime": lifetime,
        }
        row = await self.work.fetch_one(CREATE, values)
        assert row is not None
        expires_at: datetime = row["expires_at"]
        return expires_at

    async def delete(self, id: UUID) -> None:
        await self.work.execute(DELETE, {"by_session": id})

    async def delete_expired(self, user_id: UUID, idle: timedelta) -> None:
        await self.work.execute(DELETE_EXPIRED, {"by_user": user_id, "idle": idle})
