"""`app psql`, `app reset` and `app sql`, mostly as processes of their own: a second each."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import make_url

from app.cli import psql
from app.cli.embedded.binaries import find_binaries
from app.cli.embedded.errors import EmbeddedPostgresError
from app.config import SettingsError
from tests.cli.conftest import Command
from tests.cli.test_commands import app, fetch_value
from tests.conftest import connect, database_url

ONE_USER = "INSERT INTO users (id, email, password_hash) VALUES (gen_random_uuid(), 'a@b.cd', '')"
FAKE_PSQL = """#!/bin/sh
printf '%s\\n' "$@"
printf 'password: %s\\n' "$PGPASSWORD"
exit 7
"""


async def counts(suffix: str, *tables: str) -> list[object]:
    connection = await connect(suffix)
    found = [await connection.fetchval(f"SELECT count(*) FROM {each}") for each in tables]  # noqa: S608 - ours
    await connection.close()
    return found


class TestPsql:
    def test_gets_its_options_and_the_password_by_the_environment(
        self, scratch: str, tmp_path: Path
    ) -> None:
        program = tmp_path / "psql"
        program.write_text(FAKE_PSQL)
        program.chmod(0o755)
        url = make_url(database_url(scratch)).set(password="s3cr et")
        given = url.update_query_dict({"ssl": "prefer"}).render_as_string(hide_password=False)
        environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "DATABASE_URL": given}
        status, output = app(scratch, "psql", "--", "-c", "select 1", **environment)
        place = f"{url.username}@{url.host}:{url.port}/{url.database}"
        assert output.splitlines() == [
            f"--dbname=postgresql://{place}?sslmode=prefer",
            "-c",
            "select 1",
            "password: s3cr et",
        ]
        assert status == 7

    def test_comes_with_the_embedded_server(
        self, scratch: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PATH", "/nowhere")
        assert psql._program(own=False) == find_binaries(18)["psql"]
        status, output = app(scratch, "psql", "--", "-Atc", "SELECT count(*) FROM users")
        assert (status, output) == (0, "0\n")

    def test_says_what_to_install_where_there_is_none(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def missing(_: int) -> None:
            raise EmbeddedPostgresError

        monkeypatch.setenv("PATH", "/nowhere")
        monkeypatch.setattr(psql, "find_binaries", missing)
        for own in (True, False):
            with pytest.raises(SettingsError, match="postgresql-client") as raised:
                psql._program(own=own)
            assert "\n" not in str(raised.value)


class TestReset:
    def test_makes_the_database_anew(self, scratch: str) -> None:
        asyncio.run(fetch_value(scratch, ONE_USER))
        asyncio.run(fetch_value(scratch, "CREATE TABLE stray ()"))
        status, output = app(scratch, "reset", "--yes", ENVIRONMENT="development")
        assert (status, "anew, at revision" in output) == (0, True), output
        assert asyncio.run(counts(scratch, "users")) == [0]
        stray = "SELECT to_regclass('stray') IS NULL"
        assert asyncio.run(fetch_value(scratch, stray)) is True

    def test_asks_and_takes_no_for_an_answer(self, scratch: str) -> None:
        asyncio.run(fetch_value(scratch, ONE_USER))
        status, output = app(scratch, "reset", stdin="n\n", ENVIRONMENT="development")
        assert (status, "Delete everything in the database" in output) == (1, True)
        assert asyncio.run(counts(scratch, "users")) == [1]

    def test_refuses_while_somebody_is_connected_and_loses_nothing(self, scratch: str) -> None:
        async def meanwhile() -> tuple[int, str]:
            connection = await connect(scratch)
            await connection.execute(ONE_USER)
            try:
                return await asyncio.to_thread(
                    app, scratch, "reset", "--yes", ENVIRONMENT="development"
                )
            finally:
                await connection.close()

        status, output = asyncio.run(meanwhile())
        assert (status, len(output.splitlines())) == (1, 1), output
        assert "stop `app dev`" in output
        assert asyncio.run(counts(scratch, "users")) == [1]
        left = "SELECT count(*) FROM pg_database WHERE datname LIKE '%\\_scratch\\_new'"
        assert asyncio.run(fetch_value(scratch, left)) == 0

    def test_is_for_development(self, database_name: str, run_app: Command) -> None:
        status, output = run_app(database_name, "reset", "--yes")
        assert (status, len(output.splitlines())) == (1, 1)
        assert "is for development" in output


class TestSql:
    def test_shows_each_statement_with_its_plan(self, scratch: str) -> None:
        status, output = app(scratch, "sql", "get", "api/v1/users/me")
        assert (status, output.splitlines()[0].split(" in ")[0]) == (0, "GET /api/v1/users/me: 200")
        assert "FROM sessions JOIN users" in output
        assert "Index Scan using uq_sessions_token_hash" in output

    def test_leaves_nothing_behind(self, scratch: str) -> None:
        """Not even what is committed at once, so that it outlives an error."""
        tables = ("users", "sessions", "security_events", "throttles", "idempotency_keys")
        account = '{"email": "ada@example.com", "password": "correct horse battery staple"}'
        status, output = app(scratch, "sql", "POST", "/api/v1/auth/register", "--body", account)
        assert (status, "POST /api/v1/auth/register: 201" in output) == (0, True), output
        assert "INSERT INTO users" in output
        assert asyncio.run(counts(scratch, *tables)) == [0] * len(tables)

    def test_asks_as_whom_it_is_told(self, scratch: str) -> None:
        asyncio.run(fetch_value(scratch, ONE_USER))
        _, output = app(scratch, "sql", "GET", "/api/v1/users", "--as", "a@b.cd")
        assert "GET /api/v1/users: 403" in output
        assert '"error_code":"FORBIDDEN"' in output
        _, output = app(scratch, "sql", "GET", "/api/v1/users", "--superuser")
        assert "GET /api/v1/users: 200" in output
        status, output = app(scratch, "sql", "GET", "/api/v1/users", "--as", "b@b.cd")
        assert (status, "There is no active user b@b.cd" in output) == (1, True)

    def test_refuses_a_body_that_is_no_json(self, database_name: str, run_app: Command) -> None:
        status, output = run_app(database_name, "sql", "POST", "/api/v1/users", "--body", "{")
        assert (status, "is not JSON" in output) == (2, True)
