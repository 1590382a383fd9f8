"""The embedded PostgreSQL 18 of a run: migrated, filled by COPY, and gone at the end."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg

from app.auth.tokens import token_hash
from app.cli.embedded.server import EmbeddedPostgres
from app.core.models import uuid7
from app.database.migrations import upgrade
from bench.dataset import COLUMNS, Dataset

# What an operator adds for a list that is asked for often: without it W3 and W4 would measure
# PostgreSQL's sort. With the quantity in it a count need not visit the rows.
LIST_INDEX = """
CREATE INDEX bench_list ON items (owner_id, status, price DESC, id DESC) INCLUDE (quantity)
WHERE deleted_at IS NULL
"""


class BenchPostgres(EmbeddedPostgres):
    """With connections for every pool, and nothing that falls on one contender alone."""

    def _postgres(self) -> list[str]:
        settings = {
            "max_connections": 300,
            "max_parallel_workers_per_gather": 0,  # it has one core, and 16 queries at once
            "autovacuum": "off",
            "random_page_cost": 1.1,  # as for any SSD; all of it is in memory here
        }
        return super()._postgres() + [f"--{name}={value}" for name, value in settings.items()]


@asynccontextmanager
async def filled_databases(*datasets: Dataset) -> AsyncIterator[list[str]]:
    """The URL of a database for each dataset. Nothing in them is durable: fsync is off."""
    folder = Path(tempfile.mkdtemp(prefix="plinth-bench-"))
    server = BenchPostgres(folder, durable=False)
    try:
        admin = await asyncpg.connect(_plain(server.start()))
        urls = []
        for number, data in enumerate(datasets):
            await admin.execute(f"CREATE DATABASE bench{number}")
            await asyncio.to_thread(upgrade, server.url(f"bench{number}"))
            urls.append(_plain(server.url(f"bench{number}")))
            await _fill(urls[-1], data)
        await admin.close()
        yield urls
    finally:
        home = (folder / "postgres").resolve()
        server.stop("immediate")
        shutil.rmtree(home, ignore_errors=True)
        shutil.rmtree(folder)


async def _fill(url: str, data: Dataset) -> None:
    connection = await asyncpg.connect(url)
    await connection.executemany(
        "INSERT INTO users (id, email, password_hash) VALUES ($1, $2, 'none')",
        [(owner, f"owner{number}@example.com") for number, owner in enumerate(data.owners)],
    )
    await connection.executemany(
        "INSERT INTO sessions (id, user_id, token_hash, expires_at) "
        "VALUES ($1, $2, $3, now() + interval '1 day')",
        [
            (uuid7(), data.reader, token_hash(data.reader_token)),
            (uuid7(), data.writer, token_hash(data.writer_token)),
        ],
    )
    await connection.copy_records_to_table("items", records=data.items(), columns=COLUMNS)
    await connection.execute(LIST_INDEX)
    # An asynchronous commit is not all-visible before its record is on disk.
    await connection.execute("CHECKPOINT")
    await connection.execute("VACUUM ANALYZE")
    await connection.close()


def _plain(url: str) -> str:
    return url.replace("postgresql+asyncpg://", "postgresql://")
