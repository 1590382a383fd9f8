"""Who may have a worker hold a large body, and how much of all of them."""

import asyncio

import pytest
from fastapi import APIRouter, UploadFile

from app.dispatch.large_bodies import LARGE, BodyBudget
from app.exceptions import ServiceUnavailable
from app.request_state import RequestState
from tests.connection import PATIENCE, connected
from tests.dispatch.conftest import PREFIX, Serve
from tests.live import Live

router = APIRouter()


@router.post("/fast")
async def fast(body: dict[str, str]) -> int:
    return sum(map(len, body.values()))


@router.post("/upload")
async def upload(file: UploadFile) -> int:
    return len(await file.read())


WAYS = pytest.mark.parametrize(
    ("path", "kind"),
    [("/fast", "application/json"), ("/upload", "multipart/form-data; boundary=b")],
    ids=["fast", "FastAPI's"],
)


@pytest.fixture
async def live(serve: Serve) -> Live:
    return await serve(router)


def head(path: str, kind: str, size: int, token: str = "") -> bytes:
    lines = [
        f"POST {PREFIX}{path} HTTP/1.1",
        "Host: a",
        f"Content-Type: {kind}",
        f"Content-Length: {size}" if size else "Transfer-Encoding: chunked",
    ]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    return "\r\n".join([*lines, "", ""]).encode()


@WAYS
@pytest.mark.parametrize("size", [LARGE + 1, 0], ids=["declared", "chunked"])
@pytest.mark.parametrize("token", ["", "plinth_unknown"])
async def test_a_stranger_is_refused_before_they_send(
    live: Live, path: str, kind: str, size: int, token: str
) -> None:
    async with connected(live) as connection:
        await connection.send(head(path, kind, size, token))
        assert (await connection.answer())[0] == 401


@WAYS
async def test_a_caller_who_is_known_may_send(live: Live, token: str, path: str, kind: str) -> None:
    begin = b'--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
    body = begin + b"a" * LARGE + b"\r\n--b--\r\n"
    if path == "/fast":
        body = b'{"a": "' + b"a" * LARGE + b'"}'
    async with connected(live) as connection:
        await connection.send(head(path, kind, len(body), token) + body)
        status, _, answer = await connection.answer()
    assert (status, answer) == (200, b"%d" % LARGE)
    assert live.app.body_budget.held == 0


@WAYS
async def test_all_together_are_bounded(live: Live, token: str, path: str, kind: str) -> None:
    budget = live.app.body_budget
    budget.take(other := RequestState("", {}), live.app.settings.max_body_memory - LARGE)
    try:
        async with connected(live) as connection:
            await connection.send(head(path, kind, 2 * LARGE, token) + b"a" * 2 * LARGE)
            assert (await connection.answer())[0] == 503
        async with connected(live) as waiting:
            await waiting.send(head(path, kind, LARGE, token) + b"a" * 100)
    finally:
        budget.release(other)
    async with asyncio.timeout(PATIENCE):
        while True:  # until the request of a client who left has ended
            if budget.held == 0:
                break
            await asyncio.sleep(0.02)


def test_what_is_too_much_is_not_counted() -> None:
    budget = BodyBudget(10)
    state = RequestState("", {})
    budget.take(state, 10)
    with pytest.raises(ServiceUnavailable):
        budget.take(RequestState("", {}), 1)
    budget.release(state)
    assert (budget.held, state.held) == (0, 0)
