"""Requests that no proper client sends, and how their refusal is read."""

import re
from collections.abc import Sequence
from typing import Any, Protocol

import httpx

from tests.problems import CANARY, read_problem

SMALL = 100_000  # bytes that the answer to a bad request may have
TELLING = 6  # characters of a value that no message holds by chance

type Header = tuple[bytes, bytes]


class Ask(Protocol):
    async def __call__(
        self,
        method: str,
        path: str,
        *,
        query: bytes = b"",
        headers: Sequence[Header] = (),
        body: bytes = b"",
    ) -> httpx.Response: ...


def read_refusal(response: httpx.Response, *values: str) -> dict[str, Any]:
    """The problem of a refused request, which must not repeat the values that were sent."""
    assert 400 <= response.status_code < 500, (response.text[:500], values)
    problem = read_problem(response, response.status_code, response.json()["error_code"])
    if response.status_code == 422:
        assert problem.get("errors"), values
    told = [problem["detail"], *(error["message"] for error in problem.get("errors", []))]
    for value in (CANARY, *values):
        if len(value) >= TELLING:
            assert value not in " ".join(told)
            assert value not in str(response.headers)
    assert len(response.content) < SMALL
    return problem


def short(value: object) -> str:
    return re.sub(r"[^ -~]", "?", str(value))[:40]
