from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest

from app.database.connections import Database
from tests.accounts.steps import (
    ALICE,
    EMAIL,
    EVENTS,
    ME,
    NEW_PASSWORD,
    SESSIONS,
    USERS,
    WRONG_PASSWORD,
    execute,
    fetch,
    id_of,
    login,
    post,
    register,
)
from tests.factories import PASSWORD, SignIn, create_user, find_user
from tests.mailbox import Mailbox
from tests.problems import read_problem

type Act = Callable[[httpx.AsyncClient], Awaitable[httpx.Response]]


async def events(database: Database) -> list[dict[str, Any]]:
    """All there are, the oldest first."""
    found = await fetch(database, "SELECT * FROM security_events ORDER BY created_at, id")
    return [dict(row) for row in found]


async def only_event(database: Database) -> dict[str, Any]:
    [event] = await events(database)
    return event


class TestWhatASessionDoes:
    @pytest.mark.parametrize(
        ("act", "event"),
        [
            (lambda alice: post(alice, "logout"), "logged_out"),
            (
                lambda alice: post(alice, "reauthenticate", current_password=PASSWORD),
                "reauthenticated",
            ),
            (
                lambda alice: post(alice, "reauthenticate", current_password=WRONG_PASSWORD),
                "password_refused",
            ),
            (
                lambda alice: post(
                    alice, "password", current_password=WRONG_PASSWORD, new_password=NEW_PASSWORD
                ),
                "password_refused",
            ),
            (
                lambda alice: post(
                    alice, "password", current_password=PASSWORD, new_password=NEW_PASSWORD
                ),
                "password_changed",
            ),
            (
                lambda alice: post(
                    alice, "email-change", current_password=PASSWORD, new_email="n@example.com"
                ),
                "email_change_requested",
            ),
            (
                lambda alice: post(
                    alice, "email-change", current_password=WRONG_PASSWORD, new_email=EMAIL
                ),
                "password_refused",
            ),
            (lambda alice: alice.delete(SESSIONS), "sessions_revoked"),
            (lambda alice: alice.delete(ME), "user_deleted"),
        ],
    )
    async def test_is_told_with_the_session_and_the_address(
        self, alice: httpx.AsyncClient, database: Database, act: Act, event: str
    ) -> None:
        [session] = (await alice.get(SESSIONS)).json()["items"]
        id = await id_of(alice)
        await act(alice)
        told = await only_event(database)
        assert (told["event"], str(told["user_id"])) == (event, id)
        assert (str(told["session_id"]), told["actor_id"]) == (session["id"], None)
        assert told["ip"] == "127.0.0.1"

    async def test_a_revoked_session_is_told_with_the_one_that_did_it(
        self, alice: httpx.AsyncClient, sign_in: SignIn, database: Database
    ) -> None:
        await sign_in(ALICE)
        sessions = (await alice.get(SESSIONS)).json()["items"]
        ids = {each["current"]: each["id"] for each in sessions}
        await alice.delete(f"{SESSIONS}/{ids[False]}")
        told = await only_event(database)
        assert (told["event"], told["actor_id"]) == ("session_revoked", None)
        assert str(told["session_id"]) == ids[True]
        assert str(told["revoked_session_id"]) == ids[False]

    @pytest.mark.parametrize(
        "act",
        [
            lambda alice: alice.delete(f"{SESSIONS}/{uuid4()}"),
            lambda alice: post(
                alice, "password", current_password=PASSWORD, new_password="too short"
            ),
            lambda alice: post(alice, "email-change/confirm", token="x"),
            lambda alice: post(
                alice, "password-reset/confirm", token="x", new_password=NEW_PASSWORD
            ),
            lambda alice: register(alice, email=ALICE),
            lambda alice: register(alice, password="too short"),
        ],
    )
    async def test_what_came_to_nothing_is_not_told_as_done(
        self, alice: httpx.AsyncClient, database: Database, act: Act
    ) -> None:
        assert (await act(alice)).is_client_error
        assert await events(database) == []


class TestWhatAStrangerDoes:
    async def test_registers_and_logs_in(
        self, client: httpx.AsyncClient, database: Database
    ) -> None:
        await register(client)
        await login(client)
        registered, logged_in = await events(database)
        [session] = await fetch(database, "SELECT id, user_id FROM sessions")
        assert (registered["event"], registered["session_id"]) == ("registered", None)
        assert (logged_in["event"], logged_in["session_id"]) == ("logged_in", session["id"])
        assert registered["user_id"] == logged_in["user_id"] == session["user_id"]
        assert {each["actor_id"] for each in (registered, logged_in)} == {None}

    async def test_fails_to_log_in(self, client: httpx.AsyncClient, database: Database) -> None:
        user = await create_user(database, EMAIL)
        assert (await login(client, password=WRONG_PASSWORD)).status_code == 401
        await execute(database, "UPDATE users SET is_active = false")
        assert (await login(client)).status_code == 401
        told = [(each["event"], each["user_id"]) for each in await events(database)]
        assert told == [("login_failed", user.id)] * 2

    async def test_tries_an_address_that_is_nobodys(
        self, client: httpx.AsyncClient, database: Database
    ) -> None:
        # It may be a password that was typed into the wrong field.
        assert (await login(client, email="typed-in-error@example.com")).status_code == 401
        told = await only_event(database)
        assert (told["event"], told["user_id"]) == ("login_failed", None)
        assert "typed-in-error" not in str(told)

    async def test_sets_a_new_password_by_mail(
        self, client: httpx.AsyncClient, database: Database, mailbox: Mailbox
    ) -> None:
        user = await create_user(database, EMAIL)
        await post(client, "password-reset", email=EMAIL)
        await post(client, "password-reset", email="nobody@example.com")
        await post(
            client, "password-reset/confirm", token=mailbox.token(), new_password=NEW_PASSWORD
        )
        told = [(each["event"], each["user_id"], each["ip"]) for each in await events(database)]
        assert told == [
            ("password_reset_requested", user.id, "127.0.0.1"),
            ("password_reset", user.id, "127.0.0.1"),
        ]

    async def test_confirms_an_address(
        self,
        client: httpx.AsyncClient,
        alice: httpx.AsyncClient,
        database: Database,
        mailbox: Mailbox,
    ) -> None:
        await post(alice, "email-verification")
        await post(client, "email-verification/confirm", token=mailbox.token())
        await post(alice, "email-change", current_password=PASSWORD, new_email="new@example.com")
        await post(client, "email-change/confirm", token=mailbox.token())
        told = [each["event"] for each in await events(database)]
        assert told == ["email_verified", "email_change_requested", "email_changed"]


