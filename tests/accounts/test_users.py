import asyncio
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text

from app.database.connections import Database
from app.database.unit_of_work import UnitOfWork
from tests.accounts.steps import (
    ALICE,
    ME,
    USER_FIELDS,
    USERS,
    execute,
    fetch,
    id_of,
    is_alive,
    login,
    refused_fields,
)
from tests.factories import SignIn, create_user, find_user
from tests.problems import read_problem


async def path_of(database: Database, email: str) -> str:
    user = await find_user(database, email)
    assert user is not None
    return f"{USERS}/{user.id}"


class TestForbidden:
    """Others try what only superusers may do: no answer tells what exists."""

    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [
            ("GET", "", None),
            ("GET", "/{id}", None),
            ("PATCH", "/{id}", {"display_name": "x"}),
            ("DELETE", "/{id}", None),
            ("POST", "/{id}/restore", None),
        ],
    )
    async def test_for_any_other_user(
        self, alice: httpx.AsyncClient, bob: httpx.AsyncClient, method: str, path: str, body: Any
    ) -> None:
        answers = []
        for id in (await id_of(bob), await id_of(alice), str(uuid4()), "not-an-id"):
            for headers in ({}, {"If-Match": "not an etag"}, {"If-Match": '"7"'}):
                response = await alice.request(
                    method, USERS + path.format(id=id), json=body, headers=headers
                )
                problem = read_problem(response, 403, "FORBIDDEN")
                answers.append(problem["detail"])
        assert len(set(answers)) == 1
        assert await is_alive(bob)

    async def test_anonymous(self, client: httpx.AsyncClient) -> None:
        for method, path in (("GET", ""), ("GET", "/x"), ("PATCH", "/x"), ("DELETE", "/x")):
            response = await client.request(method, USERS + path)
            read_problem(response, 401, "UNAUTHORIZED")


class TestListUsers:
    @pytest.fixture
    async def users(self, root: httpx.AsyncClient, database: Database) -> httpx.AsyncClient:
        """Four more users: one of them is disabled, and one deleted."""
        for name in ("ann", "ben", "cid", "dee"):
            await create_user(database, f"{name}@example.com")
        await execute(database, "UPDATE users SET display_name = 'Ann 100%' WHERE email ~ 'ann'")
        await execute(database, "UPDATE users SET is_active = false WHERE email ~ 'ben'")
        await execute(database, "UPDATE users SET deleted_at = now() WHERE email ~ 'dee'")
        return root

    @pytest.mark.parametrize(
        ("parameters", "names"),
        [
            ({}, "cid ben ann root"),
            ({"order_by": "email"}, "ann ben cid root"),
            ({"order_by": "display_name,-email"}, "ann root cid ben"),
            ({"email": "ann@example.com"}, "ann"),
            ({"email": "ANN@Example.COM"}, "ann"),
            ({"email": "ann"}, ""),
            ({"email__icontains": "N@EX"}, "ben ann"),
            ({"display_name__icontains": "100%"}, "ann"),
            ({"search": "ann"}, "ann"),
            ({"search": "%"}, "ann"),
            ({"is_active": "false"}, "ben"),
            ({"is_superuser": "true"}, "root"),
            ({"created_at__lt": "2020-01-01T00:00:00Z"}, ""),
            ({"created_at__gte": "2020-01-01T00:00:00Z", "size": "2"}, "cid ben"),
            ({"deleted": "only"}, "dee"),
            ({"deleted": "include"}, "dee cid ben ann root"),
        ],
    )
    async def test_has_the_grammar_of_lists(
        self, users: httpx.AsyncClient, parameters: dict[str, str], names: str
    ) -> None:
        response = await users.get(USERS, params=parameters)
        assert response.status_code == 200, response.text
        page = response.json()
        found = [each["email"].removesuffix("@example.com") for each in page["items"]]
        assert found == names.split()
        for each in page["items"]:
            assert set(each) == {*USER_FIELDS, "deleted_at"}
            assert (each["deleted_at"] is not None) == each["email"].startswith("dee")

    async def test_a_cursor_walks_through_all(self, users: httpx.AsyncClient) -> None:
        seen, url = [], f"{USERS}?size=1&order_by=email"
        while url:
            page = (await users.get(url)).json()
            seen += [each["email"] for each in page["items"]]
            cursor = page["next_cursor"]
            url = f"{USERS}?size=1&order_by=email&cursor={cursor}" if cursor else ""
        assert [email[0] for email in seen] == ["a", "b", "c", "r"]

    @pytest.mark.parametrize("name", ["password_hash", "email__gt", "password_hash__icontains"])
    async def test_refuses_other_names(self, users: httpx.AsyncClient, name: str) -> None:
        response = await users.get(USERS, params={name: "x"})
        read_problem(response, 422, "UNKNOWN_PARAMETER")
        read_problem(
            await users.get(USERS, params={"order_by": "password_hash"}), 422, "VALIDATION_ERROR"
        )


