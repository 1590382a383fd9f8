"""What cannot be started says why and what to do, in one line: about a second for each process."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import make_url

from app.database.migrations import ROOT, head_revision
from tests.cli.test_commands import APP, app, environment, fetch_value, wait_for
from tests.conftest import create_database, database_url
from tests.ports import free_port

NEWER = """
revision = "{revision}"
down_revision = {below!r}
branch_labels = depends_on = None


def upgrade() -> None:
    pass
"""


@pytest.fixture
def empty(scratch: str) -> str:
    asyncio.run(create_database(scratch, None))
    return scratch


class Code:
    """Another state of the code, which may have other migrations."""

    def __init__(self, folder: Path) -> None:
        self.root = folder
        shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("*.pyc"))
        shutil.copytree(ROOT / "alembic", folder / "alembic")
        shutil.copy(ROOT / "alembic.ini", folder)
        self.versions = folder / "alembic" / "versions"

    def write(self, name: str, text: str) -> None:
        (self.versions / name).write_text(text)

    def add(self, revision: str, below: str | None) -> None:
        self.write(f"{revision}.py", NEWER.format(revision=revision, below=below))

    def run(self, suffix: str, *arguments: str) -> tuple[int, str]:
        return app(suffix, *arguments, PYTHONPATH=str(self.root / "src"))

    def migrate(self, suffix: str) -> tuple[int, str]:
        return self.run(suffix, "migrate")


@pytest.fixture
def code(tmp_path: Path) -> Code:
    return Code(tmp_path)


@contextmanager
def serving(suffix: str) -> Iterator[str]:
    port = free_port()
    with subprocess.Popen(
        [APP, "serve", "--port", str(port)], env=environment(suffix), stdout=subprocess.DEVNULL
    ) as server:
        try:
            url = f"http://127.0.0.1:{port}"
            wait_for(f"{url}/health/live")
            yield url
        finally:
            server.terminate()


class TestADatabaseThatIsAhead:
    def test_is_no_obstacle_to_a_release_whose_migrations_it_has(
        self, code: Code, empty: str
    ) -> None:
        code.add("tomorrow", head_revision())
        assert code.migrate(empty)[0] == 0
        status, output = app(empty, "migrate")
        assert status == 0
        assert output.splitlines() == [
            "The database is at revision tomorrow",
            f"A newer release has migrated it; this one needs {head_revision()}, which it has",
        ]
        with serving(empty) as url:
            assert httpx.get(f"{url}/health/ready").status_code == 200

    def test_is_refused_where_it_lacks_a_migration(self, code: Code, empty: str) -> None:
        shutil.rmtree(code.versions)
        code.versions.mkdir()
        code.add("elsewhere", None)
        assert code.migrate(empty)[0] == 0
        status, output = app(empty, "migrate")
        assert status == 1
        assert output.startswith("The database is at revision elsewhere, which this code does not")
        assert f"lacks its own {head_revision()}: deploy the release or switch" in output
        assert output.count("\n") == 1
        with serving(empty) as url:
            response = httpx.get(f"{url}/health/ready")
        assert response.status_code == 503
        assert response.json()["detail"] == output.strip()

    def test_holds_the_line_of_all_that_is_applied(self, code: Code, scratch: str) -> None:
        code.add("tomorrow", head_revision())
        assert code.migrate(scratch)[0] == 0
        sql = "SELECT obj_description('alembic_version'::regclass, 'pg_class')"
        line = str(asyncio.run(fetch_value(scratch, sql))).split()
        assert line[:2] == ["tomorrow", head_revision()]
        assert len(line) == len([*code.versions.glob("*.py")])


class TestMigrationsThatFormNoLine:
    @pytest.mark.parametrize("arguments", [["migrate"], ["serve"]])
    def test_one_is_missing(self, code: Code, scratch: str, arguments: list[str]) -> None:
        code.add("after", "gone")
        status, output = code.run(scratch, *arguments)
        assert (status, output.count("\n")) == (1, 1)
        assert "Revision gone referenced from gone -> after" in output

    def test_two_are_the_last(self, code: Code, scratch: str) -> None:
        head = str(head_revision())
        texts = {each: each.read_text() for each in code.versions.glob("*.py")}
        # The one that names it is the last: nothing comes after it.
        last = next(each for each, text in texts.items() if head in text)
        code.write("branch.py", texts[last].replace(head, "branch"))
        status, output = code.migrate(scratch)
        assert (status, output.count("\n")) == (1, 1)
        assert output.startswith(f"alembic/versions has several heads, {last.name} and branch.py")
        assert "set `down_revision`" in output

    @pytest.mark.parametrize(
        ("text", "complaint"),
        [
            ("def upgrade(:\n", "SyntaxError: invalid syntax (alembic/versions/broken.py, line 1)"),
            ("\nimport gone\n", "No module named 'gone' (alembic/versions/broken.py, line 2)"),
            ("text = ''\n", "Could not determine revision id from filename broken.py"),
        ],
    )
    def test_one_is_broken(self, code: Code, scratch: str, text: str, complaint: str) -> None:
        code.write("broken.py", text)
        status, output = code.migrate(scratch)
        assert (status, output.count("\n"), complaint in output) == (1, 1, True)

    def test_one_fails(self, code: Code, scratch: str) -> None:
        code.add("tomorrow", head_revision())
        text = (code.versions / "tomorrow.py").read_text()
        failing = "from alembic import op\n\n    op.drop_table('gone')"
        code.write("tomorrow.py", text.replace("pass", failing))
        assert code.migrate(scratch) == (
            1,
            (
                'A migration failed: UndefinedTableError: table "gone" does not exist '
                "(alembic/versions/tomorrow.py, line 10)\n"
            ),
        )


WITHOUT = "-dac_override,-dac_read_search"  # by which root may pass any folder


@pytest.mark.skipif(os.geteuid() == 0 and not shutil.which("setpriv"), reason="root needs setpriv")
class TestADataFolder:
    @pytest.mark.parametrize("command", ["migrate", "dev"])
    @pytest.mark.parametrize("has_key", [False, True])
    def test_of_another_user(self, tmp_path: Path, command: str, *, has_key: bool) -> None:
        folder = tmp_path / "data"
        folder.mkdir()
        if has_key:
            (folder / "secret_key").write_text("kQ3v9Zt7Lw2Xr5Np8Bs1Hd6Yf4Jc0Gm_")
        folder.chmod(0o555)
        root = os.geteuid() == 0
        if root:
            os.chown(folder, 65534, -1)
        drop = ["setpriv", f"--bounding-set={WITHOUT}", f"--inh-caps={WITHOUT}"] if root else []
        done = subprocess.run(
            [*drop, APP, command],
            env=os.environ | {"DATABASE_URL": "", "DATA_DIR": str(folder)},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
        assert f"cannot use {folder}: Permission denied: {folder}/" in done.stderr
        assert f"belongs to {folder.owner()}: run as that user, change its owner" in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc who handles the signal")
def test_a_start_ends_with_sigterm_as_the_first_process_of_a_container_too(scratch: str) -> None:
    with subprocess.Popen([APP, "serve"], env=environment(scratch)) as server:
        try:
            deadline = time.monotonic() + 60
            while not handles(server.pid, signal.SIGTERM):
                assert time.monotonic() < deadline
                time.sleep(0.001)
            server.terminate()
            assert server.wait(60) == 128 + signal.SIGTERM  # a default would say -SIGTERM
        finally:
            server.kill()


def handles(pid: int, number: signal.Signals) -> bool:
    status = Path(f"/proc/{pid}/status").read_text()
    caught = status.partition("SigCgt:")[2].split()[0]
    return bool(int(caught, 16) >> (number - 1) & 1)


def changed(suffix: str, **parts: Any) -> str:
    return make_url(database_url(suffix)).set(**parts).render_as_string(hide_password=False)


REFUSED = [
    ({"password": "k9Xwrong"}, 'password authentication failed for user "', "correct its user and"),
    ({"database": "gone"}, 'database "gone" does not exist', "create that database, or name"),
]
AWAY = [
    ({"host": "gone.invalid"}, "the host of gone.invalid:", "correct it, or its DNS"),
    ({"port": 1}, ":1: the connection is refused", "start that PostgreSQL, or correct"),
]


class TestADatabaseUrl:
    @pytest.mark.parametrize(("parts", "complaint", "remedy"), [*REFUSED, *AWAY])
    @pytest.mark.parametrize("command", ["migrate", "user list"])
    def test_that_leads_nowhere(
        self, scratch: str, command: str, parts: dict[str, object], complaint: str, remedy: str
    ) -> None:
        url = changed(scratch, **parts)
        status, output = app(scratch, *command.split(), DATABASE_URL=url)
        told = output.splitlines()[-1]  # one that opens a pool logs a warning before
        assert (status, told.startswith("DATABASE_URL: ")) == (1, True)
        assert complaint in told
        assert remedy in told
        assert str(make_url(url).password) not in output

    @pytest.mark.parametrize(("parts", "complaint", "remedy"), REFUSED)
    def test_that_is_refused_ends_a_server_at_once(
        self, scratch: str, parts: dict[str, object], complaint: str, remedy: str
    ) -> None:
        url = changed(scratch, **parts)
        status, output = app(scratch, "serve", "--port", str(free_port()), DATABASE_URL=url)
        assert (status, complaint in output, remedy in output) == (1, True, True)

    def test_of_a_role_without_rights(self, empty: str) -> None:
        create = "DO $$ BEGIN CREATE ROLE plinth_weak LOGIN PASSWORD 'k9Xweak';"
        create += " EXCEPTION WHEN duplicate_object THEN END $$"
        asyncio.run(fetch_value(empty, create))
        url = changed(empty, username="plinth_weak", password="k9Xweak")
        status, output = app(empty, "migrate", DATABASE_URL=url)
        assert (status, output.count("\n")) == (1, 1)
        assert "permission denied for schema public: give its role this right" in output
