"""The one command that runs every check, here and in CI."""

import subprocess
import sys
import time

from app.migrations import ROOT

CHECKS = {
    "format": ["ruff", "format", "--check", "."],
    "lint": ["ruff", "check", "."],
    "types": ["mypy"],
    "imports": ["lint-imports"],
    "tests": ["pytest"],  # and in them `alembic check`, on the suite's own database
}


def check() -> None:
    """Run every check in order, and stop at the first one that fails."""
    for name, command in CHECKS.items():
        print(f"── {name}: {' '.join(command)}", flush=True)
        started = time.perf_counter()
        status = subprocess.run(command, cwd=ROOT, check=False).returncode  # noqa: S603 - ours
        if status:
            print(f"── {name} failed", file=sys.stderr)
            sys.exit(status)
        if name != "tests":  # pytest's own lines are the last ones
            print(f"── {name} passed in {time.perf_counter() - started:.1f} s", flush=True)
