"""Becomes the conftest.py of FastAPI's own test suite: see fastapi_suite.sh.

OURS=plain or OURS=shaped puts our application in FastAPI's place. PASSED names a file for the tests
that pass. BEFORE names a file of tests that are to pass: those that do not are counted by their
file at the end, and listed in the file that LOST names. Of tests that did not run, only those of a
broken file are counted, unless WHOLE is set.
"""

import os
from collections import Counter
from pathlib import Path
from typing import Any

import fastapi
import fastapi.applications
import pytest

if way := os.environ.get("OURS"):
    from plinth_applications import Plain, Shaped  # pyrefly: ignore[missing-import]

    ours = {"plain": Plain, "shaped": Shaped}[way]
    ours.__name__ = "FastAPI"
    fastapi.FastAPI = fastapi.applications.FastAPI = ours


def pytest_terminal_summary(terminalreporter: Any) -> None:
    stats: dict[str, list[Any]] = terminalreporter.stats
    passed = {each.nodeid for each in stats.get("passed", ()) if each.when == "call"}
    passed -= {each.nodeid for each in stats.get("error", ())}  # in its teardown
    if file := os.environ.get("PASSED"):
        Path(file).write_text("".join(f"{each}\n" for each in sorted(passed)))
    if file := os.environ.get("BEFORE"):
        before = set(Path(file).read_text().splitlines())
        if "WHOLE" not in os.environ:
            before = {each for each in before if _ran(each, stats)}
        lost = sorted(before - passed)
        Path(os.environ["LOST"]).write_text("".join(f"{each}\n" for each in lost))
        for name, count in sorted(Counter(each.partition("::")[0] for each in lost).items()):
            terminalreporter.write_line(f"{count:5} {name}")
        terminalreporter.write_line(
            f"{os.environ.get('OURS', 'stock')}: {len(before) - len(lost)} of {len(before)}"
        )


def _ran(test: str, stats: dict[str, list[Any]]) -> bool:
    reports = [each for kind in ("passed", "failed", "error") for each in stats.get(kind, ())]
    names = {
        each.nodeid
        for each in reports
        if isinstance(each, pytest.TestReport | pytest.CollectReport)
    }
    return test in names or test.partition("::")[0] in names
