"""Steady requests while something breaks, and what came of each of them."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import perf_counter

import httpx

BROKEN = 0  # in place of a status, where there was no response

type Send = Callable[[], Awaitable[httpx.Response]]


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    started: float
    seconds: float
    response: httpx.Response | None


@dataclass(slots=True)
class Load:
    answers: list[Answer] = field(default_factory=list)
    stopped: bool = False

    @property
    def statuses(self) -> Counter[int]:
        return Counter(answer.status for answer in self.answers)

    @property
    def slowest(self) -> float:
        return max(answer.seconds for answer in self.answers)

    def since(self, moment: float) -> Counter[int]:
        """The statuses of what was sent after a moment of `perf_counter`."""
        return Counter(answer.status for answer in self.answers if answer.started > moment)

    def with_status(self, status: int) -> list[httpx.Response]:
        return [
            answer.response
            for answer in self.answers
            if answer.response is not None and answer.status == status
        ]


@asynccontextmanager
async def under_load(*sends: Send, pause: float = 0.005) -> AsyncGenerator[Load]:
    """Each of `sends` again and again until the context ends, with a pause in between."""
    load = Load()
    async with asyncio.TaskGroup() as group:
        for send in sends:
            group.create_task(_repeat(load, send, pause))
        try:
            yield load
        finally:
            load.stopped = True


async def _repeat(load: Load, send: Send, pause: float) -> None:
    while not load.stopped:
        load.answers.append(await ask(send))
        await asyncio.sleep(pause)


async def ask(send: Send) -> Answer:
    """Send one request; a connection that breaks or is refused is an answer too."""
    started = perf_counter()
    try:
        response = await send()
    except httpx.TransportError:
        return Answer(BROKEN, started, perf_counter() - started, None)
    return Answer(response.status_code, started, perf_counter() - started, response)


async def eventually(holds: Callable[[], Awaitable[bool]], seconds: float) -> bool:
    """Whether a condition came true in time."""
    deadline = perf_counter() + seconds
    while not await holds():
        if perf_counter() > deadline:
            return False
        await asyncio.sleep(0.02)
    return True
