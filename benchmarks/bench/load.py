"""The load: `python -m bench.load` takes bursts as lines of JSON and says how they went.

A hand-written HTTP/1.1 client that does no more than count bytes, so that it takes as little as
can be of the core that it shares with PostgreSQL. Each connection has one request under way.
"""

import asyncio
import gc
import sys
from dataclasses import dataclass, field
from itertools import count, cycle
from time import perf_counter
from typing import Any

import orjson
import uvloop

CONNECTIONS = 16
NUMBER = b"000000000000"  # in a request: replaced by a number that no other request has
TIMEOUT = 300
LENGTH = b"\r\ncontent-length: "


@dataclass
class Burst:
    requests: list[bytes]
    status: bytes
    seconds: float
    first_number: int | None
    done: asyncio.Future[None]
    active: int = CONNECTIONS
    latencies: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.started = perf_counter()
        self._requests = cycle(self.requests)
        self._numbers = count(self.first_number or 0)

    def next_request(self) -> bytes | None:
        if perf_counter() - self.started > self.seconds or self.done.done():
            return None
        request = next(self._requests)
        if self.first_number is None:
            return request
        return request.replace(NUMBER, b"%012d" % next(self._numbers))

    def finish(self) -> None:
        self.active -= 1
        if not self.active and not self.done.done():
            self.done.set_result(None)

    def fail(self, reason: str) -> None:
        if not self.done.done():
            self.done.set_exception(RuntimeError(reason))


class Connection(asyncio.Protocol):
    burst: Burst | None = None
    transport: Any
    missing = 0
    sent = 0.0
    head = b""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        if self.burst:
            self.burst.fail(f"the server closed a connection: {exc}")

    def start(self, burst: Burst) -> None:
        self.burst = burst
        self._send()

    def data_received(self, data: bytes) -> None:
        if not self.missing:
            data = self.head + data
            end = data.find(b"\r\n\r\n")
            if end < 0:
                self.head = data
                return
            self.head = b""
            assert self.burst is not None
            if data[9:12] != self.burst.status:
                self.burst.fail(data[:1000].decode(errors="replace"))
                return
            header = data[:end].lower()
            start = header.index(LENGTH) + len(LENGTH)
            self.missing = end + 4 + int(header[start:].split(b"\r\n", 1)[0])
        self.missing -= len(data)
        if not self.missing:
            assert self.burst is not None
            self.burst.latencies.append(perf_counter() - self.sent)
            self._send()

    def _send(self) -> None:
        assert self.burst is not None
        request = self.burst.next_request()
        if request is None:
            self.burst.finish()
            return
        self.sent = perf_counter()
        self.transport.write(request)


async def run(plan: dict[str, Any], connections: dict[int, list[Connection]]) -> dict[str, Any]:
    loop = asyncio.get_running_loop()
    port = plan["port"]
    if port not in connections:
        opened = [
            await loop.create_connection(Connection, "127.0.0.1", port) for _ in range(CONNECTIONS)
        ]
        connections[port] = [connection for _, connection in opened]
    burst = Burst(
        [each.encode() for each in plan["requests"]],
        str(plan["status"]).encode(),
        plan["seconds"],
        plan["first_number"],
        loop.create_future(),
    )
    for connection in connections[port]:
        connection.start(burst)
    await asyncio.wait_for(burst.done, TIMEOUT)
    seconds = perf_counter() - burst.started
    latencies = sorted(burst.latencies)
    return {
        "requests": len(latencies),
        "seconds": seconds,
        "p99": latencies[int(len(latencies) * 0.99)],
    }


def main() -> None:
    loop = uvloop.new_event_loop()
    connections: dict[int, list[Connection]] = {}
    gc.disable()
    for line in sys.stdin.buffer:
        try:
            answer = loop.run_until_complete(run(orjson.loads(line), connections))
        except (RuntimeError, TimeoutError, OSError, ValueError) as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        sys.stdout.buffer.write(orjson.dumps(answer) + b"\n")
        sys.stdout.buffer.flush()
        gc.collect()  # between the bursts, and not in one


if __name__ == "__main__":
    main()
