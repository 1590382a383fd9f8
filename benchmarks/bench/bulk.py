"""W6, without HTTP: upserts of 10,000 rows in turn, each checked in the database."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg

from bench.child import Child, child
from bench.upserts.rows import EXISTING_COLUMNS, ROWS, existing, expected
from bench.workloads import WrongAnswerError

NAME = "W6"
UPSERTS = {
    "limit": "COPY into a temporary table, INSERT … SELECT … ON CONFLICT",
    "limit_unnest": "the same from arrays by unnest",
    "ours": "ItemRepository.bulk_upsert: validated, ids and outcomes returned",
    "ours_http": "PUT /items/bulk: from the request's bytes to the answer's",
    "tutorial": "insert().values(list) in batches of 1,000",
    "fastcrud": "upsert_multi, on the primary key",
    "advanced_alchemy": "upsert_many, on the primary key",
}
INDEXES = "DROP INDEX bench_list"  # six are left: the table's own, but for an empty one
FOUND = """
SELECT count(*), sum(price), sum(quantity), count(*) FILTER (WHERE status = 'active')
FROM items WHERE owner_id = $1
"""


@asynccontextmanager
async def upserters(
    names: list[str], core: set[int], folder: Path, environment: dict[str, str]
) -> AsyncIterator[dict[str, Child]]:
    async with AsyncExitStack() as stack:
        yield {
            name: await stack.enter_async_context(
                child(
                    "bench.upsert",
                    name,
                    *map(str, core),
                    log=folder / f"upsert-{name}.log",
                    environment=environment,
                )
            )
            for name in names
        }


async def rounds(
    started: dict[str, Child], connection: "asyncpg.Connection[Any]", owner: UUID, number: int
) -> dict[str, list[float]]:
    """The rows per second of each in each round; one more before them is not counted."""
    await connection.execute(INDEXES)
    rates: dict[str, list[float]] = {name: [] for name in started}
    order = list(started)
    for round_number in range(number + 1):
        for name in order:
            rate = ROWS / await _upsert(name, started[name], connection, owner)
            if round_number:
                rates[name].append(rate)
        order.reverse()
    return rates


async def _upsert(
    name: str, process: Child, connection: "asyncpg.Connection[Any]", owner: UUID
) -> float:
    await connection.execute("DELETE FROM items WHERE owner_id = $1", owner)
    await connection.execute("VACUUM items")
    await connection.copy_records_to_table(
        "items", records=existing(owner), columns=EXISTING_COLUMNS
    )
    try:
        answer = await process.ask({"owner": str(owner)})
    except RuntimeError as error:
        raise RuntimeError(f"{NAME}, {name}: {error}") from None
    found = await connection.fetchrow(FOUND, owner)
    if found is None or tuple(found) != expected():
        raise WrongAnswerError(f"{NAME}, {name}: {found}")
    seconds: float = answer["seconds"]
    return seconds
