from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated

from fastapi import Header, Request

from app.dependencies import Work, documented_errors
from app.exceptions import Conflict, IdempotencyKeyReused
from app.idempotency.repository import STILL_RUNNING, Answer, IdempotencyRepository
from app.request_state import request_state

IdempotencyKeyHeader = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern=r"^[\x20-\x7e]+$",
        description="Send the same key when you send the same request again: within 24 hours it "
        "runs once, and every repetition gets the answer of the first.",
        examples=["order-2026-0042"],
    ),
]


class Replay(Exception):
    """The request has been answered before; nothing of it runs again."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer


@dataclass(frozen=True, slots=True)
class Claim:
    """A key that belongs to the transaction of this request."""

    keys: IdempotencyRepository
    key: str


@documented_errors(
    {
        409: "A request with this Idempotency-Key is still running",
        422: "The Idempotency-Key was sent before with another request",
    },
    Conflict(STILL_RUNNING),
    IdempotencyKeyReused(),
)
async def idempotency_key(request: Request, work: Work, key: IdempotencyKeyHeader = None) -> None:
    """Claims the key, once the caller is known and before any other dependency runs.

    Raises Replay for a request that was answered before, if the caller may still send it.
    """
    if key is None:
        return
    state = request_state(request.scope)
    assert state.user_id is not None
    keys = IdempotencyRepository(work, state.user_id)
    known = await keys.claim(key, _fingerprint(request, state.body or b""))
    if known is not None:
        if state.operation is not None:
            for authorize in state.operation.authorizations:  # the role may be another by now
                await authorize(state.session)
        raise Replay(known)
    await work.savepoint()
    state.claim = Claim(keys, key)


def _fingerprint(request: Request, body: bytes) -> bytes:
    query = request.scope["query_string"].decode("latin-1")
    head = f"{request.method} {request.scope['path']}?{query}\n"
    return sha256(head.encode() + body).digest()