async def test_what_superusers_do_names_them(root: httpx.AsyncClient, database: Database) -> None:
    alice = await create_user(database, ALICE)
    path = f"{USERS}/{alice.id}"
    for body in (
        {"is_active": False},
        {"is_active": True, "is_superuser": True},
        {"is_superuser": False, "display_name": "Alice"},
        {"is_superuser": False},
    ):
        await root.patch(path, json=body)
    await root.delete(path)
    await root.post(f"{path}/restore")
    await root.post(f"{path}/restore")
    told = await events(database)
    assert [each["event"] for each in told] == [
        "user_disabled",
        "user_enabled",
        "user_promoted",
        "user_demoted",
        "user_deleted",
        "user_restored",
    ]
    superuser = await find_user(database, "root@example.com")
    assert superuser is not None
    assert {(each["user_id"], each["actor_id"]) for each in told} == {(alice.id, superuser.id)}


async def test_nothing_of_the_log_can_be_changed(
    client: httpx.AsyncClient, database: Database
) -> None:
    await login(client)
    before = await events(database)
    for sql in (
        "UPDATE security_events SET ip = NULL",
        "DELETE FROM security_events",
        "TRUNCATE security_events",
        "TRUNCATE users, security_events CASCADE",
    ):
        with pytest.raises(Exception, match="only ever added"):
            await execute(database, sql)
    assert await events(database) == before


class TestListSecurityEvents:
    async def test_anonymous(self, client: httpx.AsyncClient) -> None:
        read_problem(await client.get(EVENTS), 401, "UNAUTHORIZED")

    async def test_is_for_superusers(self, alice: httpx.AsyncClient) -> None:
        read_problem(await alice.get(EVENTS), 403, "FORBIDDEN")

    async def test_has_the_grammar_of_lists(
        self, root: httpx.AsyncClient, alice: httpx.AsyncClient, client: httpx.AsyncClient
    ) -> None:
        id = await id_of(alice)
        await login(client, email=ALICE, password=WRONG_PASSWORD)
        await login(client, email="nobody@example.com")
        await post(alice, "logout")
        await root.patch(f"{USERS}/{id}", json={"is_active": False})

        async def found(**parameters: str) -> list[str]:
            response = await root.get(EVENTS, params=parameters)
            assert response.status_code == 200, response.text
            return [each["event"] for each in response.json()["items"]]

        assert await found() == ["user_disabled", "logged_out", "login_failed", "login_failed"]
        assert await found(order_by="event,created_at") == [
            "logged_out", "login_failed", "login_failed", "user_disabled",
        ]  # fmt: skip
        assert await found(event="logged_out") == ["logged_out"]
        assert await found(event__in="logged_out,user_disabled") == ["user_disabled", "logged_out"]
        assert await found(event__not_in="login_failed,logged_out") == ["user_disabled"]
        assert await found(user_id=id) == ["user_disabled", "logged_out", "login_failed"]
        assert await found(actor_id=await id_of(root)) == ["user_disabled"]
        assert await found(search="LOGIN", ip="127.0.0.1") == ["login_failed"] * 2
        assert await found(ip="10.0.0.1") == []
        assert await found(created_at__lt="2020-01-01T00:00:00Z") == []
        assert await found(size="1", created_at__gte="2020-01-01T00:00:00Z") == ["user_disabled"]
        page = (await root.get(EVENTS, params={"size": 3})).json()
        assert set(page["items"][0]) == {
            "id", "created_at", "event", "user_id", "actor_id", "session_id",
            "revoked_session_id", "ip",
        }  # fmt: skip
        assert page["total"] == 4
        assert await found(size="3", cursor=page["next_cursor"]) == ["login_failed"]
        read_problem(await root.get(EVENTS, params={"event": "x"}), 422, "VALIDATION_ERROR")
        read_problem(await root.get(EVENTS, params={"evnt": "x"}), 422, "UNKNOWN_PARAMETER")

    @pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
    async def test_is_all_there_is(self, root: httpx.AsyncClient, method: str) -> None:
        response = await root.request(method, EVENTS)
        read_problem(response, 405, "METHOD_NOT_ALLOWED")
