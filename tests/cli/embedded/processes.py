"""What a test asks a server, and its processes."""

import asyncio
import importlib
import time
from typing import Any

import asyncpg

from app.cli.embedded.server import EmbeddedPostgres

psutil: Any = importlib.import_module("psutil")  # has no types


def query(url: str, statement: str) -> Any:
    async def run() -> Any:
        connection = await asyncpg.connect(url.replace("+asyncpg", ""))
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    return asyncio.run(run())


def remaining(pids: list[int]) -> list[int]:
    """Waits for the end of the processes, returns those that still run after five seconds."""
    deadline = time.monotonic() + 5
    while (running := [pid for pid in pids if runs(pid)]) and time.monotonic() < deadline:
        time.sleep(0.01)
    return running


def runs(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def family(postgres: EmbeddedPostgres) -> list[int]:
    assert postgres.pid
    return [postgres.pid, *(child.pid for child in psutil.Process(postgres.pid).children())]
