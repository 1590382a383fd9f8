"""The one command that runs every check, here and in CI."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from app.cli.changes import changed_files, tests_of
from app.database.migrations import ROOT


@dataclass(frozen=True)
class Step:
    name: str
    command: list[str]
    variables: Mapping[str, str] = field(default_factory=dict)
    passing: tuple[int, ...] = (0,)  # exit statuses


STATIC = [
    Step("format", ["ruff", "format", "--check", "."]),
    Step("lint", ["ruff", "check", "."]),
    Step("types", ["pyrefly", "check"]),
    Step("imports", ["lint-imports"]),
]
FUZZ = Step("fuzz", ["pytest", "-n0", "--capture=no", "tests/fuzz/fuzz_openapi.py"])
# All tests; one of them is `alembic check`. An older PostgreSQL runs those that reach it. What the
# generator writes is the same on each.
TESTS = ["pytest", "-m", ""]
FAST = ["pytest"]  # those that pyproject.toml chooses
EMBEDDED = {"16": ["pytest", "-m", "database and not generator"], "18": TESTS}

NO_TESTS = 5  # pytest's exit status where all of them are slow ones
NOT_COMPILED = "PYTHONDONTWRITEBYTECODE"


def check(
    fast: Annotated[
        bool, typer.Option("--fast", help="Without the slow tests, on one PostgreSQL.")
    ] = False,
    changed: Annotated[
        bool,
        typer.Option(
            "--changed", help="As --fast, with the tests that a change on this branch can break."
        ),
    ] = False,
) -> None:
    """Run every check, and say at the end which of them failed."""
    if changed:
        beside, tests = STATIC, _tests_of_changes()
    elif fast:
        beside, tests = STATIC, [Step("tests", FAST)]
    else:
        beside, tests = [*STATIC, FUZZ], _all_tests()
    if failed := _run(beside, tests):
        print(f"── failed: {', '.join(failed)}", flush=True)
        sys.exit(1)


def _all_tests() -> list[Step]:
    if "TEST_DATABASE_URL" in os.environ:
        return [Step("tests on TEST_DATABASE_URL", TESTS)]
    return [
        Step(f"tests on PostgreSQL {version}", command, {"TEST_POSTGRES_VERSION": version})
        for version, command in EMBEDDED.items()
    ]


def _tests_of_changes() -> list[Step]:
    tests = tests_of(ROOT, changed_files(ROOT))
    if tests is None:
        return [Step("tests", FAST)]
    if not tests:
        print("── tests: no test depends on what has changed", flush=True)
        return []
    return [Step("tests", [*FAST, *tests], passing=(0, NO_TESTS))]


def _run(beside: list[Step], tests: list[Step]) -> list[str]:
    """The names of the steps that failed.

    Those `beside` run all at once and print when they end; the tests run one after the other and
    print what they do. What takes long beside runs meanwhile, and ends before the last tests: the
    summary of pytest is the end of the output.
    """
    failed: list[str] = []
    with ThreadPoolExecutor(len(beside)) as threads:
        running = {threads.submit(_run_quietly, step): step for step in beside}
        long = {each for each, step in running.items() if step is FUZZ}
        _report(running.keys() - long, failed)
        for step in tests[:-1]:
            _run_loudly(step, failed)
        _report(long, failed)
    for step in tests[-1:]:
        _run_loudly(step, failed)
    return failed


def _report(running: set["Future[Ended]"], failed: list[str]) -> None:
    for each in as_completed(running):
        ended = each.result()
        if not ended.passed:
            failed.append(ended.step.name)
            print(ended.output, end="")
        _tell(ended.step, ended.seconds, passed=ended.passed)


@dataclass(frozen=True)
class Ended:
    step: Step
    passed: bool
    output: str
    seconds: float


def _run_quietly(step: Step) -> Ended:
    started = time.perf_counter()
    done = subprocess.run(  # noqa: S603 - ours
        step.command,
        cwd=ROOT,
        env=_environment(step),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    output = done.stdout.decode(errors="replace")
    passed = done.returncode in step.passing
    return Ended(step, passed, output, time.perf_counter() - started)


def _run_loudly(step: Step, failed: list[str]) -> None:
    print(f"── {step.name}: {' '.join(step.command)}", flush=True)
    started = time.perf_counter()
    environment = _environment(step)
    status = subprocess.run(step.command, cwd=ROOT, env=environment, check=False).returncode  # noqa: S603 - ours
    if status not in step.passing:
        failed.append(step.name)
        _tell(step, time.perf_counter() - started, passed=False)


def _tell(step: Step, seconds: float, *, passed: bool) -> None:
    print(f"── {step.name} {'passed' if passed else 'failed'} in {seconds:.1f} s", flush=True)


def _environment(step: Step) -> dict[str, str]:
    """Lets Python keep what it compiles: the checks are a hundred processes.

    Where it may write nothing beside the source, that is in the virtual environment.
    """
    found = os.environ | dict(step.variables)
    if found.pop(NOT_COMPILED, None):
        found["PYTHONPYCACHEPREFIX"] = str(Path(sys.prefix, "pycache"))
    return found
