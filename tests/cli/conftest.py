import io
import sys

import pytest

from app.cli.main import run
from tests.conftest import database_url


class Command:
    """Runs `app`, within this process: one of its own would take a second for each command."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def __call__(self, database: str, *arguments: str, stdin: str = "") -> tuple[int, str]:
        """The exit status, and all that it printed, on one of the suite's databases."""
        self._monkeypatch.setenv("DATABASE_URL", database_url(database))
        self._monkeypatch.setenv("ENVIRONMENT", "test")
        self._monkeypatch.setattr(sys, "argv", ["app", *arguments])
        self._monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        self._capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            run()
        printed = self._capsys.readouterr()
        return int(end.value.code or 0), printed.out + printed.err


@pytest.fixture
def run_app(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(monkeypatch, capsys)
