"""Upserts with one contender's own means: `python -m bench.upsert NAME [CORE]`.

Each line that comes in names an owner; the answer is how long it took, to COMMIT.
"""

import asyncio
import gc
import importlib
import sys
from time import perf_counter
from uuid import UUID

import orjson
import uvloop

from bench.machine import pin
from bench.upserts import rows


def main() -> None:
    name, *core = sys.argv[1:]
    pin({int(each) for each in core})
    uvloop.run(_serve(name))


async def _serve(name: str) -> None:
    upsert = await importlib.import_module(f"bench.upserts.{name}").open_upsert()
    body = rows.body()
    gc.collect()
    gc.freeze()
    while line := await asyncio.to_thread(sys.stdin.buffer.readline):
        owner = UUID(orjson.loads(line)["owner"])
        started = perf_counter()
        await upsert(owner, body)
        answer = orjson.dumps({"seconds": perf_counter() - started})
        sys.stdout.buffer.write(answer + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
