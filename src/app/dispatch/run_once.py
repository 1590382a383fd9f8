"""Stores what a request under an Idempotency-Key is answered, and replays it to each repetition.

The key is claimed in the request's own transaction before anything else happens in it: a second
request with the same key waits for the end of the first, and a process that dies takes its claim
with it. An error undoes all but the claim, whose answer is then the error.
"""

from collections.abc import Awaitable, Callable

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.database.unit_of_work import UnitOfWork
from app.dispatch.streams import not_repeatable
from app.exception_handlers import answer
from app.exceptions import AppError, ServiceUnavailable
from app.idempotency.dependencies import Replay
from app.idempotency.repository import Answer
from app.request_state import HeaderPairs, RequestState

NOT_STORED = {401, 429}  # and 5xx: another try may well end otherwise


async def run_once(
    work: UnitOfWork, request: Request, state: RequestState, run: Callable[[], Awaitable[Response]]
) -> Response:
    """The answer of `run`, given now or, to a key that is known, before."""
    state.claim = None
    try:
        response = await run()
        if not hasattr(response, "body"):
            raise not_repeatable()
    except Replay as replay:
        return replayed(replay)
    except (AppError, HTTPException, RequestValidationError) as error:
        if state.claim is None or isinstance(error, ServiceUnavailable):
            raise
        response = await answer(request, error)
        await work.rollback()
    await store(work, state, response.status_code, response.raw_headers, bytes(response.body))
    return response


async def store(
    work: UnitOfWork, state: RequestState, status: int, headers: HeaderPairs, body: bytes
) -> None:
    """Keep an answer under the claimed key, or let go of the key where it must not be kept."""
    if state.claim is None:
        return
    if status >= 500 or status in NOT_STORED:
        await work.close()  # and with it the claim
        return
    pairs = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]
    await state.claim.keys.store(state.claim.key, Answer(status, pairs, body))


def replayed(replay: Replay) -> Response:
    known = replay.answer
    response = Response(known.body, known.status)
    response.raw_headers = [  # a name may be there twice
        (name.encode("latin-1"), value.encode("latin-1")) for name, value in known.headers
    ]
    return response
