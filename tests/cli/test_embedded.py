import asyncio
import importlib
import importlib.util
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import asyncpg
import pytest

from app.cli import embedded
from app.cli.embedded import EmbeddedPostgres, EmbeddedPostgresError

psutil: Any = importlib.import_module("psutil")  # has no types

OWNER = """
import sys, threading, time
from pathlib import Path
from app.cli.embedded import EmbeddedPostgres

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


@contextmanager
def private_folder() -> Generator[Path]:
    with tempfile.TemporaryDirectory(prefix="plinth-test-") as parent:  # its mode is 0700
        home = Path(parent, "data", "postgres")
        yield home.parent
        if home.is_symlink():
            shutil.rmtree(home.resolve())


@pytest.fixture
def data_dir() -> Iterator[Path]:
    with private_folder() as data_dir:
        yield data_dir


@pytest.fixture(scope="module")
def shared() -> Iterator[EmbeddedPostgres]:
    with private_folder() as data_dir, EmbeddedPostgres(data_dir, durable=False) as postgres:
        yield postgres


@pytest.fixture
def postgres(shared: EmbeddedPostgres) -> EmbeddedPostgres:
    shared.start()  # which the test before may have stopped
    return shared


def query(url: str, statement: str) -> Any:
    async def run() -> Any:
        connection = await asyncpg.connect(url.replace("+asyncpg", ""))
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    return asyncio.run(run())


def remaining(pids: list[int]) -> list[int]:
    """Waits for the end of the processes, returns those that still run after five seconds."""
    deadline = time.monotonic() + 5
    while (running := [pid for pid in pids if runs(pid)]) and time.monotonic() < deadline:
        time.sleep(0.01)
    return running


def runs(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def family(postgres: EmbeddedPostgres) -> list[int]:
    assert postgres.pid
    return [postgres.pid, *(child.pid for child in psutil.Process(postgres.pid).children())]


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


def test_is_not_kept_by_the_pid_of_another_process(postgres: EmbeddedPostgres) -> None:
    postgres.stop()
    home = postgres.data_dir / "postgres"
    user = home.stat().st_uid if os.geteuid() == 0 else None
    with subprocess.Popen(["/bin/sleep", "60"], user=user) as other:
        (home / "cluster" / "postmaster.pid").write_text(f"{other.pid}\n{home / 'cluster'}\n")
        assert query(postgres.start(), "select 1") == 1
        assert other.poll() is None
        other.kill()


def test_is_not_kept_by_an_empty_pid_file(postgres: EmbeddedPostgres) -> None:
    postgres.stop()
    (postgres.data_dir / "postgres" / "cluster" / "postmaster.pid").write_text("")
    assert query(postgres.start(), "select 1") == 1


def test_starts_after_an_interrupted_initdb(data_dir: Path) -> None:
    unfinished = data_dir / "postgres" / "unfinished"
    unfinished.mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("18\n")
    with EmbeddedPostgres(data_dir, durable=False) as postgres:
        assert query(postgres.url(), "select 1") == 1


@pytest.mark.parametrize("seconds", [0.05, 0.15, 0.3, 0.5])
def test_leaves_no_process_when_its_start_is_interrupted(data_dir: Path, seconds: float) -> None:
    before = signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGINT))
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        with pytest.raises(KeyboardInterrupt), EmbeddedPostgres(data_dir, durable=False):
            signal.pause()
    finally:
        signal.signal(signal.SIGALRM, before)
    left = [each.info["cmdline"] or [] for each in psutil.process_iter(["cmdline"])]
    assert not [each for each in left if str(data_dir) in " ".join(each)]


def test_leaves_the_modes_of_private_parents_alone(data_dir: Path) -> None:
    parents = [data_dir.parent, data_dir.parent.parent]
    before = [parent.stat() for parent in parents]
    with EmbeddedPostgres(data_dir, durable=False):
        after = [parent.stat() for parent in parents]
    assert stat.S_IMODE(before[0].st_mode) == 0o700
    assert [(s.st_mode, s.st_uid) for s in after] == [(s.st_mode, s.st_uid) for s in before]


@pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("setpriv"), reason="needs root and setpriv"
)
def test_keeps_the_cluster_of_root_in_a_private_folder(postgres: EmbeddedPostgres) -> None:
    assert not (postgres.data_dir / "postgres").is_symlink()
    assert 0 not in psutil.Process(postgres.pid).uids()


def test_runs_without_setpriv(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    accounts = embedded._accounts
    monkeypatch.setattr(embedded, "_accounts", lambda home: list(accounts(home))[-1:])
    root = os.geteuid() == 0
    parents = Path(psutil.__file__).parents  # installed beside the wheel
    if root and not all(parent.stat().st_mode & stat.S_IXOTH for parent in parents):
        with pytest.raises(EmbeddedPostgresError, match="run as an ordinary user, or set"):
            EmbeddedPostgres(data_dir).start()
        return
    for _ in range(2):
        with EmbeddedPostgres(data_dir, durable=False) as postgres:
            query(postgres.url(), "create table if not exists kept ()")
            assert (data_dir / "postgres").is_symlink() == root


def test_runs_version_16_and_refuses_its_folder_to_18(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir, version=16, durable=False) as postgres:
        assert query(postgres.url(), "select lower('É') || version()").startswith("éPostgreSQL 16")
    with pytest.raises(EmbeddedPostgresError, match="made by PostgreSQL 16 and this is 18: set"):
        EmbeddedPostgres(data_dir, version=18).start()


def test_says_what_the_server_said_when_it_does_not_start(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir, durable=False) as postgres:
        configuration = data_dir / "postgres" / "cluster" / "postgresql.conf"
        configuration.write_text("no_such_setting = 1")
    with pytest.raises(EmbeddedPostgresError, match='parameter "no_such_setting"'):
        postgres.start()


def test_says_what_to_do_when_the_wheel_is_missing(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(EmbeddedPostgresError, match=r"set DATABASE_URL, or .* `uv sync`"):
        EmbeddedPostgres(data_dir).start()


def test_says_which_folder_it_cannot_use(data_dir: Path) -> None:
    data_dir.write_text("a file")
    with pytest.raises(EmbeddedPostgresError, match=f"cannot use {data_dir}: .* set DATA_DIR to"):
        EmbeddedPostgres(data_dir).start()
