import importlib.util
import os
import subprocess
from pathlib import Path

import pytest

from app.cli.embedded.errors import EmbeddedPostgresError
from app.cli.embedded.server import EmbeddedPostgres
from tests.cli.embedded.processes import query


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


def test_runs_version_16_and_refuses_its_folder_to_18(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir, version=16, durable=False) as postgres:
        assert query(postgres.url(), "select lower('É') || version()").startswith("éPostgreSQL 16")
    with pytest.raises(EmbeddedPostgresError, match="made by PostgreSQL 16 and this is 18: set"):
        EmbeddedPostgres(data_dir, version=18).start()


def test_says_what_to_do_when_the_wheel_is_missing(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(EmbeddedPostgresError, match=r"set DATABASE_URL, or .* `uv sync`"):
        EmbeddedPostgres(data_dir).start()
