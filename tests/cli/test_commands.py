"""The commands, on a database of the suite. As a process of its own, each takes about a second."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from sqlalchemy.exc import SQLAlchemyError

from app.cli import main
from tests.cli.conftest import Command
from tests.conftest import connect, create_database, database_url
from tests.factories import PASSWORD
from tests.ports import free_port

APP = Path(sys.executable).with_name("app")


@pytest.fixture
def empty(scratch: str) -> str:
    asyncio.run(create_database(scratch, None))
    return scratch


def environment(suffix: str, **more: str) -> dict[str, str]:
    return os.environ | {"DATABASE_URL": database_url(suffix), "LOG_FORMAT": "json"} | more


def app(suffix: str, *arguments: str, stdin: str = "", **more: str) -> tuple[int, str]:
    """The exit status of a command, and all that it printed."""
    done = subprocess.run(
        [APP, *arguments],
        env=environment(suffix, **more),
        input=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=30,
    )
    assert "Traceback" not in done.stdout, done.stdout
    return done.returncode, done.stdout


async def fetch_value(suffix: str, sql: str) -> object:
    connection = await connect(suffix)
    value: object = await connection.fetchval(sql)
    await connection.close()
    return value


def test_a_file_that_is_in_the_way_is_no_matter_of_the_database(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise NotADirectoryError(20, "Not a directory", "tests/widgets")

    monkeypatch.setattr(main, "cli", fail)
    with pytest.raises(SystemExit):
        main.main()
    assert capsys.readouterr().err == "[Errno 20] Not a directory: 'tests/widgets'\n"


@pytest.mark.parametrize("error", [ConnectionRefusedError("refused"), SQLAlchemyError("refused")])
def test_a_database_that_fails_is_told_with_what_to_do(
    error: Exception, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setattr(main, "cli", fail)
    with pytest.raises(SystemExit):
        main.main()
    told = capsys.readouterr().err
    assert told.startswith("The database failed: refused")
    assert told.endswith("Check that it runs, and that DATABASE_URL is right.\n")


def test_migrate_brings_an_empty_database_up_to_date(empty: str, run_app: Command) -> None:
    for _ in range(2):  # and does nothing to one that is
        status, output = run_app(empty, "migrate")
        assert (status, "is at revision" in output) == (0, True)
    assert asyncio.run(fetch_value(empty, "SELECT count(*) FROM users")) == 0


def test_two_migrators_at_once_both_succeed(empty: str) -> None:
    both = [
        subprocess.Popen(
            [APP, "migrate"], env=environment(empty), stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    assert [each.communicate(timeout=30)[0].count("revision") for each in both] == [1, 1]
    assert [each.returncode for each in both] == [0, 0]


def test_user_create_makes_a_superuser(scratch: str) -> None:
    arguments = ["user", "create", "--email", "Root@Example.com", "--superuser"]
    status, output = app(scratch, *arguments, "--password-stdin", stdin=f"{PASSWORD}\n")
    assert (status, "superuser root@example.com" in output) == (0, True)
    stored = "SELECT is_superuser FROM users WHERE email = 'root@example.com'"
    assert asyncio.run(fetch_value(scratch, stored)) is True


def test_routes_lists_what_there_is(database_name: str, run_app: Command) -> None:
    _, output = run_app(database_name, "routes")
    rows = [line.split() for line in output.splitlines()]
    assert ["POST", "/api/v1/auth/login", "public", "fast", "login"] in rows
    assert ["GET", "/api/v1/lamps", "session", "fast", "list_lamps"] in rows
    assert ["GET", "/api/v1/users", "superuser", "fast", "list_users"] in rows
    assert ["GET", "/docs", "public", "fastapi", "endpoint"] in rows
    folders = {block.split("\n")[0]: block for block in output.split("\n\n")}
    assert folders.keys() >= {"api", "accounts", "security_events"}
    assert " /api/v1/auth/login " in folders["accounts"]
    assert " /api/v1/users " not in folders["api"]
    assert all(
        each.startswith("  ") for block in folders.values() for each in block.split("\n")[1:-1]
    )
    assert " - " not in output
    _, reasons = run_app(database_name, "routes", "--why")
    assert "- is a plain route of Starlette's" in reasons


def test_purge_deletes_what_has_expired(scratch: str, run_app: Command) -> None:
    user = (
        "INSERT INTO users (id, email, password_hash)"
        " VALUES (gen_random_uuid(), 'a@example.com', 'none')"
    )
    keys = (
        "INSERT INTO idempotency_keys (user_id, key, fingerprint, created_at)"
        " SELECT users.id, 'k' || number, '', now() - CASE number WHEN 0 THEN interval '23 hours'"
        " ELSE interval '25 hours' END FROM users, generate_series(0, 5001) AS number"
    )
    sessions = (
        "INSERT INTO sessions (id, user_id, token_hash, expires_at) SELECT gen_random_uuid(),"
        " users.id, sha256(days::text::bytea), now() + days * interval '1 day'"
        " FROM users, generate_series(-1, 1, 2) AS days"
    )
    tokens = (
        "INSERT INTO email_tokens (token_hash, purpose, user_id, email, expires_at)"
        " SELECT token_hash, 'reset', user_id, '', expires_at FROM sessions"
    )
    for sql in (user, keys, sessions, tokens):
        asyncio.run(fetch_value(scratch, sql))
    status, output = run_app(scratch, "purge")
    assert status == 0
    for line in ("5001 expired idempotency keys", "1 expired sessions", "1 expired mailed tokens"):
        assert f"Deleted {line}" in output  # the keys in more than one go
    assert asyncio.run(fetch_value(scratch, "SELECT key FROM idempotency_keys")) == "k0"
    left = "SELECT count(*) FROM {} WHERE expires_at > now()"
    for table in ("sessions", "email_tokens"):
        assert asyncio.run(fetch_value(scratch, left.format(table))) == 1


class TestServe:
    @pytest.mark.parametrize(
        ("settings", "complaint"),
        [
            ({"ENVIRONMENT": "production", "SECRET_KEY": ""}, "SECRET_KEY: is required"),
            ({"WORKERS": "50"}, "WORKERS: 50 x (DB_POOL_SIZE + DB_MAX_OVERFLOW)"),
            ({"DATABASE_URL": ""}, "DATABASE_URL: is required"),
        ],
    )
    def test_refuses_to_start(self, scratch: str, settings: dict[str, str], complaint: str) -> None:
        status, output = app(scratch, "serve", "--port", str(free_port()), **settings)
        assert (status, complaint in output) == (1, True)

    @pytest.mark.parametrize(
        ("options", "settings"), [(["--root-path", "/svc"], {}), ([], {"ROOT_PATH": "/svc"})]
    )
    def test_knows_the_prefix_that_a_proxy_takes_off(
        self, scratch: str, options: list[str], settings: dict[str, str]
    ) -> None:
        port = free_port()
        arguments: list[str | Path] = [APP, "serve", "--port", str(port), *options]
        server = subprocess.Popen(arguments, env=environment(scratch, **settings))
        try:
            url = f"http://127.0.0.1:{port}"
            wait_for(f"{url}/health/live")
            assert "'/svc/openapi.json'" in httpx.get(f"{url}/docs").text
            document = httpx.get(f"{url}/openapi.json").json()
            assert [each["url"] for each in document["servers"]] == ["/svc"]
            assert httpx.get(f"{url}/docs/assets/favicon.png").status_code == 200
        finally:
            server.terminate()
            server.wait(20)

    def test_refuses_a_prefix_that_is_none(self, scratch: str, run_app: Command) -> None:
        status, output = run_app(scratch, "serve", "--root-path", "/svc/")
        assert (status, "must begin with / and not end" in output) == (2, True)

    def test_says_when_migrations_are_missing_and_ends_in_order(self, empty: str) -> None:
        port = free_port()
        arguments: list[str | Path] = [APP, "serve", "--port", str(port), "--workers", "2"]
        server = subprocess.Popen(arguments, env=environment(empty), stdout=subprocess.DEVNULL)
        try:
            response = wait_for(f"http://127.0.0.1:{port}/health/ready")
            assert response.status_code == 503
            assert "app migrate" in response.json()["detail"]
            assert app(empty, "migrate")[0] == 0
            assert httpx.get(response.url).status_code == 200
            server.send_signal(signal.SIGTERM)
            assert server.wait(20) == 0
        finally:
            server.terminate()  # where an assertion failed; its workers go with it
            server.wait(20)


def wait_for(url: str) -> httpx.Response:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            return httpx.get(url)
        except httpx.TransportError:
            time.sleep(0.05)
    raise TimeoutError(url)
