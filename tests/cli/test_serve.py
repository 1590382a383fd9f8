"""What `app serve` says of itself: each test starts processes, which takes seconds."""

import json
import signal
import subprocess
import tomllib
from pathlib import Path
from socket import socket

import httpx
import pytest

from app.database.migrations import ROOT
from tests.cli.test_commands import APP, app, environment
from tests.ports import free_port


@pytest.mark.parametrize("workers", [1, 2])
def test_it_says_once_where_it_listens_and_how_it_stops(scratch: str, workers: int) -> None:
    port = free_port()
    arguments: list[str | Path] = [APP, "serve", "--port", str(port), "--workers", f"{workers}"]
    with subprocess.Popen(
        arguments, env=environment(scratch), stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            assert server.stdout is not None
            first = json.loads(server.stdout.readline())
            answer = httpx.get(f"{first['address']}/health/live")
            server.terminate()
            rest = [json.loads(line) for line in server.stdout]
        finally:
            server.terminate()
    ended = 128 + signal.SIGTERM if workers == 1 else 0  # as uvicorn does
    assert (answer.status_code, server.returncode) == (200, ended)
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    said = {"event": "listening", "address": f"http://127.0.0.1:{port}"}
    assert first.items() >= {**said, "workers": workers, "version": version}.items()
    assert [each["event"] for each in rest] == ["request", "draining", "stopped"]


def test_it_says_nothing_of_the_kind_where_it_cannot_listen(scratch: str) -> None:
    with socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        status, output = app(scratch, "serve", "--port", port)
    assert status != 0
    assert "address already in use" in output.lower()
    assert "listening" not in output
    assert "stopped" not in output


def test_it_fails_where_its_workers_cannot_start(scratch: str, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(BROKEN_WORKER)
    arguments = ["serve", "--port", str(free_port()), "--workers", "2"]
    status, output = app(scratch, *arguments, PYTHONPATH=str(tmp_path))
    assert status == 3
    assert "listening" not in output


# Where a worker cannot start, its process ends with uvicorn's own status for that.
BROKEN_WORKER = """
import os
import sys

if "--multiprocessing-fork" in sys.argv:
    os._exit(3)
"""
