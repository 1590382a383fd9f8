"""Who runs on which core, what a process has used of it, and what machine this is."""

import asyncio
import importlib.metadata
import os
import platform
import time
from asyncio.subprocess import DEVNULL, PIPE
from pathlib import Path

import psutil

HERE = Path(__file__).parent
PACKAGES = (
    "fastapi", "starlette", "uvicorn", "uvloop", "httptools", "pydantic", "sqlalchemy", "asyncpg",
    "psycopg", "orjson", "fastapi-filter", "fastapi-pagination", "fastcrud", "advanced-alchemy",
    "sqlmodel",
)  # fmt: skip


def cores() -> tuple[set[int], set[int]]:
    """The core of the servers, and those of PostgreSQL and the load; empty where not to be had."""
    usable = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    return ({usable[-1]}, set(usable[:-1])) if len(usable) > 1 else (set(), set())


def pin(to: set[int]) -> None:
    """Keep this process, and those it starts, on the cores given."""
    if to:
        os.sched_setaffinity(0, to)


def cpu_seconds(pid: int) -> float:
    """What a process has used, user and system, all threads.

    Linux counts it in nanoseconds on the clock that clock_getcpuclockid(3) names, which is exact
    where /proc rounds to 10 ms.
    """
    if platform.system() == "Linux":
        return time.clock_gettime((~pid << 3) | 2)
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


def memory() -> float:
    """What this process has in memory (RSS), in MB."""
    return psutil.Process().memory_info().rss / 2**20


async def commit() -> str:
    """The commit of the working tree, marked when there is more in it."""
    command = "git", "describe", "--always", "--dirty"
    try:
        git = await asyncio.create_subprocess_exec(*command, cwd=HERE, stdout=PIPE, stderr=DEVNULL)
    except FileNotFoundError:
        return "unknown"
    output, _ = await git.communicate()
    return output.decode().strip() or "unknown"


def versions() -> str:
    found = [f"Python {platform.python_version()}"]
    found += [f"{name} {importlib.metadata.version(name)}" for name in PACKAGES]
    return ", ".join(found)


def description() -> str:
    memory = psutil.virtual_memory().total / 2**30
    return (
        f"{os.cpu_count()} cores ({_processor()}), {memory:.0f} GiB, "
        f"{platform.system()} {platform.release()}, {platform.python_implementation()} "
        f"built with {platform.python_compiler()}"
    )


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
