"""`app dev` as a newcomer meets it: real processes, so each of these tests takes seconds."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from urllib.request import urlopen

import psutil
import pytest

from app.cli.dev_address import base_url
from app.cli.generator.files.manifest import find
from app.config import Settings
from app.database.migrations import ROOT
from tests.cli.sessions import Command, Shell, stable, steps
from tests.ports import free_port

# Their sessions go on from each other.
PAGES = ("README.md", "docs/lists.md", "docs/writes.md")
DEADLINE = 30  # seconds; a start takes about two

type Start = Callable[..., "Dev"]


class Dev:
    """A running `app dev`, and what it printed."""

    def __init__(self, data_dir: Path, port: int, **more: str) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.data_dir = data_dir
        self.log = data_dir.parent / f"{port}.log"
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")
        }
        environment.pop("DATABASE_URL", None)
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [Path(sys.executable).with_name("app"), "dev", "--port", str(port)],
                env=environment | {"DATA_DIR": str(data_dir), "THROTTLE_ENABLED": "true"} | more,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_for(self, text: str) -> str:
        deadline = time.monotonic() + DEADLINE
        while text not in (output := self.log.read_text()):
            assert time.monotonic() < deadline, output
            assert self.process.poll() is None, output
            time.sleep(0.05)
        return output

    def family(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(DEADLINE)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[Dev] = []

    def make(data_dir: Path = tmp_path / "data") -> Dev:
        started.append(Dev(data_dir, free_port()))
        return started[-1]

    yield make
    for dev in started:
        if dev.process.poll() is None:
            dev.end(signal.SIGTERM)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_is_ready_with_one_command_and_leaves_nothing_behind(
    start: Start, number: signal.Signals
) -> None:
    dev = start()
    output = dev.wait_for("Ready")
    assert f"{dev.url}/docs" in output
    assert "user create" in output
    found = Settings(data_dir=dev.data_dir, host="127.0.0.1", port=8000)
    assert base_url(found) == dev.url  # for the requests that `app new entity` prints
    family = dev.family()
    assert any("postgres" in each.name() for each in family)
    assert dev.end(number) == 0
    assert base_url(found) == "http://127.0.0.1:8000"
    assert not (dev.data_dir / "address").exists()
    psutil.wait_procs(family, timeout=3)
    assert not alive(family)
    assert "Traceback" not in dev.log.read_text()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dev]:
    """One that is ready, whose folder nobody has written to."""
    dev = Dev(tmp_path_factory.mktemp("dev") / "data", free_port())
    try:
        dev.wait_for("Ready")
        yield dev
    finally:
        dev.end(signal.SIGTERM)


def test_a_second_one_on_the_same_folder_says_what_is_wrong(start: Start, running: Dev) -> None:
    first, second = running, start(running.data_dir)
    assert second.process.wait(DEADLINE) == 1
    output = second.log.read_text()
    assert f"is in use by process {first.process.pid}" in output
    assert "DATA_DIR" in output
    assert "Traceback" not in output
    with urlopen(f"{first.url}/health/ready", timeout=5) as response:
        assert response.status == 200


def test_what_a_killed_one_left_leads_nowhere(tmp_path: Path) -> None:
    (tmp_path / "address").write_text(f"http://127.0.0.1:{free_port()}")
    assert (
        base_url(Settings(data_dir=tmp_path, host="127.0.0.1", port=8000))
        == "http://127.0.0.1:8000"
    )
    (tmp_path / "address").write_text("http://127.0.0.1:x")
    assert (
        base_url(Settings(data_dir=tmp_path, host="127.0.0.1", port=8000))
        == "http://127.0.0.1:8000"
    )


def test_psql_finds_its_database_and_reset_leaves_it_alone(running: Dev) -> None:
    def run(*arguments: str) -> str:
        command = [Path(sys.executable).with_name("app"), *arguments]
        environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
        done = subprocess.run(
            command,
            env=environment | {"DATA_DIR": str(running.data_dir)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=DEADLINE,
        )
        return done.stdout

    assert run("psql", "--", "-Atc", "SELECT count(*) > 0 FROM alembic_version") == "t\n"
    [refusal] = run("reset", "--yes").splitlines()
    assert f"is in use by process {running.process.pid}: stop it" in refusal


def test_after_a_kill_the_next_start_just_works(start: Start) -> None:
    dev = start()
    dev.wait_for("Ready")
    family = dev.family()
    dev.end(signal.SIGKILL)
    start().wait_for("Ready")
    psutil.wait_procs(family, timeout=3)
    assert not alive(family)


@pytest.mark.skipif(shutil.which("curl") is None, reason="the sessions use curl")
@pytest.mark.skipif(find("item") is None, reason="they use the example entity, which was removed")
def test_the_sessions_in_the_documents_are_true(running: Dev) -> None:
    """One after the other in one shell."""
    with closing(Shell(ROOT, os.environ, DEADLINE)) as shell:
        for step in [each for page in PAGES for each in steps((ROOT / page).read_text())]:
            assert isinstance(step, Command)
            answer = shell.run(step.line.replace("http://127.0.0.1:8000", running.url))
            assert stable(answer) == stable(step.printed), step.line


def alive(family: list[psutil.Process]) -> list[psutil.Process]:
    """Those that still run; an orphan that ended is a zombie until init takes notice."""
    return [each for each in family if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]
