"""The suite's own promises."""

import os
import subprocess
import sys

from app.database.migrations import ROOT


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
