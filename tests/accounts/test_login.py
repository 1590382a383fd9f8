import asyncio
from unicodedata import normalize

import httpx
import pytest
from sqlalchemy import text

from app.database.connections import Database
from app.database.unit_of_work import UnitOfWork
from tests.accounts.steps import EMAIL, ME, WRONG_PASSWORD, execute, fetch, login, post, register
from tests.factories import PASSWORD, create_user
from tests.mailbox import Mailbox
from tests.problems import read_problem

WAITING = """
SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


class TestLogin:
    async def test_the_token_opens_what_needs_a_session(self, client: httpx.AsyncClient) -> None:
        user = (await register(client)).json()
        response = await login(client, email=EMAIL.title())
        assert response.status_code == 200
        body = response.json()
        assert body["token"].startswith("plinth_")
        assert (body["token_type"], body["user"]) == ("bearer", user)
        me = await client.get(ME, headers={"Authorization": f"bearer {body['token']}"})
        assert me.json() == user

    async def test_a_password_is_the_same_in_any_unicode_form(
        self, client: httpx.AsyncClient
    ) -> None:
        await register(client, password="cafe\u0301 au lait, s'il vous plaît")
        response = await login(client, password="caf\u00e9 au lait, s'il vous plai\u0302t")
        assert response.status_code == 200

    async def test_the_longest_password_is_good_as_it_is_typed(
        self, client: httpx.AsyncClient
    ) -> None:
        typed = normalize("NFD", "\u1f82\u1ea9\u1e17\u01ed\u1eb5" * 50 + "\u1f82" * 6)
        assert len(typed) > 3 * 256
        assert (await register(client, password=typed)).status_code == 201
        for form in ("NFC", "NFD"):
            response = await login(client, password=normalize(form, typed))
            assert response.status_code == 200

    async def test_wrong_unknown_disabled_and_deleted_are_alike(
        self, client: httpx.AsyncClient, database: Database
    ) -> None:
        users = [EMAIL, "disabled@example.com", "deleted@example.com"]
        for email in users:
            await register(client, email=email)
        await execute(database, "UPDATE users SET is_active = false WHERE email ~ 'disabled'")
        await execute(database, "UPDATE users SET deleted_at = now() WHERE email ~ 'deleted'")
        answers = [
            await login(client, password=WRONG_PASSWORD),
            await login(client, email="unknown@example.com"),
            await login(client, email=users[1]),
            await login(client, email=users[2]),
        ]
        bodies = [response.json() for response in answers]
        for body in bodies:
            del body["correlation_id"], body["timestamp"]
        assert bodies[0]["error_code"] == "INVALID_CREDENTIALS"
        assert all(body == bodies[0] for body in bodies)
        assert {response.status_code for response in answers} == {401}
        assert {response.headers["WWW-Authenticate"] for response in answers} == {"Bearer"}

    async def test_an_old_hash_is_renewed(
        self, client: httpx.AsyncClient, database: Database
    ) -> None:
        await create_user(database, EMAIL)
        assert (await login(client)).status_code == 200
        [renewed] = await fetch(database, "SELECT password_hash, version FROM users")
        assert "$m=19456,t=2,p=1$" in renewed["password_hash"]
        assert renewed["version"] == 1
        assert (await login(client)).status_code == 200
        assert await fetch(database, "SELECT password_hash, version FROM users") == [renewed]

    async def test_an_old_hash_is_renewed_by_many_at_once(
        self, client: httpx.AsyncClient, database: Database
    ) -> None:
        await create_user(database, EMAIL)
        responses = await asyncio.gather(*(login(client) for _ in range(4)))
        assert [response.status_code for response in responses] == [200] * 4

    @pytest.mark.parametrize("has_old_hash", [True, False])
    @pytest.mark.parametrize(
        "change",
        [
            "is_active = false",
            "deleted_at = now()",
            "password_hash = replace(password_hash, '$', '!')",
        ],
    )
    async def test_waits_for_what_is_changed_while_the_password_is_verified(
        self, client: httpx.AsyncClient, database: Database, change: str, *, has_old_hash: bool
    ) -> None:
        await create_user(database, EMAIL)
        if not has_old_hash:  # which is renewed, and the row then locked for that
            assert (await login(client)).status_code == 200
        before = await fetch(database, "SELECT id FROM sessions")
        async with UnitOfWork(database) as work:
            await work.execute(text(f"UPDATE users SET {change}"))  # noqa: S608 - ours
            attempt = asyncio.create_task(login(client))
            while not await fetch(database, WAITING):
                assert not attempt.done()
                await asyncio.sleep(0.01)
            await work.commit()
        read_problem(await attempt, 401, "INVALID_CREDENTIALS")
        assert await fetch(database, "SELECT id FROM sessions") == before
        events = await fetch(database, "SELECT event FROM security_events ORDER BY id")
        assert events[-1]["event"] == "login_failed"

    async def test_a_hash_that_is_none_lets_nobody_in(
        self, client: httpx.AsyncClient, database: Database
    ) -> None:
        await create_user(database, EMAIL)
        await execute(database, "UPDATE users SET password_hash = 'none'")
        assert (await login(client, password="none")).status_code == 401


class TestIdempotencyKey:
    """It counts for nothing here: the answers hold secrets, which would be stored."""

    async def test_a_login_is_another_session_each_time(
        self, client: httpx.AsyncClient, database: Database
    ) -> None:
        await create_user(database, EMAIL)
        client.headers["Idempotency-Key"] = "once"
        tokens = {(await login(client)).json()["token"] for _ in range(2)}
        assert len(tokens) == 2
        assert (await register(client, email="other@example.com")).status_code == 201
        assert (await register(client, email="other@example.com")).status_code == 409
        assert await fetch(database, "SELECT key FROM idempotency_keys") == []

    async def test_a_session_asks_each_time_anew(
        self, alice: httpx.AsyncClient, database: Database, mailbox: Mailbox
    ) -> None:
        alice.headers["Idempotency-Key"] = "once"
        for _ in range(2):
            await post(alice, "email-verification")
            await post(alice, "email-change", current_password=PASSWORD, new_email=EMAIL)
            await post(alice, "reauthenticate", current_password=PASSWORD)
        assert len(mailbox.sent) == 4
        assert await fetch(database, "SELECT key FROM idempotency_keys") == []
        alice.headers["Idempotency-Key"] = "\x7f" * 300
        assert (await post(alice, "email-verification")).status_code == 202
