"""A process of the benchmark's that answers a line of JSON with one, and ends with its parent."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson

MAX_LINE = 2**26


class Child:
    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self.pid = process.pid
        self.log = log
        self._process = process

    async def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        """Raises RuntimeError with what the child says went wrong."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(orjson.dumps(question) + b"\n")
        line = await self._process.stdout.readline()
        answer: dict[str, Any] = orjson.loads(line) if line else {"error": self.last_words()}
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer

    @property
    def running(self) -> bool:
        return self._process.returncode is None

    def last_words(self) -> str:
        return self.log.read_text(errors="replace")[-2000:]

    async def stop(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), 10)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()


@asynccontextmanager
async def child(
    module: str, *arguments: str, log: Path, environment: dict[str, str] | None = None
) -> AsyncIterator[Child]:
    """Run `module` in the folder of its log, with standard error, and a server's output, there."""
    with log.open("wb") as file:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            module,
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=file if module == "bench.serve" else asyncio.subprocess.PIPE,
            stderr=file,
            limit=MAX_LINE,
            cwd=log.parent,
            env=os.environ | (environment or {}),
            start_new_session=True,  # Ctrl-C goes to the parent, which stops them in order
        )
    started = Child(process, log)
    try:
        yield started
    finally:
        await started.stop()
