"""What superusers do to the sessions of others, and how many sessions a user may have."""

from collections.abc import AsyncIterator
from uuid import uuid4

import httpx
import pytest

from app.database.connections import Database
from app.main import Application, create_app
from tests.accounts.steps import (
    EMAIL,
    EVENTS,
    SESSIONS,
    USERS,
    execute,
    id_of,
    is_alive,
    login,
)
from tests.conftest import new_client
from tests.factories import SignIn, create_user
from tests.problems import read_problem

LONG_AGO = "UPDATE sessions SET authenticated_at = now() - interval '16 minutes'"
NOBODY = f"{USERS}/{uuid4()}/sessions"


@pytest.fixture
async def path(alice: httpx.AsyncClient) -> str:
    return f"{USERS}/{await id_of(alice)}/sessions"


class TestForbidden:
    @pytest.mark.parametrize(("method", "one"), [("GET", ""), ("DELETE", ""), ("DELETE", "/{}")])
    async def test_for_all_but_superusers(
        self, client: httpx.AsyncClient, alice: httpx.AsyncClient, path: str, method: str, one: str
    ) -> None:
        [session] = (await alice.get(SESSIONS)).json()["items"]
        url = path + one.format(session["id"])
        read_problem(await client.request(method, url), 401, "UNAUTHORIZED")
        read_problem(await alice.request(method, url), 403, "FORBIDDEN")
        assert await is_alive(alice)

    @pytest.mark.parametrize("one", ["", "/{}"])
    async def test_to_end_them_without_a_recent_password(
        self,
        root: httpx.AsyncClient,
        alice: httpx.AsyncClient,
        database: Database,
        path: str,
        one: str,
    ) -> None:
        [session] = (await alice.get(SESSIONS)).json()["items"]
        await execute(database, LONG_AGO)
        refused = await root.delete(path + one.format(session["id"]))
        read_problem(refused, 403, "REAUTHENTICATION_REQUIRED")
        assert await is_alive(alice)


class TestList:
    async def test_tells_what_the_user_sees(
        self, root: httpx.AsyncClient, alice: httpx.AsyncClient, path: str
    ) -> None:
        [own] = (await alice.get(SESSIONS)).json()["items"]
        assert (await root.get(path)).json() == {"items": [own | {"current": False}]}

    async def test_of_nobody(self, root: httpx.AsyncClient) -> None:
        read_problem(await root.get(NOBODY), 404, "NOT_FOUND")


class TestRevoke:
    async def test_one(
        self, root: httpx.AsyncClient, alice: httpx.AsyncClient, sign_in: SignIn, path: str
    ) -> None:
        other = await sign_in("alice@example.com")
        sessions = (await other.get(SESSIONS)).json()["items"]
        [gone] = [each["id"] for each in sessions if not each["current"]]
        assert (await root.delete(f"{path}/{gone}")).status_code == 204
        assert not await is_alive(alice)
        assert await is_alive(other)
        read_problem(await root.delete(f"{path}/{gone}"), 404, "NOT_FOUND")
        [event] = (await root.get(EVENTS, params={"event": "session_revoked"})).json()["items"]
        assert event["user_id"] == await id_of(other)
        assert event["actor_id"] == await id_of(root)
        assert event["revoked_session_id"] == gone

    async def test_one_of_another_user_is_not_there(
        self, root: httpx.AsyncClient, bob: httpx.AsyncClient, path: str
    ) -> None:
        [session] = (await bob.get(SESSIONS)).json()["items"]
        read_problem(await root.delete(f"{path}/{session['id']}"), 404, "NOT_FOUND")
        assert await is_alive(bob)

    async def test_all(
        self,
        root: httpx.AsyncClient,
        alice: httpx.AsyncClient,
        bob: httpx.AsyncClient,
        sign_in: SignIn,
        path: str,
    ) -> None:
        other = await sign_in("alice@example.com")
        assert (await root.delete(path)).status_code == 204
        assert [await is_alive(each) for each in (alice, other, bob, root)] == [
            False, False, True, True,
        ]  # fmt: skip
        read_problem(await root.delete(NOBODY), 404, "NOT_FOUND")

    async def test_all_of_ones_own_but_this_one(
        self, root: httpx.AsyncClient, sign_in: SignIn
    ) -> None:
        other = await sign_in("root@example.com")
        assert (await root.delete(f"{USERS}/{await id_of(root)}/sessions")).status_code == 204
        assert await is_alive(root)
        assert not await is_alive(other)


class TestRestore:
    async def test_needs_a_recent_password(
        self, root: httpx.AsyncClient, bob: httpx.AsyncClient, database: Database
    ) -> None:
        user = f"{USERS}/{await id_of(bob)}"
        await root.delete(user)
        await execute(database, LONG_AGO)
        refused = await root.post(f"{user}/restore")
        read_problem(refused, 403, "REAUTHENTICATION_REQUIRED")
        read_problem(await root.get(user), 404, "NOT_FOUND")

    async def test_is_not_replayed_to_who_is_no_superuser_any_more(
        self, root: httpx.AsyncClient, bob: httpx.AsyncClient, sign_in: SignIn
    ) -> None:
        chief = await sign_in("chief@example.com", superuser=True)
        user = f"{USERS}/{await id_of(bob)}"
        await root.delete(user)
        key = {"Idempotency-Key": "once"}
        restored = await root.post(f"{user}/restore", headers=key)
        assert restored.status_code == 200
        assert (await root.post(f"{user}/restore", headers=key)).json() == restored.json()
        demoted = await chief.patch(f"{USERS}/{await id_of(root)}", json={"is_superuser": False})
        assert demoted.is_success
        refused = await root.post(f"{user}/restore", headers=key)
        read_problem(refused, 403, "FORBIDDEN")


@pytest.fixture
async def capped(app: Application) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an application where a user has three sessions at most."""
    capped = create_app(app.settings.model_copy(update={"max_sessions_per_user": 3}))
    assert isinstance(capped, Application)
    async with new_client(capped) as client:
        yield client
    await capped.database.close()


async def test_another_login_ends_the_oldest_session(
    capped: httpx.AsyncClient, bob: httpx.AsyncClient, database: Database
) -> None:
    await create_user(database, EMAIL)
    tokens = [(await login(capped)).json()["token"] for _ in range(5)]
    alive = []
    for token in tokens:
        capped.headers["Authorization"] = f"Bearer {token}"
        alive.append(await is_alive(capped))
    assert alive == [False, False, True, True, True]
    assert len((await capped.get(SESSIONS)).json()["items"]) == 3
    assert await is_alive(bob)
