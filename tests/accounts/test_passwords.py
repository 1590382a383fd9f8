import httpx
import pytest

from app.database.connections import Database
from app.exceptions import ServiceUnavailable
from tests.accounts.steps import (
    ALICE,
    EMAIL,
    ME,
    NEW_PASSWORD,
    USERS,
    WRONG_PASSWORD,
    execute,
    fetch,
    is_alive,
    login,
    post,
    refused_fields,
)
from tests.factories import PASSWORD, SignIn, create_user, find_user
from tests.mailbox import Mailbox, text_of
from tests.problems import read_problem

NOT_GOOD = [("token", "invalid_token")]
CHANGE = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}


@pytest.fixture
async def token(client: httpx.AsyncClient, mailbox: Mailbox, database: Database) -> str:
    """Carol's token to set a new password, from the mail."""
    await create_user(database, EMAIL)
    assert (await post(client, "password-reset", email=EMAIL)).status_code == 202
    return mailbox.token()


async def confirm(
    client: httpx.AsyncClient, token: str, new_password: str = NEW_PASSWORD
) -> httpx.Response:
    return await post(client, "password-reset/confirm", token=token, new_password=new_password)


class TestChangePassword:
    async def test_anonymous(self, client: httpx.AsyncClient) -> None:
        read_problem(await post(client, "password", **CHANGE), 401, "UNAUTHORIZED")

    async def test_the_new_one_is_good_and_the_old_one_is_not(
        self, alice: httpx.AsyncClient, client: httpx.AsyncClient
    ) -> None:
        response = await post(alice, "password", **CHANGE)
        assert (response.status_code, set(response.json())) == (200, {"token", "expires_at"})
        assert (await login(client, email=ALICE)).status_code == 401
        assert (await login(client, email=ALICE, password=NEW_PASSWORD)).status_code == 200

    async def test_every_other_session_ends(
        self, alice: httpx.AsyncClient, bob: httpx.AsyncClient, sign_in: SignIn
    ) -> None:
        others = [await sign_in(ALICE) for _ in range(2)]
        await post(alice, "password", **CHANGE)
        assert [await is_alive(each) for each in others] == [False, False]
        assert await is_alive(alice)
        assert await is_alive(bob)

    async def test_needs_the_current_one(
        self, alice: httpx.AsyncClient, sign_in: SignIn, mailbox: Mailbox
    ) -> None:
        other = await sign_in(ALICE)
        wrong = CHANGE | {"current_password": WRONG_PASSWORD}
        response = await post(alice, "password", **wrong)
        read_problem(response, 401, "INVALID_CREDENTIALS")
        assert response.headers["WWW-Authenticate"] == "Bearer"
        assert await is_alive(other)
        assert mailbox.sent == []

    @pytest.mark.parametrize(
        ("password", "code"),
        [("too short", "password_too_short"), (ALICE, "password_too_common")],
    )
    async def test_a_weak_one_is_refused(
        self, alice: httpx.AsyncClient, sign_in: SignIn, password: str, code: str
    ) -> None:
        other = await sign_in(ALICE)
        response = await post(alice, "password", **CHANGE | {"new_password": password})
        assert refused_fields(response) == [("new_password", code)]
        assert await is_alive(other)

    async def test_the_owner_is_told(self, alice: httpx.AsyncClient, mailbox: Mailbox) -> None:
        await post(alice, "password", **CHANGE)
        assert mailbox.sent == [("password_changed", ALICE)]

    async def test_what_was_under_way_by_mail_ends(
        self, alice: httpx.AsyncClient, mailbox: Mailbox
    ) -> None:
        await post(alice, "password-reset", email=ALICE)
        reset = mailbox.token()
        # Somebody who knew the old password may have asked for this one.
        await post(alice, "email-change", current_password=PASSWORD, new_email="m@example.com")
        change = mailbox.token()
        assert (await post(alice, "password", **CHANGE)).status_code == 200
        assert refused_fields(await confirm(alice, reset)) == NOT_GOOD
        assert refused_fields(await post(alice, "email-change/confirm", token=change)) == NOT_GOOD
        assert (await alice.get(ME)).json()["email"] == ALICE

    async def test_nothing_is_mailed_without_a_commit(
        self, alice: httpx.AsyncClient, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def fail(_: object) -> None:
            raise ServiceUnavailable

        with monkeypatch.context() as patch:
            patch.setattr("app.database.unit_of_work.UnitOfWork.commit", fail)
            assert (await post(alice, "password", **CHANGE)).status_code == 503
        assert mailbox.sent == []
        assert (await post(alice, "password", **CHANGE)).status_code == 200


class TestRequestReset:
    async def test_every_address_gets_the_same_answer(
        self, client: httpx.AsyncClient, mailbox: Mailbox, database: Database
    ) -> None:
        for email in ("known", "disabled", "deleted"):
            await create_user(database, f"{email}@example.com")
        await execute(database, "UPDATE users SET is_active = false WHERE email ~ 'disabled'")
        await execute(database, "UPDATE users SET deleted_at = now() WHERE email ~ 'deleted'")
        answers = []
        for email in ("known", "disabled", "deleted", "unknown"):
            response = await post(client, "password-reset", email=f"{email}@Example.COM")
            del response.headers["X-Correlation-ID"]
            answers.append((response.status_code, response.content, dict(response.headers)))
        assert answers[0][:2] == (202, b"")
        assert all(answer == answers[0] for answer in answers)
        assert mailbox.sent == [("password_reset", "known@example.com")]

    async def test_the_mail_says_what_to_do_with_the_token(
        self, token: str, mailbox: Mailbox
    ) -> None:
        said = text_of(mailbox.messages[0])
        assert "send this to POST /api/v1/auth/password-reset/confirm within 30 minutes" in said
        assert token.startswith("plinth_")

    async def test_a_stranger_who_asks_too_does_not_make_the_token_worthless(
        self, client: httpx.AsyncClient, token: str, mailbox: Mailbox
    ) -> None:
        for _ in range(4):
            await post(client, "password-reset", email=EMAIL)
        assert (await confirm(client, token)).status_code == 204
        for each in mailbox.tokens:  # a use ends them all
            assert refused_fields(await confirm(client, each)) == NOT_GOOD

    async def test_the_five_newest_tokens_are_good(
        self, client: httpx.AsyncClient, token: str, mailbox: Mailbox
    ) -> None:
        for _ in range(5):
            await post(client, "password-reset", email=EMAIL)
        assert refused_fields(await confirm(client, token)) == NOT_GOOD
        assert (await confirm(client, mailbox.tokens[1])).status_code == 204

    async def test_ends_no_session_and_changes_no_password(
        self, alice: httpx.AsyncClient, mailbox: Mailbox, client: httpx.AsyncClient
    ) -> None:
        await post(client, "password-reset", email=ALICE)
        assert mailbox.sent
        assert await is_alive(alice)
        assert (await login(client, email=ALICE)).status_code == 200


class TestConfirmReset:
    async def test_the_new_password_is_good_and_all_sessions_end(
        self, client: httpx.AsyncClient, token: str, sign_in: SignIn, mailbox: Mailbox
    ) -> None:
        sessions = [await sign_in(EMAIL) for _ in range(2)]
        assert (await confirm(client, token)).status_code == 204
        assert [await is_alive(each) for each in sessions] == [False, False]
        assert (await login(client)).status_code == 401
        assert (await login(client, password=NEW_PASSWORD)).status_code == 200
        assert mailbox.sent[1:] == [("password_changed", EMAIL)]

    async def test_a_token_is_used_once(self, client: httpx.AsyncClient, token: str) -> None:
        assert (await confirm(client, token)).status_code == 204
        assert refused_fields(await confirm(client, token, PASSWORD)) == NOT_GOOD

    async def test_proves_the_address(
        self, client: httpx.AsyncClient, token: str, database: Database, mailbox: Mailbox
    ) -> None:
        await confirm(client, token)
        verified = "SELECT email_verified_at, version FROM users"
        [user] = await fetch(database, verified)
        assert user["email_verified_at"] is not None
        await post(client, "password-reset", email=EMAIL)
        assert (await confirm(client, mailbox.token(), PASSWORD)).status_code == 204
        assert await fetch(database, verified) == [user]

    @pytest.mark.parametrize("password", ["too short", "passwordpassword", EMAIL])
    async def test_a_weak_password_does_not_use_the_token_up(
        self, client: httpx.AsyncClient, token: str, password: str
    ) -> None:
        [(field, _)] = refused_fields(await confirm(client, token, password))
        assert field == "new_password"
        assert (await confirm(client, token)).status_code == 204

    @pytest.mark.parametrize(
        "change",
        [
            "UPDATE email_tokens SET expires_at = expires_at - interval '30 minutes'",
            "UPDATE email_tokens SET purpose = 'verification'",
            "UPDATE users SET email = 'other@example.com'",
            "UPDATE users SET is_active = false",
            "UPDATE users SET deleted_at = now()",
        ],
    )
    async def test_is_refused_after(
        self, client: httpx.AsyncClient, token: str, database: Database, change: str
    ) -> None:
        await execute(database, change)
        before = await fetch(database, "SELECT password_hash FROM users")
        assert refused_fields(await confirm(client, token)) == NOT_GOOD
        assert await fetch(database, "SELECT password_hash FROM users") == before

    async def test_is_good_for_nearly_thirty_minutes(
        self, client: httpx.AsyncClient, token: str, database: Database
    ) -> None:
        await execute(
            database, "UPDATE email_tokens SET expires_at = expires_at - interval '29 minutes'"
        )
        assert (await confirm(client, token)).status_code == 204

    async def test_a_token_for_another_purpose_is_not_good(
        self, alice: httpx.AsyncClient, mailbox: Mailbox
    ) -> None:
        await post(alice, "email-verification")
        assert refused_fields(await confirm(alice, mailbox.token())) == NOT_GOOD
        session = alice.headers["Authorization"].removeprefix("Bearer ")
        assert refused_fields(await confirm(alice, session)) == NOT_GOOD

    @pytest.mark.parametrize("token", ["plinth_", "x" * 100, "' OR true --", "plinth_é"])
    async def test_garbage_is_not_good(self, client: httpx.AsyncClient, token: str) -> None:
        response = await confirm(client, token)
        assert refused_fields(response) == NOT_GOOD
        assert token not in response.text

    async def test_an_address_taken_over_by_another_account_is_another_address(
        self, client: httpx.AsyncClient, token: str, database: Database
    ) -> None:
        await execute(database, "UPDATE users SET deleted_at = now()")
        await create_user(database, EMAIL)
        assert refused_fields(await confirm(client, token)) == NOT_GOOD


async def test_a_disabled_users_token_stays_dead_when_he_is_enabled(
    client: httpx.AsyncClient, token: str, root: httpx.AsyncClient, database: Database
) -> None:
    user = await find_user(database, EMAIL)
    assert user is not None
    path = f"{USERS}/{user.id}"
    for is_active in (False, True):
        assert (await root.patch(path, json={"is_active": is_active})).status_code == 200
    assert refused_fields(await confirm(client, token)) == NOT_GOOD