class TestReadUser:
    async def test_a_superuser_sees_anyone(
        self, root: httpx.AsyncClient, alice: httpx.AsyncClient
    ) -> None:
        response = await root.get(f"{USERS}/{await id_of(alice)}")
        assert response.json() == (await alice.get(ME)).json() | {"deleted_at": None}
        again = await root.get(response.url, headers={"If-None-Match": response.headers["ETag"]})
        assert again.status_code == 304

    async def test_who_is_not_there_is_not_found(
        self, root: httpx.AsyncClient, alice: httpx.AsyncClient
    ) -> None:
        id = await id_of(alice)
        await alice.delete(ME)
        for each in (id, str(uuid4())):
            for method in ("GET", "DELETE"):
                response = await root.request(method, f"{USERS}/{each}")
                assert (
                    read_problem(response, 404, "NOT_FOUND")["detail"] == f"User {each} not found"
                )
            patched = await root.patch(f"{USERS}/{each}", json={"is_active": True})
            read_problem(patched, 404, "NOT_FOUND")
        read_problem(await root.post(f"{USERS}/{uuid4()}/restore"), 404, "NOT_FOUND")


class TestUpdateUser:
    async def test_a_disabled_user_is_out_at_once_and_his_sessions_stay_dead(
        self, root: httpx.AsyncClient, sign_in: SignIn, client: httpx.AsyncClient
    ) -> None:
        sessions = [await sign_in(ALICE) for _ in range(2)]
        path = f"{USERS}/{await id_of(sessions[0])}"
        disabled = await root.patch(path, json={"is_active": False})
        assert (disabled.status_code, disabled.json()["is_active"]) == (200, False)
        assert [await is_alive(each) for each in sessions] == [False, False]
        assert (await login(client, email=ALICE)).status_code == 401
        assert (await root.patch(path, json={"is_active": True})).json()["is_active"] is True
        assert [await is_alive(each) for each in sessions] == [False, False]
        assert (await login(client, email=ALICE)).status_code == 200

    async def test_who_is_disabled_while_another_enables_him_is_out(
        self, root: httpx.AsyncClient, alice: httpx.AsyncClient, database: Database
    ) -> None:
        path = await path_of(database, ALICE)
        await execute(database, "UPDATE users SET is_active = false WHERE NOT is_superuser")
        async with UnitOfWork(database) as work:
            await work.execute(text("UPDATE users SET is_active = true WHERE NOT is_superuser"))
            disabling = asyncio.create_task(root.patch(path, json={"is_active": False}))
            await asyncio.sleep(0.2)  # by now it waits for this transaction
            assert not disabling.done()
            await work.commit()
        assert (await disabling).status_code == 200
        [event] = await fetch(database, "SELECT event FROM security_events")
        assert event["event"] == "user_disabled"
        assert (await root.patch(path, json={"is_active": True})).status_code == 200
        assert not await is_alive(alice)

    async def test_a_role_counts_from_the_next_request_on(
        self, root: httpx.AsyncClient, alice: httpx.AsyncClient
    ) -> None:
        path = f"{USERS}/{await id_of(alice)}"
        for is_superuser, status in ((True, 200), (False, 403)):
            response = await root.patch(path, json={"is_superuser": is_superuser})
            assert response.json()["is_superuser"] is is_superuser
            assert (await alice.get(USERS)).status_code == status
        assert await is_alive(alice)

    @pytest.mark.parametrize(
        "body",
        [
            {"is_active": None},
            {"is_superuser": "true"},
            {"email": "x@example.com"},
            {"password_hash": "x"},
            {"email_verified_at": None},
            {"deleted_at": None},
        ],
    )
    async def test_refuses_what_may_not_be_changed(
        self, root: httpx.AsyncClient, database: Database, body: dict[str, Any]
    ) -> None:
        await create_user(database, ALICE)
        path = await path_of(database, ALICE)
        before = await fetch(database, "SELECT * FROM users ORDER BY id")
        read_problem(await root.patch(path, json=body), 422, "VALIDATION_ERROR")
        assert await fetch(database, "SELECT * FROM users ORDER BY id") == before

    async def test_an_empty_patch_changes_nothing(
        self, root: httpx.AsyncClient, database: Database
    ) -> None:
        await create_user(database, ALICE)
        path = await path_of(database, ALICE)
        before = (await root.get(path)).json()
        assert (await root.patch(path, json={})).json() == before
        assert await fetch(database, "SELECT * FROM security_events") == []

    async def test_honours_if_match(
        self, root: httpx.AsyncClient, alice: httpx.AsyncClient
    ) -> None:
        path = f"{USERS}/{await id_of(alice)}"
        stale = {"If-Match": '"2"'}
        body = {"is_active": False}
        read_problem(await root.patch(path, json=body, headers=stale), 412, "PRECONDITION_FAILED")
        read_problem(await root.delete(path, headers=stale), 412, "PRECONDITION_FAILED")
        assert await is_alive(alice)
        response = await root.patch(path, json=body, headers={"If-Match": '"1"'})
        assert (response.status_code, response.headers["ETag"]) == (200, '"2"')
        assert (await root.delete(path, headers=stale)).status_code == 204
        restore = f"{path}/restore"
        read_problem(await root.post(restore, headers=stale), 412, "PRECONDITION_FAILED")
        assert (await root.post(restore, headers={"If-Match": '"3"'})).status_code == 200

    @pytest.mark.parametrize("body", [{"is_active": False}, {"is_superuser": False}])
    async def test_the_last_superuser_stays_one(
        self, root: httpx.AsyncClient, sign_in: SignIn, body: dict[str, bool]
    ) -> None:
        path = f"{USERS}/{await id_of(root)}"
        before = (await root.get(path)).json()
        read_problem(await root.patch(path, json=body), 409, "CONFLICT")
        assert (await root.get(path)).json() == before
        assert (await root.patch(path, json={"display_name": "Root"})).status_code == 200
        other = await sign_in("other@example.com", superuser=True)
        assert (await other.patch(path, json=body)).status_code == 200
        assert (await root.get(USERS)).status_code in {401, 403}


