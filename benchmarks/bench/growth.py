"""The same requests over few rows and over many: what they cost shall not depend on it."""

import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

import asyncpg

from bench import figures, machine, measure
from bench.child import child
from bench.contender import OURS
from bench.database import filled_databases
from bench.dataset import Dataset
from bench.facts import gather
from bench.figures import Figures
from bench.http import Api
from bench.measure import Server
from bench.run import say
from bench.settings import environment
from bench.workloads import WORKLOADS, Scene

SIZES = (10_000, 10_000_000)
WITHOUT_COUNT = ("W1", "W3", "W4", "W5")  # a count grows with what it counts


async def run(rounds: int, seconds: float) -> tuple[Figures, str]:
    """Plinth alone, on a database of each size, in multiples of the smallest; and the versions."""
    commit = await machine.commit()
    core, others = machine.cores()
    machine.pin(others)
    datasets = [Dataset(size) for size in SIZES]
    found: Figures = {}
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="plinth-bench-")))
        say(f"filling PostgreSQL with {' and '.join(f'{size:,}' for size in SIZES)} items")
        urls = await stack.enter_async_context(filled_databases(*datasets))
        load = await stack.enter_async_context(child("bench.load", log=folder / "load.log"))
        scenes: dict[Server, Scene] = {}
        for data, url in zip(datasets, urls, strict=True):
            connection = await asyncpg.connect(url)
            stack.push_async_callback(connection.close)
            logs = folder / str(data.rows)
            logs.mkdir()
            [server] = await stack.enter_async_context(
                measure.servers([OURS], core, logs, environment(url))
            )
            api = Api(server.port)
            stack.callback(api.close)
            facts = await gather(connection, data)
            scenes[server] = Scene(OURS, api, data, facts, connection)
        for workload in WITHOUT_COUNT:
            say(workload)
            _, prepare = WORKLOADS[workload]
            plans = {server: plan for server in scenes if (plan := await prepare(scenes[server]))}
            samples = await measure.rounds(load, plans, rounds, seconds)
            smallest = samples[next(iter(scenes))]
            found[workload] = {
                f"{scene.data.rows:,} items": figures.of_requests(samples[server], smallest)
                for server, scene in scenes.items()
            }
        postgres = await connection.fetchval("SHOW server_version")
    return found, f"Plinth {commit}, PostgreSQL {postgres}"
