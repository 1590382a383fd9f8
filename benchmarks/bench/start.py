"""Starts Plinth once, in process, and prints what that took: `python -m bench.start [CORE]`."""

import asyncio
import sys
import time
from typing import Any

import orjson

from bench.machine import memory, pin

LIVE, DOCUMENT = "/health/live", "/openapi.json"


class Laps:
    def __init__(self) -> None:
        self.taken: dict[str, float] = {}
        self._before = time.process_time()

    def end(self, name: str) -> None:
        """Notes the CPU seconds since the last one, and what is in memory now."""
        self.taken[name] = time.process_time() - self._before
        self.taken[f"memory after {name}"] = memory()
        self._before = time.process_time()


def main() -> None:
    pin({int(each) for each in sys.argv[1:]})
    laps = Laps()
    from app.main import create_app  # noqa: PLC0415 - this is what is measured

    laps.end("import")
    app = create_app()
    laps.end("create_app")
    asyncio.run(_serve(app, laps))
    sys.stdout.buffer.write(orjson.dumps(laps.taken))


async def _serve(app: Any, laps: Laps) -> None:
    """As a server does: the lifespan's start, requests, and its end."""
    events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    answers: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    await events.put({"type": "lifespan.startup"})
    scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
    lifespan = asyncio.create_task(app(scope, events.get, answers.put))
    await answers.get()
    await _get(app, LIVE)
    laps.end("first answer")
    await _get(app, DOCUMENT)
    laps.end("openapi")
    await events.put({"type": "lifespan.shutdown"})
    await lifespan


async def _get(app: Any, path: str) -> None:
    """Raises RuntimeError for any answer but 200."""
    messages: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        messages.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"localhost")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "state": {},
    }
    await app(scope, receive, send)
    if messages[0]["status"] != 200:
        raise RuntimeError(f"{path}: {messages}")


if __name__ == "__main__":
    main()
