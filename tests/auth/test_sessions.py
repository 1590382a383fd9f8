import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from app.database.connections import Database
from app.main import Application
from tests.accounts.steps import (
    ALICE,
    AUTH,
    EMAIL,
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
    register,
)
from tests.conftest import new_client
from tests.factories import PASSWORD, SignIn
from tests.problems import read_problem

LOGOUT = f"{AUTH}/logout"

type Give = Callable[[httpx.AsyncClient], Awaitable[httpx.Response]]


async def list_sessions(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    response = await client.get(SESSIONS)
    assert response.status_code == 200
    items: list[dict[str, Any]] = response.json()["items"]
    return items


class TestSession:
    @pytest.mark.parametrize(
        ("header", "challenge"),
        [
            (None, "Bearer"),
            ("Basic YTpi", "Bearer"),
            ("Bearer", "Bearer"),
            ("Bearer x", 'Bearer error="invalid_token"'),
            ("Bearer plinth_x", 'Bearer error="invalid_token"'),
            ("Bearer plinth_é", 'Bearer error="invalid_token"'),
        ],
    )
    async def test_without_a_good_token(
        self, client: httpx.AsyncClient, header: str | None, challenge: str
    ) -> None:
        headers = {b"Authorization": header.encode()} if header else {}
        response = await client.get(ME, headers=headers)
        read_problem(response, 401, "UNAUTHORIZED")
        assert response.headers["WWW-Authenticate"] == challenge

    @pytest.mark.parametrize(
        "change",
        [
            "UPDATE sessions SET expires_at = now()",
            "UPDATE sessions SET last_used_at = now() - interval '7 days'",
            "UPDATE users SET is_active = false",
            "UPDATE users SET deleted_at = now()",
        ],
    )
    async def test_ends_when(
        self, alice: httpx.AsyncClient, database: Database, change: str
    ) -> None:
        assert await is_alive(alice)
        await execute(database, change)
        assert not await is_alive(alice)

    async def test_its_use_puts_off_the_idle_end_but_not_the_absolute_one(
        self, client: httpx.AsyncClient, database: Database, app: Application
    ) -> None:
        await register(client)
        answer = (await login(client)).json()
        client.headers["Authorization"] = f"Bearer {answer['token']}"
        [session] = await list_sessions(client)
        assert session["expires_at"] == answer["expires_at"]
        lifetime = datetime.fromisoformat(session["expires_at"]) - datetime.fromisoformat(
            session["created_at"]
        )
        assert lifetime == app.settings.session_absolute
        for _ in range(2):
            await execute(
                database, "UPDATE sessions SET last_used_at = now() - interval '6 days 23 hours'"
            )
            assert await is_alive(client)
        [used] = await list_sessions(client)
        idle = datetime.now().astimezone() - datetime.fromisoformat(used["last_used_at"])
        assert idle < timedelta(minutes=1)
        assert used["expires_at"] == session["expires_at"]

    async def test_the_last_use_is_written_at_most_every_five_minutes(
        self, alice: httpx.AsyncClient, database: Database
    ) -> None:
        async def last_use() -> Any:
            return (await fetch(database, "SELECT last_used_at FROM sessions"))[0][0]

        before = await last_use()
        await alice.get(ME)
        assert await last_use() == before
        await execute(
            database, "UPDATE sessions SET last_used_at = last_used_at - interval '6 minutes'"
        )
        await alice.get(ME)
        assert await last_use() > before


class TestLogout:
    async def test_anonymous(self, client: httpx.AsyncClient) -> None:
        read_problem(await client.post(LOGOUT), 401, "UNAUTHORIZED")

    async def test_ends_this_session_alone(
        self, alice: httpx.AsyncClient, sign_in: SignIn, bob: httpx.AsyncClient
    ) -> None:
        elsewhere = await sign_in(ALICE)
        assert (await alice.post(LOGOUT)).status_code == 204
        assert not await is_alive(alice)
        assert await is_alive(elsewhere)
        assert await is_alive(bob)


class TestListSessions:
    async def test_anonymous(self, client: httpx.AsyncClient) -> None:
        read_problem(await client.get(SESSIONS), 401, "UNAUTHORIZED")

    async def test_tells_the_device_the_address_and_which_one_is_asking(
        self, app: Application, sign_in: SignIn, bob: httpx.AsyncClient, database: Database
    ) -> None:
        elsewhere = await sign_in(EMAIL)
        await execute(
            database, "UPDATE sessions SET last_used_at = last_used_at - interval '1 minute'"
        )
        async with new_client(app, {"User-Agent": "Lynx " + "x" * 300}) as client:
            answer = (await login(client)).json()
            client.headers["Authorization"] = f"Bearer {answer['token']}"
            this, other = await list_sessions(client)  # bob's is none of them
        assert set(this) == {
            "id", "created_at", "last_used_at", "expires_at", "ip", "user_agent", "current",
        }  # fmt: skip
        assert (this["current"], other["current"]) == (True, False)
        assert (this["ip"], other["ip"]) == ("127.0.0.1", None)
        assert this["user_agent"] == "Lynx " + "x" * 250
        assert this["last_used_at"] == this["created_at"] > other["last_used_at"]
        assert [each["current"] for each in await list_sessions(elsewhere)] == [False, True]
        assert len(await list_sessions(bob)) == 1

    async def test_leaves_out_what_has_ended(
        self, alice: httpx.AsyncClient, sign_in: SignIn, database: Database
    ) -> None:
        for _ in range(2):
            await sign_in(ALICE)
        assert len(await list_sessions(alice)) == 3
        newer = "id > (SELECT min(id::text)::uuid FROM sessions)"
        newest = "id = (SELECT max(id::text)::uuid FROM sessions)"
        for end in (
            f"last_used_at = now() - interval '7 days' WHERE {newest}",
            f"expires_at = now() WHERE {newer}",
        ):
            before = len(await list_sessions(alice))
            await execute(database, f"UPDATE sessions SET {end}")  # noqa: S608 - ours
            assert len(await list_sessions(alice)) == before - 1

    async def test_a_login_clears_away_what_has_ended(
        self, client: httpx.AsyncClient, sign_in: SignIn, database: Database
    ) -> None:
        for _ in range(2):
            await sign_in(EMAIL)
        await execute(database, "UPDATE sessions SET expires_at = now()")
        await sign_in(EMAIL)
        assert (await login(client)).status_code == 200
        assert len(await fetch(database, "SELECT id FROM sessions")) == 2


class TestRevokeSession:
    async def test_anonymous(self, client: httpx.AsyncClient) -> None:
        read_problem(await client.delete(f"{SESSIONS}/{uuid4()}"), 401, "UNAUTHORIZED")

    async def test_ends_one(self, alice: httpx.AsyncClient, sign_in: SignIn) -> None:
        phone, tablet = await sign_in(ALICE), await sign_in(ALICE)
        [id] = [each["id"] for each in await list_sessions(phone) if each["current"]]
        assert (await alice.delete(f"{SESSIONS}/{id}")).status_code == 204
        assert not await is_alive(phone)
        assert await is_alive(tablet)
        assert await is_alive(alice)
        read_problem(await alice.delete(f"{SESSIONS}/{id}"), 404, "NOT_FOUND")

    async def test_somebody_elses_is_not_there(
        self, alice: httpx.AsyncClient, bob: httpx.AsyncClient
    ) -> None:
        [own] = await list_sessions(bob)
        for id in (own["id"], str(uuid4())):
            problem = read_problem(await alice.delete(f"{SESSIONS}/{id}"), 404, "NOT_FOUND")
            assert problem["detail"] == f"Session {id} not found"
        assert await is_alive(bob)

    async def test_what_is_no_id_is_refused(self, alice: httpx.AsyncClient) -> None:
        read_problem(await alice.delete(f"{SESSIONS}/current"), 422, "VALIDATION_ERROR")


class TestRevokeOtherSessions:
    async def test_anonymous(self, client: httpx.AsyncClient) -> None:
        read_problem(await client.delete(SESSIONS), 401, "UNAUTHORIZED")

    async def test_ends_all_but_this_one(
        self, alice: httpx.AsyncClient, bob: httpx.AsyncClient, sign_in: SignIn
    ) -> None:
        others = [await sign_in(ALICE) for _ in range(3)]
        assert (await alice.delete(SESSIONS)).status_code == 204
        assert [await is_alive(each) for each in others] == [False] * 3
        assert await is_alive(alice)
        assert await is_alive(bob)


class TestReauthenticate:
    @pytest.fixture
    async def stale(self, alice: httpx.AsyncClient, database: Database) -> httpx.AsyncClient:
        """Her session, a second more than fifteen minutes after she gave her password."""
        await execute(
            database,
            "UPDATE sessions SET authenticated_at = now() - interval '15 minutes 1 second'",
        )
        return alice

    async def test_anonymous(self, client: httpx.AsyncClient) -> None:
        response = await post(client, "reauthenticate", current_password=PASSWORD)
        read_problem(response, 401, "UNAUTHORIZED")

    async def test_what_is_delicate_needs_a_password_of_late(
        self, stale: httpx.AsyncClient
    ) -> None:
        read_problem(await stale.delete(ME), 403, "REAUTHENTICATION_REQUIRED")
        assert await is_alive(stale)
        response = await post(stale, "reauthenticate", current_password=PASSWORD)
        assert (response.status_code, set(response.json())) == (200, {"token", "expires_at"})
        assert (await stale.delete(ME)).status_code == 204

    @pytest.mark.parametrize(
        ("method", "body"),
        [("PATCH", {"is_active": False}), ("PATCH", {"is_superuser": True}), ("DELETE", None)],
    )
    @pytest.mark.parametrize("whose", ["their own", "another's"])
    async def test_so_does_what_superusers_do_to_accounts(
        self,
        root: httpx.AsyncClient,
        stale: httpx.AsyncClient,
        sign_in: SignIn,
        method: str,
        body: Any,
        *,
        whose: str,
    ) -> None:
        await sign_in("other@example.com", superuser=True)
        path = f"{USERS}/{await id_of(root if whose == 'their own' else stale)}"
        before = (await root.get(path)).json()
        refused = await root.request(method, path, json=body)
        read_problem(refused, 403, "REAUTHENTICATION_REQUIRED")
        assert (await root.get(path)).json() == before
        await post(root, "reauthenticate", current_password=PASSWORD)
        assert (await root.request(method, path, json=body)).is_success

    async def test_a_name_is_not_delicate(
        self, root: httpx.AsyncClient, stale: httpx.AsyncClient
    ) -> None:
        path = f"{USERS}/{await id_of(stale)}"
        assert (await root.patch(path, json={"display_name": "Alice"})).status_code == 200

    async def test_fourteen_minutes_are_of_late(
        self, alice: httpx.AsyncClient, database: Database
    ) -> None:
        await execute(
            database, "UPDATE sessions SET authenticated_at = now() - interval '14 minutes'"
        )
        assert (await alice.delete(ME)).status_code == 204

    async def test_the_wrong_password_changes_nothing(self, stale: httpx.AsyncClient) -> None:
        response = await post(stale, "reauthenticate", current_password=WRONG_PASSWORD)
        read_problem(response, 401, "INVALID_CREDENTIALS")
        assert response.headers["WWW-Authenticate"] == "Bearer"
        assert (await stale.delete(ME)).status_code == 403

    async def test_counts_for_this_session_alone(
        self, stale: httpx.AsyncClient, sign_in: SignIn, database: Database
    ) -> None:
        other = await sign_in(ALICE)
        await execute(database, "UPDATE sessions SET authenticated_at = now() - interval '1 hour'")
        await post(stale, "reauthenticate", current_password=PASSWORD)
        assert (await other.delete(ME)).status_code == 403

    async def test_a_use_of_the_session_does_not_count(self, stale: httpx.AsyncClient) -> None:
        await asyncio.gather(*(stale.get(ME) for _ in range(3)))
        assert (await stale.delete(ME)).status_code == 403


class TestNewToken:
    """A password that is given again brings the session another token."""

    @pytest.fixture(params=["reauthenticate", "password"])
    def give(self, request: pytest.FixtureRequest) -> Give:
        fields = {"current_password": PASSWORD}
        if request.param == "password":
            fields["new_password"] = NEW_PASSWORD
        return lambda client: client.post(f"{AUTH}/{request.param}", json=fields)

    async def test_the_old_one_is_dead_and_the_session_is_the_same(
        self, alice: httpx.AsyncClient, give: Give
    ) -> None:
        [before] = (await alice.get(SESSIONS)).json()["items"]
        answered = (await give(alice)).json()
        assert not await is_alive(alice)
        alice.headers["Authorization"] = f"Bearer {answered['token']}"
        [after] = (await alice.get(SESSIONS)).json()["items"]
        same = ["id", "created_at", "expires_at", "current"]
        assert [after[each] for each in same] == [before[each] for each in same]
        assert answered["expires_at"] == after["expires_at"]

    async def test_of_two_at_once_one_gets_it(self, alice: httpx.AsyncClient, give: Give) -> None:
        answers = await asyncio.gather(*(give(alice) for _ in range(3)))
        statuses = sorted(each.status_code for each in answers)
        assert statuses == [200, 401, 401]
        [token] = [each.json()["token"] for each in answers if each.status_code == 200]
        alice.headers["Authorization"] = f"Bearer {token}"
        assert await is_alive(alice)

    async def test_a_wrong_password_leaves_the_old_one(self, alice: httpx.AsyncClient) -> None:
        await post(alice, "reauthenticate", current_password=WRONG_PASSWORD)
        assert await is_alive(alice)
