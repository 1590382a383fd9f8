"""`app dev` while its code is edited: real processes on a copy, so each test takes seconds."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator

import httpx
import pytest

from app.database.migrations import head_revision
from tests.cli.test_commands import APP
from tests.cli.test_refusals import Code, changed, code
from tests.ports import free_port

DEADLINE = 60  # seconds; a reload takes about three

__all__ = ["code"]  # a fixture


class Dev:
    def __init__(self, code: Code, **more: str) -> None:
        self.code = code
        port = free_port()
        self.ready = f"http://127.0.0.1:{port}/health/ready"
        self.log = code.root / "log"
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("PYTEST_") and name != "DATABASE_URL"
        }
        own = {"PYTHONPATH": str(code.root / "src"), "DATA_DIR": str(code.root / "data")}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [APP, "dev", "--port", str(port)],
                cwd=code.root,
                env=kept | own | more,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def wait_for(self, text: str) -> httpx.Response:
        """The first answer that has the text, once the application was started anew."""
        deadline = time.monotonic() + DEADLINE
        while True:
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            try:
                response = httpx.get(self.ready, timeout=DEADLINE)
            except httpx.TransportError:
                time.sleep(0.05)
                continue
            if text in response.text:
                return response
            time.sleep(0.05)

    def edit(self, path: str, text: str) -> None:
        (self.code.root / path).write_text(text)

    def read(self, path: str) -> str:
        return (self.code.root / path).read_text()


@pytest.fixture
def dev(code: Code) -> Iterator[Dev]:
    dev = Dev(code)
    yield dev
    dev.process.send_signal(signal.SIGTERM)
    assert dev.process.wait(DEADLINE) == 0


OK = '"status":"ok"'
BROKEN = [
    # What every command and the reloader's process import, and what the application alone does.
    ("src/app/exceptions.py", "\ndef (\n", "SyntaxError: invalid syntax (src/app/exceptions.py"),
    ("src/app/users/service.py", "\n1 / 0\n", "ZeroDivisionError: division by zero (src/app/users"),
]


@pytest.mark.parametrize(("path", "added", "reason"), BROKEN)
def test_a_change_that_does_not_start_is_told_until_it_is_mended(
    dev: Dev, path: str, added: str, reason: str
) -> None:
    dev.wait_for(OK)
    before = dev.read(path)
    dev.edit(path, before + added)
    response = dev.wait_for("does not start")
    assert response.status_code == 503
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.headers["Retry-After"] == "1"
    problem = response.json()
    assert problem["detail"].startswith(f"The application does not start: {reason}")
    assert problem["error_code"] == "SERVICE_UNAVAILABLE"
    assert response.headers["X-Correlation-ID"] == problem["correlation_id"]
    assert "Traceback" not in response.text
    assert "Traceback" in dev.log.read_text()
    dev.edit(path, before)
    dev.wait_for(OK)


def test_settings_and_a_failing_startup_are_told_too(dev: Dev) -> None:
    dev.wait_for(OK)
    dev.edit(".env", "TOTAL_LIMIT=none\n")
    assert "does not start: TOTAL_LIMIT: " in dev.wait_for("does not start").json()["detail"]
    assert "Traceback" not in dev.log.read_text()
    dev.edit(".env", "")
    dev.wait_for(OK)
    main = dev.read("src/app/main.py")
    hook = "    raise RuntimeError('no luck')\n    yield {DRAIN"
    dev.edit("src/app/main.py", main.replace("    yield {DRAIN", hook))
    assert (
        "does not start: RuntimeError: no luck" in dev.wait_for("does not start").json()["detail"]
    )
    dev.edit("src/app/main.py", main)
    dev.wait_for(OK)


def test_a_migration_made_by_hand_is_applied_and_a_failed_one_told(code: Code, dev: Dev) -> None:
    dev.wait_for(OK)
    code.add("tomorrow", head_revision())
    text = (code.versions / "tomorrow.py").read_text()
    failing = "from alembic import op\n\n    op.drop_table('gone')"
    code.write("tomorrow.py", text.replace("pass", failing))
    detail = dev.wait_for("does not start").json()["detail"]
    assert 'UndefinedTableError: table "gone" does not exist (alembic/versions/tom' in detail
    code.write("tomorrow.py", text)
    dev.wait_for(OK)
    assert "The database was migrated to revision tomorrow" in dev.log.read_text()
    (code.versions / "tomorrow.py").unlink()  # as when a branch is switched
    deadline = time.monotonic() + DEADLINE
    while "at revision tomorrow, which other code has migrated" not in dev.log.read_text():
        assert time.monotonic() < deadline, dev.log.read_text()
        time.sleep(0.05)
    dev.wait_for(OK)


def test_a_database_that_refuses_ends_it_at_once(code: Code, scratch: str) -> None:
    dev = Dev(code, DATABASE_URL=changed(scratch, password="k9Xwrong"))
    assert dev.process.wait(DEADLINE) == 1
    output = dev.log.read_text()
    assert output.splitlines()[-1].startswith("DATABASE_URL: password authentication failed for")
    assert "Traceback" not in output


def test_a_command_does_not_start_with_a_traceback(code: Code, scratch: str) -> None:
    path = code.root / "src" / "app" / "config.py"
    path.write_text(path.read_text() + "\ndef (\n")
    status, output = code.migrate(scratch)
    assert (status, output.count("\n")) == (1, 1)
    assert output.startswith("SyntaxError: invalid syntax (src/app/config.py, line ")
