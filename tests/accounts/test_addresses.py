import asyncio

import httpx
import pytest

from app.database.connections import Database
from tests.accounts.steps import (
    ALICE,
    ME,
    NEW_PASSWORD,
    SESSIONS,
    USERS,
    WRONG_PASSWORD,
    execute,
    fetch,
    id_of,
    is_alive,
    login,
    post,
    refused_fields,
)
from tests.factories import PASSWORD, SignIn, create_user
from tests.mailbox import Mailbox, text_of
from tests.problems import read_problem

NEW = "new@example.com"
NOT_GOOD = [("token", "invalid_token")]
CHANGE = {"current_password": PASSWORD, "new_email": NEW}


async def address_of(client: httpx.AsyncClient) -> tuple[str, bool]:
    """Which one it is, and whether it is verified."""
    user = (await client.get(ME)).json()
    return user["email"], user["email_verified_at"] is not None


async def verify(client: httpx.AsyncClient, token: str) -> httpx.Response:
    return await post(client, "email-verification/confirm", token=token)


async def change(client: httpx.AsyncClient, token: str) -> httpx.Response:
    return await post(client, "email-change/confirm", token=token)


class TestRequestVerification:
    async def test_anonymous(self, client: httpx.AsyncClient) -> None:
        read_problem(await post(client, "email-verification"), 401, "UNAUTHORIZED")

    async def test_mails_a_token(self, alice: httpx.AsyncClient, mailbox: Mailbox) -> None:
        response = await post(alice, "email-verification")
        assert (response.status_code, response.content) == (202, b"")
        assert mailbox.sent == [("email_verification", ALICE)]
        said = text_of(mailbox.messages[0])
        assert "send this to POST /api/v1/auth/email-verification/confirm within 24 hours" in said

    async def test_mails_nothing_to_a_verified_address(
        self, alice: httpx.AsyncClient, mailbox: Mailbox, database: Database
    ) -> None:
        await execute(database, "UPDATE users SET email_verified_at = now()")
        assert (await post(alice, "email-verification")).status_code == 202
        assert mailbox.sent == []


class TestConfirmVerification:
    @pytest.fixture
    async def token(self, alice: httpx.AsyncClient, mailbox: Mailbox) -> str:
        await post(alice, "email-verification")
        return mailbox.token()

    async def test_verifies_the_address_once(
        self, client: httpx.AsyncClient, alice: httpx.AsyncClient, token: str
    ) -> None:
        assert await address_of(alice) == (ALICE, False)
        assert (await verify(client, token)).status_code == 204
        assert await address_of(alice) == (ALICE, True)
        assert refused_fields(await verify(client, token)) == NOT_GOOD

    async def test_changes_the_etag(
        self, client: httpx.AsyncClient, alice: httpx.AsyncClient, token: str
    ) -> None:
        before = (await alice.get(ME)).headers["ETag"]
        await verify(client, token)
        stale = await alice.patch(ME, json={"display_name": "A"}, headers={"If-Match": before})
        read_problem(stale, 412, "PRECONDITION_FAILED")

    @pytest.mark.parametrize(
        "change",
        [
            "UPDATE email_tokens SET expires_at = expires_at - interval '24 hours'",
            "UPDATE email_tokens SET purpose = 'change'",
            "UPDATE users SET email = 'other@example.com'",
            "UPDATE users SET deleted_at = now()",
        ],
    )
    async def test_is_refused_after(
        self, client: httpx.AsyncClient, token: str, database: Database, change: str
    ) -> None:
        await execute(database, change)
        assert refused_fields(await verify(client, token)) == NOT_GOOD
        [user] = await fetch(database, "SELECT email_verified_at FROM users")
        assert user["email_verified_at"] is None

    async def test_is_good_for_nearly_a_day(
        self, client: httpx.AsyncClient, token: str, database: Database
    ) -> None:
        await execute(
            database, "UPDATE email_tokens SET expires_at = expires_at - interval '23 hours'"
        )
        assert (await verify(client, token)).status_code == 204

    async def test_a_token_for_another_purpose_is_not_good(
        self, alice: httpx.AsyncClient, mailbox: Mailbox
    ) -> None:
        await post(alice, "password-reset", email=ALICE)
        assert refused_fields(await verify(alice, mailbox.token())) == NOT_GOOD
        await post(alice, "email-change", **CHANGE)
        assert refused_fields(await verify(alice, mailbox.token())) == NOT_GOOD


class TestRequestEmailChange:
    async def test_anonymous(self, client: httpx.AsyncClient) -> None:
        read_problem(await post(client, "email-change", **CHANGE), 401, "UNAUTHORIZED")

    async def test_mails_a_token_to_the_new_address_and_changes_nothing(
        self, alice: httpx.AsyncClient, mailbox: Mailbox
    ) -> None:
        response = await post(alice, "email-change", **CHANGE | {"new_email": "New@Example.com"})
        assert (response.status_code, response.content) == (202, b"")
        assert mailbox.sent == [("email_change", NEW)]
        assert await address_of(alice) == (ALICE, False)

    async def test_needs_the_password(self, alice: httpx.AsyncClient, mailbox: Mailbox) -> None:
        response = await post(alice, "email-change", current_password=WRONG_PASSWORD, new_email=NEW)
        read_problem(response, 401, "INVALID_CREDENTIALS")
        assert response.headers["WWW-Authenticate"] == "Bearer"
        assert mailbox.sent == []

    async def test_does_not_tell_whether_the_address_is_taken(
        self, alice: httpx.AsyncClient, database: Database, mailbox: Mailbox
    ) -> None:
        await create_user(database, "bob@example.com")
        taken = CHANGE | {"new_email": "bob@example.com"}
        answers = [await post(alice, "email-change", **body) for body in (CHANGE, taken)]
        assert [answer.status_code for answer in answers] == [202, 202]
        assert mailbox.sent == [("email_change", NEW), ("email_change", "bob@example.com")]


