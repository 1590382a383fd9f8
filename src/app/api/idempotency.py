"""Runs a request under its Idempotency-Key once, and replays its answer to each repetition.

The key is claimed in the request's own transaction before anything else happens in it: a second
request with the same key waits for the end of the first, and a process that dies takes its claim
with it. An error undoes all but the claim, whose answer is then the error.
"""

from collections.abc import Awaitable, Callable
from hashlib import sha256

from fastapi.exceptions import RequestValidationError
from starlette.requests import Request
from starlette.responses import Response

from app.database import UnitOfWork
from app.exception_handlers import answer
from app.exceptions import AppError
from app.idempotency.repository import Answer, IdempotencyRepository

NOT_STORED = {401, 429}  # and 5xx: another try may well end otherwise


async def run_once(
    work: UnitOfWork,
    request: Request,
    body: bytes,
    key: str,
    run: Callable[[], Awaitable[Response]],
) -> Response:
    """The answer of `run`, given now or before."""
    keys = IdempotencyRepository(work, request.scope["state"]["user_id"])
    known = await keys.claim(key, _fingerprint(request, body))
    if known is not None:
        return Response(known.body, known.status, dict(known.headers))
    await work.savepoint()
    try:
        response = await run()
    except (AppError, RequestValidationError) as error:
        if isinstance(error, AppError) and (error.status >= 500 or error.status in NOT_STORED):
            raise
        response = await answer(request, error)
        await work.rollback()
    headers = [
        (name.decode("latin-1"), value.decode("latin-1")) for name, value in response.raw_headers
    ]
    await keys.store(key, Answer(response.status_code, headers, bytes(response.body)))
    return response


def _fingerprint(request: Request, body: bytes) -> bytes:
    head = f"{request.method} {request.scope['path']}\n"
    return sha256(head.encode() + body).digest()
