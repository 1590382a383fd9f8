import shutil
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.cli.embedded.server import EmbeddedPostgres


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
