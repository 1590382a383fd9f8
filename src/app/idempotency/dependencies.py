from typing import Annotated

from fastapi import Header, Request

IdempotencyKeyHeader = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern=r"^[\x20-\x7e]+$",
        description="Within 24 hours, the same request with the same key is run once, and each "
        "repetition gets the first one's answer.",
    ),
]


async def idempotency_key(request: Request, key: IdempotencyKeyHeader = None) -> None:
    """Marks a route that can be repeated; `api.idempotency` runs it once."""
    request.scope["state"]["idempotency_key"] = key
