from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Integer,
    Interval,
    LargeBinary,
    String,
    Uuid,
    any_,
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
from app.database.sql import Row, Statement
from app.database.unit_of_work import UnitOfWork
from app.users.models import User

_idle = bindparam("idle", None, Interval())
# The last use is written once in five minutes, or in half of the idle time if that is shorter.
_stale = Session.last_used_at < func.now() - func.least(
    text("interval '5 minutes'"), _idle.op("/")(2)
)
# ASVS 5, 7.5.1: sensitive operations need a password that was given recently.
_fresh = Session.authenticated_at > func.now() - text("interval '15 minutes'")
_user_id = bindparam("by_user", None, Uuid())
_session_id = bindparam("by_session", None, Uuid())

# Only the database's clock counts: those of the workers differ.
_live = (Session.expires_at > func.now(), Session.last_used_at > func.now() - _idle)

_accepted = (*_live, User.is_active, User.deleted_at.is_(None))
_is_one_of = Session.token_hash == any_(bindparam("by_token_hashes", None, ARRAY(LargeBinary)))

FIND = Statement(
    select(
        Session.id,
        Session.user_id,
        User.is_superuser,
        _fresh.label("fresh"),
        _stale.label("stale"),
    )
    .join(User, User.id == Session.user_id)
    .where(Session.token_hash == bindparam("by_token_hash", None, LargeBinary()), *_accepted)
)
FIND_LIVE = Statement(
    select(Session.token_hash, _stale.label("stale"))
    .join(User, User.id == Session.user_id)
    .where(_is_one_of, *_accepted)
)
TOUCH = Statement(
    update(Session).where(Session.id == _session_id, _stale).values(last_used_at=func.now()),
    autonomous=True,
)
TOUCH_USED = Statement(
    update(Session).where(_is_one_of, _stale).values(last_used_at=func.now()), autonomous=True
)
# The lock waits for a transaction that disables the account or changes its password at this moment,
# and the conditions are then checked against what it wrote.
_verified_user = (
    select(User.id)
    .where(
        User.id == _user_id,
        User.password_hash == bindparam("verified_hash", None, String()),
        User.is_active,
        User.deleted_at.is_(None),
    )
    .with_for_update(read=True)
    .cte("verified_user")
)
CREATE = Statement(
    insert(Session)
    .from_select(
        ["id", "user_id", "token_hash", "expires_at", "ip", "user_agent"],
        select(
            _session_id,
            _verified_user.c.id,
            bindparam("new_token_hash", None, LargeBinary()),
            func.now() + bindparam("lifetime", None, Interval()),
            bindparam("new_ip", None, String()),
            bindparam("new_user_agent", None, String()),
        ),
    )
    .returning(Session.expires_at)
)
LIST = Statement(
    select(
        Session.id,
        Session.created_at,
        Session.last_used_at,
        Session.expires_at,
        Session.ip,
        Session.user_agent,
    )
    .where(Session.user_id == _user_id, *_live)
    .order_by(Session.last_used_at.desc(), Session.id.desc())
)
# Of two requests with one token, the first replaces it, and the other finds nothing.
RENEW = Statement(
    update(Session)
    .where(
        Session.id == _session_id,
        Session.token_hash == bindparam("by_token_hash", None, LargeBinary()),
    )
    .values(
        token_hash=bindparam("new_token_hash", None, LargeBinary()), authenticated_at=func.now()
    )
    .returning(Session.expires_at)
)
DELETE = Statement(delete(Session).where(Session.id == _session_id, Session.user_id == _user_id))
DELETE_OTHERS = Statement(
    delete(Session).where(Session.user_id == _user_id, Session.id.is_distinct_from(_session_id))
)
_expired = or_(Session.expires_at <= func.now(), Session.last_used_at <= func.now() - _idle)
_newest = (
    select(Session.id)
    .where(Session.user_id == _user_id, ~_expired)
    .order_by(Session.created_at.desc(), Session.id.desc())
    .limit(bindparam("kept", None, Integer()))
)
DELETE_OLD = Statement(
    delete(Session).where(Session.user_id == _user_id, Session.id.not_in(_newest))
)
_some_expired = (
    select(Session.id)
    .where(_expired)
    .limit(bindparam("limit", None, Integer()))
    .cte("expired")
    .prefix_with("MATERIALIZED")  # and so read once
)
PURGE = Statement(delete(Session).where(Session.id.in_(select(_some_expired))))


