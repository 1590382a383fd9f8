import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from app.cli.embedded import programs
from app.cli.embedded.programs import Account, Log
from tests.cli.embedded.processes import remaining


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_while_a_program_starts_ends_the_program_too(
    number: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[int] = []
    start: Any = subprocess.Popen

    def popen(*arguments: Any, **options: Any) -> Any:
        process = start(*arguments, **options)
        started.append(process.pid)
        signal.raise_signal(number)
        return process

    monkeypatch.setattr(programs.subprocess, "Popen", popen)

    def handler(*_: object) -> None:
        sys.exit()

    before = signal.signal(number, handler)
    try:
        with pytest.raises(SystemExit):
            Account([], {}).spawn(["sleep", "60"], Log(tmp_path / "log"))
        assert signal.getsignal(number) is handler
    finally:
        signal.signal(number, before)
    assert len(started) == 1
    assert remaining(started) == []
