"""A route that may be repeated: what it writes, and how two answers are compared."""

from collections.abc import Callable
from typing import Any, NoReturn, Protocol

import httpx
from sqlalchemy import text

from app.database.connections import Database
from app.database.unit_of_work import UnitOfWork
from tests.factories import lamp
from tests.lamps.dependencies import Lamps
from tests.lamps.models import Lamp
from tests.lamps.schemas import LampCreate

KEY = "Idempotency-Key"
KEYED = {KEY: "k"}
SENT = {"name": "a", "sku": "A", "price": 1}
RUN = "/run"


class Serve(Protocol):
    async def __call__(self, endpoint: Callable[..., Any], **settings: Any) -> httpx.AsyncClient:
        """A client of an application whose POST /run is the endpoint, and can be repeated."""
        ...


async def count(database: Database, table: str) -> int:
    async with UnitOfWork(database) as work:
        row = await work.fetch_one(text(f"SELECT count(*) FROM {table}"))  # noqa: S608 - a constant
    assert row is not None
    return int(row[0])


async def write(lamps: Lamps) -> Lamp:
    return await lamps.create(LampCreate.model_validate(lamp()))


def same(first: httpx.Response, *others: httpx.Response) -> bool:
    """Whether they are one answer: what only tells this request from others aside."""

    def stored(response: httpx.Response) -> Any:
        headers = [pair for pair in response.headers.items() if pair[0] != "x-correlation-id"]
        return response.status_code, sorted(headers), response.content

    return all(stored(each) == stored(first) for each in others)


def raise_(error: Exception) -> Callable[[], NoReturn]:
    def ending() -> NoReturn:
        raise error

    return ending
