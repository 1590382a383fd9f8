import os
import signal
import socket
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

import asyncpg
import pytest

from app.cli.embedded.errors import EmbeddedPostgresError
from app.cli.embedded.server import EmbeddedPostgres
from tests.cli.embedded.processes import family, psutil, query, remaining, runs

OWNER = """
import sys, threading, time
from pathlib import Path
from app.cli.embedded.server import EmbeddedPostgres

postgres = EmbeddedPostgres(Path(sys.argv[1]), durable=False)
if sys.argv[2] == "main":
    postgres.start()
else:
    thread = threading.Thread(target=postgres.start)
    thread.start()
    thread.join()
print(postgres.pid, postgres.url(), flush=True)
time.sleep(60)
"""


def test_answers_with_its_settings_and_leaves_no_process(postgres: EmbeddedPostgres) -> None:
    assert query(postgres.url(), "select lower('É') || current_setting('fsync')") == "éoff"
    assert query(postgres.url("template1"), "select current_database()") == "template1"
    assert postgres.port < 32768
    processes = family(postgres)
    assert len(processes) > 3
    postgres.stop()
    assert remaining(processes) == []


def test_starts_in_a_session_of_its_own_so_that_ctrl_c_is_the_owners(
    postgres: EmbeddedPostgres,
) -> None:
    assert postgres.pid
    assert os.getsid(postgres.pid) == postgres.pid


def test_asks_for_the_password_that_only_its_file_holds(postgres: EmbeddedPostgres) -> None:
    file = postgres.data_dir / "postgres" / "password"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    stored = query(postgres.url(), "select rolpassword from pg_authid where rolname = 'plinth'")
    assert stored.startswith("SCRAM-SHA-256$")
    with pytest.raises(asyncpg.InvalidPasswordError):
        query(postgres.url().replace(file.read_text(), "guess"), "select 1")


@pytest.mark.parametrize("mode", ["fast", "immediate", "kill"])
def test_keeps_data_and_port_over_a_restart(
    data_dir: Path, mode: Literal["fast", "immediate", "kill"]
) -> None:
    with EmbeddedPostgres(data_dir) as postgres:
        url = postgres.url()
        query(url, "create table kept as select 42 as answer")
        processes = family(postgres)
        postgres.stop(mode)
        assert remaining(processes) == []
        assert postgres.start() == url
        assert query(url, "select answer from kept") == 42


def test_waits_for_backends_that_outlive_their_postmaster(postgres: EmbeddedPostgres) -> None:
    busy = """do $$ declare stop timestamptz := clock_timestamp() + interval '0.8 s';
        begin while clock_timestamp() < stop loop end loop; end $$"""
    with ThreadPoolExecutor() as threads:
        result = threads.submit(query, postgres.url(), busy)
        time.sleep(0.3)  # the query runs by now, for half a second more
        assert postgres.pid
        os.kill(postgres.pid, signal.SIGKILL)
        assert remaining([postgres.pid]) == []
        assert not result.done()
        assert query(postgres.start(), "select 1") == 1
    assert "still in use" in (postgres.data_dir / "postgres.log").read_text()


def test_takes_another_port_when_its_own_is_taken(postgres: EmbeddedPostgres) -> None:
    postgres.stop()
    with socket.create_server(("127.0.0.1", postgres.port)) as other:
        url = postgres.start()
        assert postgres.port != other.getsockname()[1]
        assert query(url, "select 1") == 1


def test_refuses_a_second_owner(postgres: EmbeddedPostgres) -> None:
    with pytest.raises(EmbeddedPostgresError) as refusal:
        EmbeddedPostgres(postgres.data_dir).start()
    assert str(refusal.value) == (
        f"{postgres.data_dir} is in use by process {os.getpid()}: stop it, or set DATA_DIR to "
        "another folder"
    )
    assert query(postgres.url(), "select 1") == 1


@pytest.mark.parametrize("thread", ["main", "other"])
def test_starts_after_its_owner_was_killed(data_dir: Path, thread: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, str(data_dir), thread],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        text=True,
    ) as owner:
        assert owner.stdout
        pid, url = owner.stdout.readline().split()
        query(url, "create table kept as select 42 as answer")
        owner.kill()
    if thread == "main" and sys.platform == "linux":
        assert remaining([int(pid)]) == []
    else:
        assert runs(int(pid))
    with EmbeddedPostgres(data_dir, durable=False) as postgres:
        assert remaining([int(pid)]) == []
        assert postgres.url() == url
        assert query(url, "select answer from kept") == 42


def interrupt_after(seconds: float) -> None:
    time.sleep(seconds)
    raise KeyboardInterrupt


@pytest.mark.parametrize("seconds", [0.05, 0.15, 0.3, 0.5])
def test_leaves_no_process_when_its_start_is_interrupted(data_dir: Path, seconds: float) -> None:
    before = signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGINT))
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        with pytest.raises(KeyboardInterrupt), EmbeddedPostgres(data_dir, durable=False):
            interrupt_after(seconds)  # where the start was done before
    finally:
        signal.signal(signal.SIGALRM, before)
    left = [each.info["cmdline"] or [] for each in psutil.process_iter(["cmdline"])]
    assert not [each for each in left if str(data_dir) in " ".join(each)]


def test_says_what_the_server_said_when_it_does_not_start(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir, durable=False) as postgres:
        configuration = data_dir / "postgres" / "cluster" / "postgresql.conf"
        configuration.write_text("no_such_setting = 1")
    with pytest.raises(EmbeddedPostgresError, match='parameter "no_such_setting"'):
        postgres.start()


def test_says_which_folder_it_cannot_use(data_dir: Path) -> None:
    data_dir.write_text("a file")
    with pytest.raises(EmbeddedPostgresError, match=f"cannot use {data_dir}: .* set DATA_DIR to"):
        EmbeddedPostgres(data_dir).start()
