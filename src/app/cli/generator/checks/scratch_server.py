"""A PostgreSQL for the checks, which starts while the command still works out the changes."""

import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

from app.cli.embedded.errors import EmbeddedPostgresError
from app.cli.embedded.server import EmbeddedPostgres


@contextmanager
def scratch_server() -> Generator[Callable[[], str | None]]:
    """Gives a function that waits for the server and returns its URL; None if it cannot run here.

    If TEST_DATABASE_URL is set, its server is used.
    """
    if url := os.environ.get("TEST_DATABASE_URL"):
        yield lambda: url
        return
    fork = get_context("fork")
    ours, theirs = fork.Pipe()
    owner = fork.Process(target=_own, args=(ours, theirs))
    owner.start()
    theirs.close()

    def started() -> str | None:
        with suppress(EOFError):
            return str(ours.recv())
        return None

    try:
        yield started
    finally:
        owner.terminate()
        owner.join()


def _own(ours: Connection, theirs: Connection) -> None:
    """Runs a server until the command says so, or is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # on Ctrl-C the command sends SIGTERM
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    ours.close()
    folder = Path(tempfile.mkdtemp(prefix="plinth-checks-"))
    server = EmbeddedPostgres(folder, durable=False)
    try:
        server.start()
        theirs.send(server.url("test"))
        theirs.recv()
    except (EmbeddedPostgresError, BrokenPipeError, EOFError):
        pass
    finally:
        server.stop("immediate")
        shutil.rmtree(folder)
