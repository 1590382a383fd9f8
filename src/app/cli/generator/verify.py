"""Shows that a new entity is clean: format, lint, types, imports, migrations and its own tests."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from app.cli.generator.source import EntitySource
from app.migrations import ROOT


@dataclass(frozen=True, slots=True)
class Result:
    name: str
    passed: bool
    seconds: float
    output: str

    def __str__(self) -> str:
        return f"{'passed' if self.passed else 'FAILED':>10}  {self.name} in {self.seconds:.1f} s"


def verify(entity: EntitySource, paths: Sequence[Path]) -> Iterator[Result]:
    """The results as they come; two at once, as the slowest two take the most of the time."""
    python = [str(path) for path in paths if path.suffix == ".py"]
    mine = [f"src/app/{entity.plural}", f"tests/{entity.plural}"]
    checks = {
        "tests": [
            "pytest", "-q", "-n", "2", "-k", f"{entity.plural} or agree",
            f"tests/{entity.plural}", "tests/conformance", "tests/test_migrations.py",
        ],
        "types": ["mypy", *mine],
        "imports": ["lint-imports"],
        "format": ["ruff", "format", "--check", *python],
        "lint": ["ruff", "check", *python],
    }  # fmt: skip
    with ThreadPoolExecutor(2) as pool:
        yield from pool.map(_run, checks, checks.values())


def _run(name: str, command: list[str]) -> Result:
    started = time.perf_counter()
    program = str(Path(sys.executable).with_name(command[0]))
    done = subprocess.run(  # noqa: S603 - ours
        [program, *command[1:]],
        cwd=ROOT,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return Result(name, done.returncode == 0, time.perf_counter() - started, done.stdout)
