"""Shows that a new entity is clean: format, lint, types, imports, migrations and its own tests."""

import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from app.cli.generator.plan import Plan
from app.migrations import ROOT


@dataclass(frozen=True, slots=True)
class Result:
    name: str
    passed: bool
    seconds: float
    output: str

    def __str__(self) -> str:
        return f"{'passed' if self.passed else 'FAILED':>10}  {self.name} in {self.seconds:.1f} s"


def verify(plan: Plan, *, migrates: bool) -> Iterator[Result]:
    """The results as they come, of two checks at a time: most of it is for the first two."""
    plural = plan.entity.plural
    python = [str(path) for path in plan.writes if path.suffix == ".py"]
    pytest = ["pytest", "-q", "-n", "0", "-p", "no:cacheprovider"]  # two share a folder
    agree = "tests/test_migrations.py::test_models_and_migrations_agree"
    on_tables = {
        "contract": [*pytest, "tests/conformance", "--resource", plural, "-m", "not general"],
        "tests": [*pytest, f"tests/{plural}", agree],
    }
    checks = {
        **(on_tables if migrates else {}),
        "types": ["pyrefly", "check", f"src/app/{plural}", f"tests/{plural}"],
        "imports": ["lint-imports"],
        "format": ["ruff", "format", "--check", *python],
        "lint": ["ruff", "check", *python],
    }
    with ThreadPoolExecutor(2) as pool:
        yield from pool.map(_run, checks, checks.values())


def _run(name: str, command: list[str]) -> Result:
    started = time.perf_counter()
    program = str(Path(sys.executable).with_name(command[0]))
    done = subprocess.run(  # noqa: S603 - ours
        [program, *command[1:]],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return Result(name, done.returncode == 0, time.perf_counter() - started, done.stdout)
