from datetime import UTC, datetime

import httpx

from app.database.connections import Database
from app.main import Application
from tests.accounts.steps import (
    ALICE,
    EMAIL,
    ME,
    USER_FIELDS,
    execute,
    is_alive,
    login,
    post,
    register,
)
from tests.factories import PASSWORD, SignIn, create_user
from tests.mailbox import Mailbox
from tests.problems import read_problem


class TestMe:
    async def test_anonymous(self, client: httpx.AsyncClient) -> None:
        read_problem(await client.get(ME), 401, "UNAUTHORIZED")
        read_problem(await client.patch(ME, json={}), 401, "UNAUTHORIZED")

    async def test_is_who_asks(self, alice: httpx.AsyncClient) -> None:
        response = await alice.get(ME)
        assert set(response.json()) == USER_FIELDS
        assert response.json()["email"] == ALICE
        assert response.headers["ETag"] == '"1"'

    async def test_only_the_display_name_can_be_changed(self, alice: httpx.AsyncClient) -> None:
        response = await alice.patch(ME, json={"display_name": "Alice"})
        assert response.json()["display_name"] == "Alice"
        assert (await alice.patch(ME, json={"display_name": None})).json()["display_name"] is None
        for field in ("email", "is_superuser", "is_active", "id", "email_verified_at"):
            assert (await alice.patch(ME, json={field: None})).status_code == 422

    async def test_honours_if_match(self, alice: httpx.AsyncClient) -> None:
        headers = {"If-Match": '"1"'}
        first = await alice.patch(ME, json={"display_name": "A"}, headers=headers)
        assert first.headers["ETag"] == '"2"'
        stale = await alice.patch(ME, json={"display_name": "B"}, headers=headers)
        read_problem(stale, 412, "PRECONDITION_FAILED")
        read_problem(await alice.delete(ME, headers=headers), 412, "PRECONDITION_FAILED")
        assert (await alice.delete(ME, headers={"If-Match": '"2"'})).status_code == 204


class TestDeleteMe:
    async def test_anonymous(self, client: httpx.AsyncClient) -> None:
        read_problem(await client.delete(ME), 401, "UNAUTHORIZED")

    async def test_every_session_ends_and_the_address_is_free(
        self, client: httpx.AsyncClient, alice: httpx.AsyncClient, sign_in: SignIn
    ) -> None:
        other = await sign_in(ALICE)
        assert (await alice.delete(ME)).status_code == 204
        assert not await is_alive(alice)
        assert not await is_alive(other)
        assert (await login(client, email=ALICE)).status_code == 401
        assert (await register(client, email=ALICE)).status_code == 201

    async def test_the_last_superuser_stays(
        self, root: httpx.AsyncClient, sign_in: SignIn, database: Database
    ) -> None:
        read_problem(await root.delete(ME), 409, "CONFLICT")
        assert await is_alive(root)
        disabled = await create_user(database, "disabled@example.com", superuser=True)
        await execute(database, f"UPDATE users SET is_active = false WHERE id = '{disabled.id}'")  # noqa: S608 - ours
        read_problem(await root.delete(ME), 409, "CONFLICT")
        other = await sign_in("other@example.com", superuser=True)
        assert (await root.delete(ME)).status_code == 204
        read_problem(await other.delete(ME), 409, "CONFLICT")


async def test_a_new_user_finds_his_way(
    client: httpx.AsyncClient, mailbox: Mailbox, app: Application
) -> None:
    started = datetime.now(UTC)
    assert (await register(client, display_name="Carol")).status_code == 201
    answer = (await login(client)).json()
    client.headers["Authorization"] = f"Bearer {answer['token']}"
    await post(client, "email-verification")
    assert (await post(client, "email-verification/confirm", token=mailbox.token())).is_success
    me = (await client.get(ME)).json()
    assert (me["email"], me["display_name"]) == (EMAIL, "Carol")
    assert datetime.fromisoformat(me["email_verified_at"]) > started
    assert (await post(client, "reauthenticate", current_password=PASSWORD)).status_code == 200
    assert (await client.delete(ME)).status_code == 204
    assert (await login(client)).status_code == 401
    assert app.database.in_use == 0
