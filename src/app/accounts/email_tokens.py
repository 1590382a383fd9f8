from datetime import timedelta
from enum import StrEnum
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
    select,
)
from sqlalchemy.dialects.postgresql import insert

from app.accounts.models import EmailToken
from app.auth.tokens import new_token, token_hash
from app.database.sql import Row, Statement
from app.database.unit_of_work import UnitOfWork


class Purpose(StrEnum):
    VERIFICATION = "verification"
    RESET = "reset"
    CHANGE = "change"


LIFETIMES = {
    Purpose.VERIFICATION: timedelta(hours=24),
    Purpose.RESET: timedelta(minutes=30),
    Purpose.CHANGE: timedelta(hours=24),
}

# A stranger may ask for resets too: he must not make the owner's token worthless each time.
KEPT = {Purpose.RESET: 4}  # of the earlier ones that are good still

_hash = bindparam("by_hash", None, LargeBinary())
_purpose = bindparam("by_purpose", None, String())
_user_id = bindparam("by_user", None, Uuid())
_good = (
    EmailToken.token_hash == _hash,
    EmailToken.purpose == _purpose,
    EmailToken.expires_at > func.now(),
)

CREATE = Statement(
    insert(EmailToken).values(
        token_hash=_hash,
        purpose=_purpose,
        user_id=_user_id,
        email=bindparam("new_email", None, String()),
        session_id=bindparam("new_session", None, Uuid()),
        expires_at=func.now() + bindparam("lifetime", None, Interval()),
    )
)
FIND = Statement(select(EmailToken).where(*_good))
USE = Statement(delete(EmailToken).where(*_good))
DELETE = Statement(
    delete(EmailToken).where(
        EmailToken.user_id == _user_id,
        EmailToken.purpose == any_(bindparam("purposes", None, ARRAY(String))),
    )
)
_newest = (
    select(EmailToken.token_hash)
    .where(EmailToken.user_id == _user_id, EmailToken.purpose == _purpose)
    .order_by(EmailToken.created_at.desc())
    .limit(bindparam("kept", None, Integer()))
)
DELETE_EARLIER = Statement(
    delete(EmailToken).where(
        EmailToken.user_id == _user_id,
        EmailToken.purpose == _purpose,
        EmailToken.token_hash.not_in(_newest),
    )
)
_some_expired = (
    select(EmailToken.token_hash)
    .where(EmailToken.expires_at <= func.now())
    .limit(bindparam("limit", None, Integer()))
    .cte("expired")
    .prefix_with("MATERIALIZED")  # and so read once
)
PURGE = Statement(delete(EmailToken).where(EmailToken.token_hash.in_(select(_some_expired))))


class EmailTokenRepository:
    """Tokens of 256 bits, of which the database has a hash: for one purpose, address and use."""

    def __init__(self, work: UnitOfWork) -> None:
        self.work = work

    async def create(
        self, purpose: Purpose, user_id: UUID, email: str, session_id: UUID | None = None
    ) -> str:
        """A new token in place of those that the user had for the same purpose.

        To reset a password, the newest ones stay good: KEPT says how many.
        """
        token = new_token()
        values = {
            "kept": KEPT.get(purpose, 0),
            "by_hash": token_hash(token),
            "by_purpose": purpose.value,
            "by_user": user_id,
            "new_email": email,
            "new_session": session_id,
            "lifetime": LIFETIMES[purpose],
        }
        await self.work.execute(DELETE_EARLIER, values)
        await self.work.execute(CREATE, values)
        return token

    async def find(self, purpose: Purpose, token: str) -> Row | None:
        return await self.work.fetch_one(FIND, self._values(purpose, token))

    async def use(self, purpose: Purpose, token: str) -> bool:
        """False if the token is no good (any more); of many who use it at once one succeeds."""
        return await self.work.execute(USE, self._values(purpose, token)) > 0

    async def delete(self, user_id: UUID, *purposes: Purpose) -> None:
        values = {"by_user": user_id, "purposes": [each.value for each in purposes]}
        await self.work.execute(DELETE, values)

    async def purge(self, limit: int) -> int:
        """Delete up to so many expired tokens of anyone, and return how many there were."""
        return await self.work.execute(PURGE, {"limit": limit})

    def _values(self, purpose: Purpose, token: str) -> dict[str, object]:
        return {"by_hash": token_hash(token), "by_purpose": purpose.value}
