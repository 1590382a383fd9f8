"""Runs the programs of PostgreSQL under one account, and ends them for certain."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

STOPS = {  # from the mildest: the next one follows when the seconds are over
    "fast": (signal.SIGINT, 30),
    "immediate": (signal.SIGQUIT, 10),
    "kill": (signal.SIGKILL, 5),
}
ENDING = {signal.SIGINT, signal.SIGTERM}


@dataclass(frozen=True, slots=True)
class Log:
    """What the programs print."""

    path: Path

    def size(self) -> int:
        return self.path.stat().st_size

    def since(self, size: int) -> str:
        """The last lines of what came after the first bytes."""
        output = self.path.read_bytes()[size:].decode(errors="replace")
        return "\n".join(output.splitlines()[-10:])


@dataclass(frozen=True, slots=True)
class Account:
    """Who runs the programs: a command that comes before theirs, and arguments of Popen."""

    prefix: list[str]
    options: dict[str, Any]

    def run(self, command: list[str], log: Log) -> int:
        process = self.spawn(command, log)
        try:
            return process.wait()
        except BaseException:
            _kill_group(process)
            raise

    def spawn(self, command: list[str], log: Log) -> subprocess.Popen[bytes]:
        """Starts the program. A signal that ends its owner meanwhile ends it too.

        Its handler waits until the process is known: an exception within Popen would lose it.
        """
        process = None
        try:
            with _held_back(ENDING):
                process = self._popen(command, log)
        except BaseException:
            if process:
                _kill_group(process)
            raise
        return process

    def _popen(self, command: list[str], log: Log) -> subprocess.Popen[bytes]:
        with log.path.open("ab") as file:
            return subprocess.Popen(
                self.prefix + command,
                **self.options,
                cwd="/",
                env=os.environ | {"LC_ALL": "C"},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,  # Ctrl-C goes to the owner, who stops it in order
            )


@contextmanager
def _held_back(numbers: set[signal.Signals]) -> Generator[None]:
    """Runs the handlers of these signals at the end, if they come meanwhile."""
    if threading.current_thread() is not threading.main_thread():  # where no handler runs
        yield
        return
    came: list[int] = []
    found = {number: signal.getsignal(number) for number in numbers}
    handlers = {number: handler for number, handler in found.items() if callable(handler)}
    for number in handlers:
        signal.signal(number, lambda number, _: came.append(number))
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for each in came:
            signal.raise_signal(each)


def end(pid: int, alive: Callable[[], bool], mode: str) -> None:
    """Stops a process, first in the way that the mode says, and then in harder ones."""
    for number, seconds in list(STOPS.values())[list(STOPS).index(mode) :]:
        if not alive():
            return
        with suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline = time.monotonic() + seconds
        while alive() and time.monotonic() < deadline:
            time.sleep(0.01)


def _kill_group(leader: subprocess.Popen[bytes]) -> None:
    """Ends a process and all that it has started, and waits until they are gone."""
    deadline = time.monotonic() + STOPS["kill"][1]
    with suppress(OSError):  # none is left
        while time.monotonic() < deadline:
            os.killpg(leader.pid, signal.SIGKILL)
            leader.poll()
            time.sleep(0.01)