class TestDeleteUser:
    async def test_his_sessions_end_and_the_address_is_free(
        self, root: httpx.AsyncClient, alice: httpx.AsyncClient, database: Database
    ) -> None:
        path = f"{USERS}/{await id_of(alice)}"
        assert (await root.delete(path)).status_code == 204
        assert not await is_alive(alice)
        await create_user(database, ALICE)
        read_problem(await root.delete(path), 404, "NOT_FOUND")

    async def test_the_last_superuser_stays(self, root: httpx.AsyncClient) -> None:
        path = f"{USERS}/{await id_of(root)}"
        read_problem(await root.delete(path), 409, "CONFLICT")
        assert await is_alive(root)


class TestRestoreUser:
    async def test_he_is_back_but_not_his_sessions(
        self, root: httpx.AsyncClient, alice: httpx.AsyncClient, client: httpx.AsyncClient
    ) -> None:
        path = f"{USERS}/{await id_of(alice)}"
        before = (await root.get(path)).json()
        await root.delete(path)
        restored = await root.post(f"{path}/restore")
        assert restored.status_code == 200
        assert restored.json()["deleted_at"] is None
        assert restored.json()["email"] == before["email"]
        assert not await is_alive(alice)
        assert (await login(client, email=ALICE)).status_code == 200
        again = await root.post(f"{path}/restore")
        assert (again.status_code, again.json()) == (200, restored.json())

    async def test_an_address_that_is_taken_meanwhile_is_a_conflict(
        self, root: httpx.AsyncClient, alice: httpx.AsyncClient, database: Database
    ) -> None:
        path = f"{USERS}/{await id_of(alice)}"
        await alice.delete(ME)
        await create_user(database, ALICE)
        response = await root.post(f"{path}/restore")
        read_problem(response, 409, "CONFLICT")
        assert refused_fields(response) == [("email", "unique")]

    async def test_honours_an_idempotency_key(
        self, root: httpx.AsyncClient, alice: httpx.AsyncClient
    ) -> None:
        path = f"{USERS}/{await id_of(alice)}"
        await alice.delete(ME)
        headers = {"Idempotency-Key": "once"}
        first = await root.post(f"{path}/restore", headers=headers)
        await root.delete(path)
        again = await root.post(f"{path}/restore", headers=headers)
        assert (again.status_code, again.json()) == (200, first.json())
        read_problem(await root.get(path), 404, "NOT_FOUND")
