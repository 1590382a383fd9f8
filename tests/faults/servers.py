"""The server as it runs in production, as processes that a test may kill."""

import asyncio
import importlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import make_url

from app.database.migrations import ROOT
from tests.ports import free_port

psutil: Any = importlib.import_module("psutil")  # has no types

APP = [str(Path(sys.executable).with_name("app"))]
WITH_OWN_ROUTES = [sys.executable, "-m", "tests.faults.program"]
START_SECONDS = 120  # on a machine that has other work too


class Server:
    """`app serve`, with its workers."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process = process
        self.url = f"http://127.0.0.1:{port}"

    def client(self, token: str | None = None) -> httpx.AsyncClient:
        """A client with connections of its own."""
        headers = {"Authorization": f"Bearer {token}"} if token else None
        return httpx.AsyncClient(base_url=self.url, headers=headers, timeout=60)

    def family(self) -> list[int]:
        """The server and all that it started."""
        children = psutil.Process(self.process.pid).children(recursive=True)
        return [self.process.pid, *(child.pid for child in children)]

    async def serving_workers(self, database: str) -> list[int]:
        """The processes that answer requests, known by their connections to the database's URL."""
        async with self.client() as client:  # so many at once that each of them gets some
            ready = [client.get("/health/ready") for _ in range(20)]
            await asyncio.gather(*ready)
        port = make_url(database).port
        children = psutil.Process(self.process.pid).children()
        return [child.pid for child in children if port in _connected_to(child)]

    def memory(self) -> int:
        """Bytes of the server's own process."""
        return int(psutil.Process(self.process.pid).memory_info().rss)

    def terminate(self, within: float) -> list[int]:
        """Ask the server to end and return those of its processes that run after the seconds."""
        family = self.family()
        self.process.terminate()
        deadline = time.monotonic() + within
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(within)
        while (running := [pid for pid in family if _runs(pid)]) and time.monotonic() < deadline:
            time.sleep(0.05)
        return running


@contextmanager
def serving(
    url: str,
    folder: Path,
    *,
    workers: int = 1,
    program: list[str] = WITH_OWN_ROUTES,
    **settings: str,
) -> Generator[Server]:
    """A server on the database at the URL, which is gone at the end of the context."""
    port = free_port()
    path = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {
        "DATABASE_URL": url,
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "WORKERS": str(workers),
        "APP_NAME": "Plinth",
        "ENVIRONMENT": "test",
        "SECRET_KEY": "kQ3v9Zt7Lw2Xr5Np8Bs1Hd6Yf4Jc0Gm_",
        "THROTTLE_ENABLED": "false",
        "REQUEST_TIMEOUT": "60",  # a busy machine needs seconds for a dozen passwords
        "LOG_LEVEL": "warning",
        "PYTHONPATH": os.pathsep.join(path),
        **settings,
    }
    log = folder / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*program, "serve"],
            cwd=folder,  # away from the developer's .env
            env=os.environ | environment,
            stdout=output,
            stderr=output,
        )
    server = Server(process, port)
    try:
        _wait_until_live(server, log)
        yield server
    finally:
        _end(server)


def _wait_until_live(server: Server, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while server.process.poll() is None and time.monotonic() < deadline:
        with suppress(httpx.TransportError):
            httpx.get(f"{server.url}/health/live", timeout=1).raise_for_status()
            return
        time.sleep(0.05)
    raise RuntimeError(f"The server did not start: {log.read_text()}")


def _end(server: Server) -> None:
    if server.process.poll() is None:
        for pid in reversed(server.family()):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    server.process.wait()


def _connected_to(process: Any) -> set[int]:
    try:
        return {each.raddr.port for each in process.net_connections("tcp4") if each.raddr}
    except psutil.Error:  # it has just ended
        return set()


def _runs(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