class TestConfirmEmailChange:
    @pytest.fixture
    async def token(self, alice: httpx.AsyncClient, mailbox: Mailbox) -> str:
        await post(alice, "email-change", **CHANGE)
        return mailbox.token()

    async def test_the_address_is_the_new_one_and_verified(
        self, client: httpx.AsyncClient, alice: httpx.AsyncClient, token: str
    ) -> None:
        assert (await change(client, token)).status_code == 204
        assert await address_of(alice) == (NEW, True)
        assert refused_fields(await change(client, token)) == NOT_GOOD
        assert (await login(client, email=ALICE)).status_code == 401
        assert (await login(client, email=NEW)).status_code == 200

    async def test_every_session_ends_but_the_one_that_asked(
        self, client: httpx.AsyncClient, alice: httpx.AsyncClient, token: str, sign_in: SignIn
    ) -> None:
        other = await sign_in(ALICE)
        await change(client, token)
        assert await is_alive(alice)
        assert not await is_alive(other)

    async def test_the_old_address_is_told(
        self, client: httpx.AsyncClient, token: str, mailbox: Mailbox
    ) -> None:
        await change(client, token)
        assert mailbox.sent[1:] == [("email_changed", ALICE)]

    async def test_an_address_that_is_taken_by_then_is_a_conflict(
        self, client: httpx.AsyncClient, alice: httpx.AsyncClient, token: str, database: Database
    ) -> None:
        await create_user(database, NEW)
        response = await change(client, token)
        read_problem(response, 409, "CONFLICT")
        assert refused_fields(response) == [("email", "unique")]
        assert await address_of(alice) == (ALICE, False)
        await execute(database, f"UPDATE users SET deleted_at = now() WHERE email = '{NEW}'")  # noqa: S608 - ours
        assert (await change(client, token)).status_code == 204

    @pytest.mark.parametrize(
        "before",
        [
            "UPDATE email_tokens SET expires_at = expires_at - interval '24 hours'",
            "UPDATE email_tokens SET purpose = 'verification'",
            "UPDATE users SET is_active = false",
            "UPDATE users SET deleted_at = now()",
        ],
    )
    async def test_is_refused_after(
        self, client: httpx.AsyncClient, token: str, database: Database, before: str
    ) -> None:
        await execute(database, before)
        assert refused_fields(await change(client, token)) == NOT_GOOD
        [user] = await fetch(database, "SELECT email FROM users")
        assert user["email"] == ALICE

    async def test_only_the_newest_token_is_good(
        self, alice: httpx.AsyncClient, token: str, mailbox: Mailbox
    ) -> None:
        await post(alice, "email-change", **CHANGE | {"new_email": "newer@example.com"})
        assert refused_fields(await change(alice, token)) == NOT_GOOD
        assert (await change(alice, mailbox.token())).status_code == 204
        assert await address_of(alice) == ("newer@example.com", True)

    async def test_tokens_for_the_old_address_end(
        self, alice: httpx.AsyncClient, mailbox: Mailbox, token: str
    ) -> None:
        await post(alice, "password-reset", email=ALICE)
        reset = mailbox.token()
        await post(alice, "email-verification")
        verification = mailbox.token()
        assert (await change(alice, token)).status_code == 204
        assert refused_fields(await verify(alice, verification)) == NOT_GOOD
        confirmed = await post(
            alice, "password-reset/confirm", token=reset, new_password=NEW_PASSWORD
        )
        assert refused_fields(confirmed) == NOT_GOOD

    async def test_outlives_the_session_that_asked(
        self, client: httpx.AsyncClient, alice: httpx.AsyncClient, token: str
    ) -> None:
        await post(alice, "logout")
        assert (await change(client, token)).status_code == 204
        assert (await login(client, email=NEW)).status_code == 200

    async def test_a_disabled_users_token_stays_dead_when_he_is_enabled(
        self, alice: httpx.AsyncClient, root: httpx.AsyncClient, token: str
    ) -> None:
        path = f"{USERS}/{await id_of(alice)}"
        for is_active in (False, True):
            assert (await root.patch(path, json={"is_active": is_active})).status_code == 200
        assert refused_fields(await change(root, token)) == NOT_GOOD

    async def test_of_many_at_once_one_succeeds(
        self, client: httpx.AsyncClient, alice: httpx.AsyncClient, token: str
    ) -> None:
        responses = await asyncio.gather(*(change(client, token) for _ in range(8)))
        assert sorted(each.status_code for each in responses) == [204, *[422] * 7]
        assert len((await alice.get(SESSIONS)).json()["items"]) == 1
