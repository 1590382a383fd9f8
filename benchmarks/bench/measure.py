"""Bursts of load in turn, so that a slow minute of the machine falls on every contender alike."""

import asyncio
import random
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from bench.child import Child, child
from bench.contender import Contender
from bench.machine import cpu_seconds
from bench.workloads import Plan

PORTS = range(20_000, 32_768)  # the kernel gives those above to outgoing connections
START_SECONDS = 60
SETTLE = 0.05  # seconds for what a server does after its last answer
WARM_UP = 0.5  # seconds of load

_first_numbers = count(0, 10_000_000)


@dataclass(frozen=True, slots=True)
class Sample:
    cpu: float  # seconds per request
    rate: float  # requests per second
    p99: float  # seconds


@dataclass(frozen=True, slots=True)
class Server:
    contender: Contender
    process: Child
    port: int


@asynccontextmanager
async def servers(
    contenders: list[Contender], core: set[int], folder: Path, environment: dict[str, str]
) -> AsyncIterator[list[Server]]:
    async with AsyncExitStack() as stack:
        started = []
        for contender in contenders:
            port = _free_port()
            process = await stack.enter_async_context(
                child(
                    "bench.serve",
                    contender.name,
                    str(port),
                    *map(str, core),
                    log=folder / f"{contender.name}.log",
                    environment=environment,
                )
            )
            started.append(Server(contender, process, port))
        for server in started:
            await _answers(server)
        yield started


async def rounds(
    load: Child, plans: Mapping[Server, Plan], number: int, seconds: float
) -> dict[Server, list[Sample]]:
    """A burst for each contender in each round, in an order that is reversed every other time."""
    for server, plan in plans.items():
        await _burst(load, server, plan, WARM_UP)
    samples: dict[Server, list[Sample]] = {server: [] for server in plans}
    order = list(plans)
    for _ in range(number):
        for server in order:
            samples[server].append(await _burst(load, server, plans[server], seconds))
        order.reverse()
    return samples


async def _burst(load: Child, server: Server, plan: Plan, seconds: float) -> Sample:
    question = {
        "port": server.port,
        "requests": plan.requests,
        "status": plan.status,
        "seconds": seconds,
        "first_number": next(_first_numbers) if plan.numbered else None,
    }
    before = cpu_seconds(server.process.pid)
    try:
        answer = await load.ask(question)
    except RuntimeError as error:
        raise RuntimeError(f"{server.contender.name}: {error}") from None
    await asyncio.sleep(SETTLE)
    used = cpu_seconds(server.process.pid) - before
    done = answer["requests"]
    return Sample(used / done, done / answer["seconds"], answer["p99"])


async def _answers(server: Server) -> None:
    """Raises RuntimeError when the server does not accept connections."""
    deadline = asyncio.get_running_loop().time() + START_SECONDS
    while asyncio.get_running_loop().time() < deadline and server.process.running:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return
    raise RuntimeError(f"{server.contender.name} does not start: {server.process.last_words()}")


def _free_port() -> int:
    while True:
        port = random.choice(PORTS)  # noqa: S311 - no secret
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
