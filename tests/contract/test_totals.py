"""How far a list counts, which is a setting."""

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from app.config import Settings
from app.main import Application, create_app
from tests.conftest import new_client
from tests.factories import create_lamps
from tests.problems import LAMPS

LIMIT, ROWS, SIZE = 4, 6, 2


@pytest.fixture(scope="module")
async def counting_app(settings: Settings) -> AsyncIterator[Application]:
    """An application that counts to four."""
    app = create_app(settings.model_copy(update={"total_limit": LIMIT}))
    assert isinstance(app, Application)
    yield app
    await app.database.close()


@pytest.fixture
async def counting(counting_app: Application, alice: httpx.AsyncClient) -> AsyncIterator[Any]:
    await create_lamps(alice, *({"quantity": n} for n in range(ROWS)))
    async with new_client(counting_app, dict(alice.headers)) as client:
        yield client


def told(response: httpx.Response) -> tuple[Any, ...]:
    """The total with its relation, the number of pages, and whether a link leads to the last."""
    assert response.status_code == 200, response.text
    page = response.json()
    relations = re.findall(r'rel="(\w+)"', response.headers["Link"])
    return page["total"], page["total_relation"], page["pages"], "last" in relations


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, (LIMIT, "gte", None, False)),
        ({"page": 3}, (LIMIT, "gte", None, False)),
        ({"page": 4}, (LIMIT, "gte", None, False)),
        ({"total": "bounded"}, (LIMIT, "gte", None, False)),
        ({"total": "exact"}, (ROWS, "eq", 3, True)),
        ({"total": "none"}, (None, None, None, False)),
        ({"quantity__lt": LIMIT}, (LIMIT, "eq", 2, True)),
        ({"quantity__lte": LIMIT}, (LIMIT, "gte", None, False)),
    ],
    ids=str,
)
async def test_by_page(
    counting: httpx.AsyncClient, query: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    assert told(await counting.get(LAMPS, params={"size": SIZE} | query)) == expected


@pytest.mark.parametrize(
    ("total", "expected"),
    [
        (None, (None, None, None, False)),
        ("none", (None, None, None, False)),
        ("bounded", (LIMIT, "gte", None, False)),
        ("exact", (ROWS, "eq", None, True)),
    ],
)
async def test_by_cursor(
    counting: httpx.AsyncClient, total: str | None, expected: tuple[Any, ...]
) -> None:
    query: dict[str, Any] = {"size": SIZE} | ({"total": total} if total else {})
    first = (await counting.get(LAMPS, params=query)).json()
    assert told(await counting.get(LAMPS, params=query | {"cursor": first["next_cursor"]})) == (
        expected
    )


async def test_ten_thousand_unless_set(settings: Settings) -> None:
    assert settings.total_limit == 10_000
