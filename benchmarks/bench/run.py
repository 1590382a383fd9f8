"""One run: everything up at once, every answer checked, then bursts in turn."""

import sys
import tempfile
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from bench import bulk, figures, machine, measure
from bench.child import child
from bench.contender import CONTENDERS, LIMIT
from bench.database import filled_databases
from bench.dataset import Dataset
from bench.facts import Facts, gather
from bench.figures import Figure, Figures
from bench.http import Api
from bench.measure import Server
from bench.settings import environment
from bench.workloads import WORKLOADS, Plan, Scene


@dataclass(frozen=True, slots=True)
class Options:
    contenders: list[str]
    workloads: list[str]
    items: int
    rounds: int
    seconds: float


class Run:
    def __init__(self, options: Options) -> None:
        self.options = options
        self.data = Dataset(options.items)
        self.server_core, self.other_cores = machine.cores()
        self.url = ""
        self.connection: asyncpg.Connection[Any]

    async def all(self) -> tuple[Figures, str]:
        """The figures, and the versions of Plinth and PostgreSQL they were taken with."""
        machine.pin(self.other_cores)  # and what starts from here: PostgreSQL, the load
        found: Figures = {}
        commit = await machine.commit()  # now: others may go on while this takes its time
        async with AsyncExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="plinth-bench-")))
            say(f"filling PostgreSQL with {self.data.rows:,} items")
            [self.url] = await stack.enter_async_context(filled_databases(self.data))
            self.connection = await asyncpg.connect(self.url)
            stack.push_async_callback(self.connection.close)
            over_http = [name for name in self.options.workloads if name in WORKLOADS]
            if over_http:
                found |= await self.over_http(over_http, folder)
            if bulk.NAME in self.options.workloads:
                found[bulk.NAME] = await self.in_bulk(folder)
            postgres = await self.connection.fetchval("SHOW server_version")
        return found, f"Plinth {commit}, PostgreSQL {postgres}"

    async def over_http(self, workloads: list[str], folder: Path) -> Figures:
        facts = await gather(self.connection, self.data)
        chosen = [each for each in CONTENDERS if each.name in self.options.contenders]
        found: Figures = {}
        async with (
            child("bench.load", log=folder / "load.log") as load,
            measure.servers(chosen, self.server_core, folder, environment(self.url)) as servers,
        ):
            for workload in workloads:
                say(workload)
                plans = {
                    server: plan
                    for server in servers
                    if (plan := await self.prepare(workload, server, facts))
                }
                rounds, seconds = self.options.rounds, self.options.seconds
                samples = await measure.rounds(load, plans, rounds, seconds)
                limit = next(samples[each] for each in plans if each.contender is LIMIT)
                measured = {
                    server.contender.name: figures.of_requests(each, limit)
                    for server, each in samples.items()
                }
                found[workload] = {each.name: measured.get(each.name) for each in chosen}
        return found

    async def prepare(self, workload: str, server: Server, facts: Facts) -> Plan | None:
        _, prepare = WORKLOADS[workload]
        api = Api(server.port)
        try:
            return await prepare(Scene(server.contender, api, self.data, facts, self.connection))
        finally:
            api.close()

    async def in_bulk(self, folder: Path) -> dict[str, Figure | None]:
        say(bulk.NAME)
        chosen = [
            name
            for name in bulk.UPSERTS
            if name.removesuffix("_unnest").removesuffix("_http") in self.options.contenders
        ]
        environ = environment(self.url)
        async with bulk.upserters(chosen, self.server_core, folder, environ) as started:
            rates = await bulk.rounds(
                started, self.connection, self.data.bulk_writer, self.options.rounds
            )
        return {name: figures.of_rows(rates[name], rates[LIMIT.name]) for name in chosen}


def say(what: str) -> None:
    sys.stderr.write(f"bench: {what}\n")
    sys.stderr.flush()
