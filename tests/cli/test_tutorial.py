"""The tutorial, as a newcomer follows it: from a clean copy, with `app dev` in another terminal."""

import shutil
import signal
import time
from contextlib import suppress
from pathlib import Path

import httpx
import psutil
import pytest

from app.database.migrations import ROOT
from tests.cli.project import Project
from tests.cli.sessions import File, Shell, stable, steps
from tests.cli.test_dev import DEADLINE, Dev
from tests.ports import free_port

pytestmark = [
    pytest.mark.generator,
    pytest.mark.skipif(shutil.which("curl") is None, reason="the tutorial uses curl"),
]

TUTORIAL = ROOT / "docs/tutorial.md"
WHOLE = 1200  # seconds; it takes about a minute, and many on a busy machine


def newest(folder: Path) -> float:
    return max((path.stat().st_mtime for path in folder.rglob("*.py")), default=0)


def workers(dev: Dev) -> set[int]:
    found = set()
    for each in dev.family():
        with suppress(psutil.Error):  # one that has just ended
            if "spawn_main" in " ".join(each.cmdline()):
                found.add(each.pid)
    return found


def wait_for_reload(dev: Dev, before: set[int]) -> None:
    """Until a server that was not there before is ready."""
    deadline = time.monotonic() + DEADLINE
    while not workers(dev) - before:
        assert time.monotonic() < deadline, dev.log.read_text()
        time.sleep(0.05)
    assert httpx.get(f"{dev.url}/health/ready", timeout=DEADLINE).status_code == 200


def test_the_tutorial_is_true(tmp_path: Path) -> None:
    project = Project(tmp_path / "invoicing")
    dev = Dev(project.root / ".data", free_port(), PYTHONPATH=str(project.root / "src"))
    shell = Shell(project.root, project.environment, WHOLE)
    try:
        dev.wait_for("Ready")
        for step in steps(TUTORIAL.read_text()):
            before, running = newest(project.root / "src"), workers(dev)
            if isinstance(step, File):
                (project.root / step.path).write_text(step.text)
            else:
                line = step.line.replace("uv run ", "").replace("http://127.0.0.1:8000", dev.url)
                answer = shell.run(line).replace(dev.url, "http://127.0.0.1:8000")
                assert stable(answer) == stable(step.printed), line
            if newest(project.root / "src") != before:
                wait_for_reload(dev, running)
    finally:
        shell.close()
        dev.end(signal.SIGTERM)
