from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import (
    Integer,
    LargeBinary,
    String,
    Uuid,
    bindparam,
    delete,
    func,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from app.database.sql import Statement
from app.database.unit_of_work import UnitOfWork
from app.exceptions import Conflict, IdempotencyKeyReused, LockTimeout
from app.idempotency.models import IdempotencyKey

STILL_RUNNING = "A request with the same Idempotency-Key is still running: try again shortly"
PURGED_WITH_EACH = 2  # expired keys with each new one: more than are added

_user_id = bindparam("by_user", None, Uuid())
_key = bindparam("by_key", None, String())
_fingerprint = bindparam("new_fingerprint", None, LargeBinary())
_expired = IdempotencyKey.created_at < func.now() - text("interval '24 hours'")
_is_it = (IdempotencyKey.user_id == _user_id, IdempotencyKey.key == _key)

# Waits for a transaction that has claimed the same key, whichever way it ends.
_claim = insert(IdempotencyKey).values(user_id=_user_id, key=_key, fingerprint=_fingerprint)
CLAIM = Statement(
    _claim.on_conflict_do_update(
        index_elements=["user_id", "key"],
        set_={
            "fingerprint": _claim.excluded.fingerprint,
            "created_at": func.now(),
        },
        where=_expired,
    ).returning(IdempotencyKey.key)
)
FIND = Statement(
    select(
        IdempotencyKey.fingerprint,
        IdempotencyKey.status,
        IdempotencyKey.headers,
        IdempotencyKey.body,
    ).where(*_is_it)
)
_some_expired = (
    select(IdempotencyKey.user_id, IdempotencyKey.key)
    .where(_expired)
    .order_by(IdempotencyKey.created_at)
    .limit(bindparam("purged", None, Integer()))
    .with_for_update(skip_locked=True)
    .cte("expired")  # read once: as a subquery, some plans would read it for each row
)
_purge = delete(IdempotencyKey).where(
    tuple_(IdempotencyKey.user_id, IdempotencyKey.key).in_(select(_some_expired))
)
PURGE = Statement(_purge)
STORE = Statement(
    update(IdempotencyKey)
    .where(*_is_it)
    .values(
        status=bindparam("new_status", None, Integer()),
        headers=bindparam("new_headers", None, IdempotencyKey.headers.type),
        body=bindparam("new_body", None, LargeBinary()),
    )
    .add_cte(_purge.cte("purge"))
)


@dataclass(frozen=True, slots=True)
class Answer:
    """A response; `headers` are pairs of name and value."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class IdempotencyRepository:
    """The idempotency keys of one user."""

    def __init__(self, work: UnitOfWork, user_id: UUID) -> None:
        self.work = work
        self.user_id = user_id

    async def claim(self, key: str, fingerprint: bytes) -> Answer | None:
        """Claim the key for this transaction, or return the answer that is stored for it.

        Raises IdempotencyKeyReused if the key came with another request before, and Conflict if
        that request is still running when the lock times out.
        """
        values = self._values(key, new_fingerprint=fingerprint)
        try:
            if await self.work.fetch_one(CLAIM, values):
                return None
        except LockTimeout:
            raise Conflict(STILL_RUNNING) from None
        row = await self.work.fetch_one(FIND, values)
        if row is None:  # purged between the two
            return await self.claim(key, fingerprint)
        if row["fingerprint"] != fingerprint:
            raise IdempotencyKeyReused
        return Answer(row["status"], row["headers"], row["body"])

    async def store(self, key: str, answer: Answer) -> None:
        values = self._values(
            key,
            new_status=answer.status,
            new_headers=answer.headers,
            new_body=answer.body,
            purged=PURGED_WITH_EACH,
        )
        await self.work.execute(STORE, values)

    def _values(self, key: str, **values: object) -> dict[str, object]:
        return values | {"by_user": self.user_id, "by_key": key}


async def purge(work: UnitOfWork, limit: int) -> int:
    """Delete up to `limit` expired keys, and return how many they were."""
    return await work.execute(PURGE, {"purged": limit})