class LiveSession(NamedTuple):
    """Who is asking, as far as every request needs to know."""

    id: UUID
    user_id: UUID
    is_superuser: bool
    is_fresh: bool
    token_hash: bytes


class SessionRepository:
    def __init__(self, work: UnitOfWork) -> None:
        self.work = work

    async def find(self, token_hash: bytes, idle: timedelta) -> LiveSession | None:
        """The live session of a token; writes the last use, at most once in five minutes."""
        row = await self.work.fetch_one(FIND, {"by_token_hash": token_hash, "idle": idle})
        if row is None:
            return None
        if row["stale"]:
            await self.work.execute(TOUCH, {"by_session": row["id"], "idle": idle})
        return LiveSession(row["id"], row["user_id"], row["is_superuser"], row["fresh"], token_hash)

    async def live(
        self, token_hashes: Collection[bytes], used: Collection[bytes], idle: timedelta
    ) -> set[bytes]:
        """Those of the tokens whose sessions are live; notes the use of the second ones."""
        values = {"by_token_hashes": [*token_hashes], "idle": idle}
        rows = await self.work.fetch(FIND_LIVE, values)
        stale = [row["token_hash"] for row in rows if row["stale"] and row["token_hash"] in used]
        if stale:
            await self.work.execute(TOUCH_USED, {"by_token_hashes": stale, "idle": idle})
        return {row["token_hash"] for row in rows}

    async def create(
        self,
        user: User,
        token_hash: bytes,
        lifetime: timedelta,
        ip: str | None = None,
        user_agent: str | None = None,
    ) -> tuple[UUID, datetime] | None:
        """Store a session, and return its id and when it ends at the latest.

        None if the user may no longer sign in, or has another password than the verified one.
        """
        id = uuid7()
        values = {
            "by_session": id,
            "by_user": user.id,
            "verified_hash": user.password_hash,
            "new_token_hash": token_hash,
            "lifetime": lifetime,
            "new_ip": ip,
            "new_user_agent": user_agent,
        }
        row = await self.work.fetch_one(CREATE, values)
        return (id, row["expires_at"]) if row else None

    async def list(self, user_id: UUID, idle: timedelta) -> Sequence[Row]:
        """The user's live sessions, the most recently used one first."""
        return await self.work.fetch(LIST, {"by_user": user_id, "idle": idle})

    async def renew(self, session: LiveSession, token_hash: bytes) -> datetime | None:
        """Give the session another token, as its password was given again.

        Returns when it ends at the latest; None if its token was replaced by another request.
        """
        values = {
            "by_session": session.id,
            "by_token_hash": session.token_hash,
            "new_token_hash": token_hash,
        }
        row = await self.work.fetch_one(RENEW, values)
        return row["expires_at"] if row else None

    async def delete(self, id: UUID, user_id: UUID) -> bool:
        return await self.work.execute(DELETE, {"by_session": id, "by_user": user_id}) > 0

    async def delete_all(self, user_id: UUID, *, keep: UUID | None = None) -> int:
        return await self.work.execute(DELETE_OTHERS, {"by_user": user_id, "by_session": keep})

    async def delete_old(self, user_id: UUID, idle: timedelta, kept: int) -> None:
        """Delete the user's expired sessions, and of the others all but the newest."""
        await self.work.execute(DELETE_OLD, {"by_user": user_id, "idle": idle, "kept": kept})

    async def purge(self, idle: timedelta, limit: int) -> int:
        """Delete up to `limit` expired sessions of all users, and return how many they were."""
        return await self.work.execute(PURGE, {"idle": idle, "limit": limit})
