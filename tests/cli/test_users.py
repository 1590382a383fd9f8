"""`app user …`"""

import asyncio
from typing import Any, Protocol

import pytest

from app.database.connections import Database
from app.main import Application
from tests.accounts.steps import ALICE, NEW_PASSWORD, execute, fetch
from tests.cli.conftest import Command
from tests.factories import CHEAP_HASH, PASSWORD, SignIn, create_user

ROOT = "root@example.com"


class Run(Protocol):
    async def __call__(self, *arguments: str, stdin: str = "") -> tuple[int, str]: ...


@pytest.fixture
def run(app: Application, database_name: str, run_app: Command) -> Run:  # noqa: ARG001 - empties it
    """Runs `app user` on the suite's database; returns its status and all that it printed."""

    async def run(*arguments: str, stdin: str = "") -> tuple[int, str]:
        # In a thread, where the command has an event loop of its own.
        return await asyncio.to_thread(run_app, database_name, "user", *arguments, stdin=stdin)

    return run


async def events(database: Database) -> list[tuple[Any, ...]]:
    rows = await fetch(database, "SELECT event, actor_id, ip FROM security_events ORDER BY id")
    return [tuple(row) for row in rows]


async def test_create_is_told_in_the_security_log(run: Run, database: Database) -> None:
    arguments = ["--email", ROOT, "--superuser", "--password-stdin"]
    assert (await run("create", *arguments, stdin=f"{NEW_PASSWORD}\n"))[0] == 0
    assert await events(database) == [("registered", None, None), ("user_promoted", None, None)]


@pytest.mark.parametrize(
    ("email", "password", "complaint"),
    [
        ("nobody", PASSWORD, "not an email address"),
        ("a@example.com", "short", "at least 15 characters"),
    ],
)
async def test_bad_input_is_told_what_to_do(
    run: Run, email: str, password: str, complaint: str
) -> None:
    status, output = await run("create", "--password-stdin", "--email", email, stdin=password)
    assert status != 0
    assert complaint in output
    assert password not in output


async def test_an_address_that_is_taken(run: Run, database: Database) -> None:
    await create_user(database, "taken@example.com")
    arguments = ["create", "--password-stdin", "--email", "taken@example.com"]
    assert await run(*arguments, stdin=PASSWORD) == (1, "email is already taken\n")


async def test_list_shows_who_there_is(run: Run, database: Database) -> None:
    await create_user(database, ROOT, superuser=True)
    await execute(
        database,
        "INSERT INTO users (id, email, password_hash, is_active, deleted_at)"
        " SELECT gen_random_uuid(), 'user' || number || '@example.com', '', number <> 107,"
        " CASE number WHEN 108 THEN now() END FROM generate_series(100, 200) AS number",
    )
    status, output = await run("list")
    assert status == 0
    lines = [line.split()[1:] for line in output.splitlines()]
    assert lines[0] == ["superuser", "active", ROOT]
    assert lines[8] == ["user", "disabled", "user107@example.com"]
    emails = [email for *_, email in lines]
    assert emails == sorted(emails)
    assert len(emails) == 101  # more than a page; and the deleted one is none of them
    _, found = await run("list", "user15")
    assert [line.split()[-1] for line in found.splitlines()] == [
        f"user{number}@example.com" for number in range(150, 160)
    ]


async def test_disable_signs_out_and_enable_lets_in_again(
    run: Run, database: Database, sign_in: SignIn
) -> None:
    await sign_in(ALICE)
    disabled = await run("disable", "--email", "Alice@Example.com")
    assert disabled == (0, f"{ALICE} is a user, disabled\n")
    state = "SELECT is_active, (SELECT count(*) FROM sessions) FROM users"
    assert [tuple(row) for row in await fetch(database, state)] == [(False, 0)]
    assert await run("enable", "--email", ALICE) == (0, f"{ALICE} is a user, active\n")
    assert [tuple(row) for row in await fetch(database, state)] == [(True, 0)]
    assert await events(database) == [("user_disabled", None, None), ("user_enabled", None, None)]


async def test_promote_and_demote_but_never_the_last(run: Run, database: Database) -> None:
    await create_user(database, ROOT, superuser=True)
    await create_user(database, ALICE)
    for command in ("demote", "disable"):
        status, output = await run(command, "--email", ROOT)
        assert (status, "last superuser" in output) == (1, True)
    assert await run("promote", "--email", ALICE) == (0, f"{ALICE} is a superuser, active\n")
    assert await run("demote", "--email", ROOT) == (0, f"{ROOT} is a user, active\n")
    assert [event for event, *_ in await events(database)] == ["user_promoted", "user_demoted"]


async def test_reset_password_signs_out_and_shows_nothing(
    run: Run, database: Database, sign_in: SignIn
) -> None:
    await sign_in(ALICE)
    reset = ["reset-password", "--password-stdin", "--email", ALICE]
    refused = await run(*reset, stdin="too short\n")
    assert refused == (1, "password must have at least 15 characters\n")
    done = await run(*reset, stdin=f"{NEW_PASSWORD}\n")
    assert done == (0, f"Reset the password of {ALICE}\n")
    [user] = await fetch(database, "SELECT password_hash FROM users")
    assert user["password_hash"] != CHEAP_HASH
    assert await fetch(database, "SELECT id FROM sessions") == []
    assert await events(database) == [("password_reset", None, None)]


@pytest.mark.parametrize("command", ["disable", "enable", "promote", "demote", "reset-password"])
async def test_who_is_not_there_is_not_found(run: Run, command: str) -> None:
    options = ["--password-stdin"] if command == "reset-password" else []
    status, output = await run(command, "--email", ALICE, *options, stdin=f"{NEW_PASSWORD}\n")
    assert status == 1
    assert f"There is no user {ALICE}" in output
    assert NEW_PASSWORD not in output
