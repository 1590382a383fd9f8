"""The suite's own promises."""

import os
import subprocess
import sys
from pathlib import Path

from app.database.migrations import ROOT

TESTS, APP = ROOT / "tests", ROOT / "src" / "app"
CROSSING = {
    *("compatibility", "conformance", "contract", "faults", "fuzz"),
    *("generated_clients", "lamps"),
}
MAX_LINES = 400


def test_a_database_that_is_not_for_tests_is_refused() -> None:
    # Over a second: a pytest of its own.
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-n0", "--collect-only", "-q", __file__],
        cwd=ROOT,
        env=os.environ | {"TEST_DATABASE_URL": "postgresql://u:p@127.0.0.1:1/production"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 4
    assert "'production'" in done.stderr
    assert "only touches one with `test` in its name" in done.stderr


def test_each_folder_has_the_name_of_what_it_tests() -> None:
    """A package or a module of the application, unless it tests what crosses them."""
    folders = {each.parent.relative_to(TESTS) for each in TESTS.rglob("*.py")}
    assert {str(each) for each in folders} >= CROSSING
    mirrors = [each for each in folders if CROSSING.isdisjoint(each.parts[:1])]
    assert [str(each) for each in sorted(mirrors) if not is_of_the_application(each)] == []


def is_of_the_application(path: Path) -> bool:
    return (APP / path / "__init__.py").is_file() or (APP / f"{path}.py").is_file()


def test_no_file_is_long() -> None:
    lengths = {each: len(each.read_text().splitlines()) for each in TESTS.rglob("*.py")}
    assert [str(each) for each, lines in lengths.items() if lines > MAX_LINES] == []
