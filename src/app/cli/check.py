"""The one command that runs every check, here and in CI."""

import os
import subprocess
import sys
import time

from app.database.migrations import ROOT

CHECKS = {
    "format": ["ruff", "format", "--check", "."],
    "lint": ["ruff", "check", "."],
    "types": ["pyrefly", "check"],
    "imports": ["lint-imports"],
    "fuzz": ["pytest", "-n0", "--capture=no", "tests/fuzz/fuzz_openapi.py"],
}
# All tests; one of them is `alembic check`. The generator's run on one version of PostgreSQL only,
# since what it writes is the same on each.
TESTS = ["pytest", "-m", ""]
EMBEDDED = {"16": ["pytest", "-m", "not generator"], "18": TESTS}


def check() -> None:
    """Run every check in order, and stop at the first one that fails."""
    for name, command in CHECKS.items():
        started = time.perf_counter()
        _run(name, command)
        print(f"── {name} passed in {time.perf_counter() - started:.1f} s", flush=True)
    if "TEST_DATABASE_URL" in os.environ:
        _run("tests on TEST_DATABASE_URL", TESTS)
        return
    for version, tests in EMBEDDED.items():  # pytest prints the last lines
        _run(f"tests on PostgreSQL {version}", tests, TEST_POSTGRES_VERSION=version)


def _run(name: str, command: list[str], **variables: str) -> None:
    print(f"── {name}: {' '.join(command)}", flush=True)
    environment = os.environ | variables
    status = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode  # noqa: S603 - ours
    if status:
        print(f"── {name} failed", file=sys.stderr)
        sys.exit(status)
