from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import (
    Interval,
    LargeBinary,
    Uuid,
    bindparam,
    delete,
    func,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from app.auth.models import Session
from app.core.models import uuid7
from app.database import UnitOfWork
from app.sql import Statement
from app.users.models import User

_idle = bindparam("idle", None, Interval())
# The last use is noted at most once in five minutes, and more often than it matters.
_stale = Session.last_used_at < func.now() - func.least(
    text("interval '5 minutes'"), _idle.op("/")(2)
)
_user_id = bindparam("by_user", None, Uuid())
_session_id = bindparam("by_session", None, Uuid())

# The database's clock alone judges lifetimes: workers' clocks differ.
FIND = Statement(
    select(Session.id, Session.user_id, _stale.label("stale"))
    .join(User, User.id == Session.user_id)
    .where(
        Session.token_hash == bindparam("by_token_hash", None, LargeBinary()),
        Session.expires_at > func.now(),
        Session.last_used_at > func.now() - _idle,
        User.is_active,
        User.deleted_at.is_(None),
    )
)
TOUCH = Statement(
    update(Session).where(Session.id == _session_id, _stale).values(last_used_at=func.now()),
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


class LiveSession(NamedTuple):
    """Who is asking, as far as every request needs to know."""

    id: UUID
    user_id: UUID


class SessionRepository:
    def __init__(self, work: UnitOfWork) -> None:
        self.work = work

    async def find(self, token_hash: bytes, idle: timedelta) -> LiveSession | None:
        """The live session of a token; notes the use, at most once in five minutes."""
        row = await self.work.fetch_one(FIND, {"by_token_hash": token_hash, "idle": idle})
        if row is None:
            return None
        if row["stale"]:
            await self.work.execute(TOUCH, {"by_session": row["id"], "idle": idle})
        return LiveSession(row["id"], row["user_id"])

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
