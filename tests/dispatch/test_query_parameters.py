"""Numbers in the query of a strict API, on the fast way and on FastAPI's own."""

from collections.abc import AsyncIterator
from typing import Annotated

import httpx
import pytest
from fastapi import APIRouter, Query
from pydantic import BaseModel

from app.config import Settings
from tests.conftest import new_client
from tests.dispatch.conftest import PREFIX, application
from tests.problems import read_problem

router = APIRouter()


class Numbers(BaseModel):
    whole: int | None = None
    many: list[int] = []
    real: float = 0


@router.get("/fast")
async def read_fast(numbers: Annotated[Numbers, Query()]) -> Numbers:
    return numbers


@router.get("/plain")
async def read_plain(
    whole: int | None = None, many: Annotated[list[int] | None, Query()] = None, real: float = 0
) -> Numbers:
    return Numbers(whole=whole, many=many or [], real=real)


@router.get("/fastapis")
def read_in_thread(numbers: Annotated[Numbers, Query()], odd: bytes = b"") -> Numbers:
    assert not odd
    return numbers


@pytest.fixture
async def client(settings: Settings, token: str) -> AsyncIterator[httpx.AsyncClient]:
    app = application(router, settings)
    async with new_client(app, {"Authorization": f"Bearer {token}"}) as client:
        yield client
    await app.database.close()


@pytest.mark.parametrize("path", ["fast", "plain", "fastapis"])
class TestNumbers:
    @pytest.mark.parametrize(
        "query",
        [
            "whole=1_0", "whole=%201", "whole=1%20", "whole=1.0", "whole=%D9%A1", "whole=",
            "many=1_0", "many=1&many=2_0", "many=%202", "real=1_0.5", "real=%201", "real=.",
            "real=%EF%BC%91", "real=1e",
        ],
    )  # fmt: skip
    async def test_what_only_looks_like_one_is_refused(
        self, client: httpx.AsyncClient, path: str, query: str
    ) -> None:
        response = await client.get(f"{PREFIX}/{path}?{query}")
        problem = read_problem(response, 422, "VALIDATION_ERROR")
        assert [each["loc"][1] for each in problem["errors"]] == [query.partition("=")[0]]

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("whole=-7&real=-2.5e1", {"whole": -7, "many": [], "real": -25}),
            ("whole=%2B7&many=1&many=-2&real=.5", {"whole": 7, "many": [1, -2], "real": 0.5}),
            ("real=5.", {"whole": None, "many": [], "real": 5}),
        ],
    )
    async def test_one_is_read(
        self, client: httpx.AsyncClient, path: str, query: str, expected: dict[str, object]
    ) -> None:
        response = await client.get(f"{PREFIX}/{path}?{query}")
        assert (response.status_code, response.json()) == (200, expected)
