"""Runs programs, and modules in forks of this process, while the command goes on."""

import os
import runpy
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import IO

from app.database.migrations import ROOT


@dataclass(frozen=True, slots=True)
class Ended:
    passed: bool
    output: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Running:
    _exit_code: Callable[[], int | None]
    _output: IO[bytes]
    _started: float = field(default_factory=time.perf_counter)

    def finish(self) -> Ended:
        """Waits for its end; exit status 0 means that it passed."""
        code = self._exit_code()
        seconds = time.perf_counter() - self._started
        with self._output as output:
            output.seek(0)
            return Ended(code == 0, output.read().decode(errors="replace"), seconds)


def run_program(name: str, *arguments: str) -> Running:
    """Runs a program of the virtual environment, in the project's root."""
    output = tempfile.TemporaryFile()  # noqa: SIM115 - closed when it is read
    program = Path(sys.executable).with_name(name)
    process = subprocess.Popen(  # noqa: S603 - ours
        [program, *arguments], cwd=ROOT, stdout=output, stderr=subprocess.STDOUT
    )
    return Running(process.wait, output)


def run_module(name: str, *arguments: str, environment: Mapping[str, str] | None = None) -> Running:
    """Runs a module as `python -m` does, in the project's root, in a fork of this process.

    The fork has the libraries that are imported here, and imports the project's modules anew.
    """
    output = tempfile.TemporaryFile()  # noqa: SIM115
    process = get_context("fork").Process(
        target=_run_module, args=(name, arguments, environment or {}, output)
    )
    process.start()

    def exit_code() -> int | None:
        process.join()
        return process.exitcode

    return Running(exit_code, output)


def _run_module(
    name: str, arguments: list[str], environment: Mapping[str, str], output: IO[bytes]
) -> None:
    for standard in (1, 2):
        os.dup2(output.fileno(), standard)
    os.chdir(ROOT)
    os.environ |= environment
    for each in [each for each in sys.modules if each.partition(".")[0] == "app"]:
        del sys.modules[each]
    sys.argv = [name, *arguments]
    runpy.run_module(name, run_name="__main__")
