import os
import shutil
import stat
from pathlib import Path

import pytest

from app.cli.embedded import place
from app.cli.embedded.errors import EmbeddedPostgresError
from app.cli.embedded.server import EmbeddedPostgres
from tests.cli.embedded.processes import psutil, query


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
    accounts = place.accounts
    monkeypatch.setattr(place, "accounts", lambda home: list(accounts(home))[-1:])
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
