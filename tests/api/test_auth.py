import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from argon2 import PasswordHasher
from sqlalchemy import text, update

from app.auth.models import Session
from app.core.repository import EVERYONE
from app.database import Database
from app.main import Application, create_app
from app.users.models import User
from app.users.repository import UserRepository
from tests.conftest import new_client
from tests.factories import PASSWORD, create_token, create_user

REGISTER, LOGIN, LOGOUT = (f"/api/v1/auth/{name}" for name in ("register", "login", "logout"))
ME = "/api/v1/users/me"
EMAIL = "carol@example.com"


async def register(client: httpx.AsyncClient, **fields: Any) -> httpx.Response:
    return await client.post(REGISTER, json={"email": EMAIL, "password": PASSWORD} | fields)


async def login(client: httpx.AsyncClient, **fields: Any) -> httpx.Response:
    return await client.post(LOGIN, json={"email": EMAIL, "password": PASSWORD} | fields)


class TestRegister:
    async def test_answers_the_user_and_no_secret(self, client: httpx.AsyncClient) -> None:
        response = await register(client, email="Carol@Example.COM", display_name="Carol")
        assert response.status_code == 201
        assert set(response.json()) == {
            "id",
            "email",
            "display_name",
            "is_active",
            "is_superuser",
            "email_verified_at",
            "created_at",
            "updated_at",
            "version",
        }
        assert response.json()["email"] == EMAIL
        assert response.json()["is_superuser"] is False

    async def test_an_address_is_taken_in_any_case(self, client: httpx.AsyncClient) -> None:
        await register(client)
        response = await register(client, email=EMAIL.upper())
        assert response.status_code == 409
        assert response.json()["errors"][0]["loc"] == ["body", "email"]

    @pytest.mark.parametrize(
        ("password", "code"),
        [
            ("hunter2", "password_too_short"),
            ("e\u0301" * 14, "password_too_short"),  # 14 characters once they are composed
            ("passwordpassword", "password_too_common"),
            ("123456789012345", "password_too_common"),
            ("aaaaaaaaaaaaaaaaaaaa", "password_too_common"),
            ("plinthplinthplinth", "password_too_common"),
            ("carol@example.com", "password_too_common"),
            ("x" * 257, "too_long"),
        ],
    )
    async def test_refuses_a_weak_password(
        self, client: httpx.AsyncClient, password: str, code: str
    ) -> None:
        response = await register(client, password=password)
        assert response.status_code == 422
        [error] = response.json()["errors"]
        assert (error["loc"], error["code"]) == (["body", "password"], code)
        assert password not in response.text

    async def test_a_role_cannot_be_claimed(self, client: httpx.AsyncClient) -> None:
        response = await register(client, is_superuser=True)
        assert response.status_code == 422


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

    async def test_wrong_unknown_disabled_and_deleted_are_alike(
        self, client: httpx.AsyncClient, database: Database
    ) -> None:
        users = [EMAIL, "disabled@example.com", "deleted@example.com"]
        for email in users:
            await register(client, email=email)
        async with database.unit_of_work() as work:
            await work.execute(update(User).where(User.email == users[1]).values(is_active=False))
            deleted = await UserRepository(work, EVERYONE).by_email(users[2])
            assert deleted is not None
            await UserRepository(work, EVERYONE).delete(deleted.id)
            await work.commit()
        answers = [
            await login(client, password="not the right password"),
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
        await register(client)
        weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
        async with database.unit_of_work() as work:
            await work.execute(update(User).values(password_hash=weak))
            await work.commit()
        assert (await login(client)).status_code == 200
        async with database.unit_of_work() as work:
            user = await UserRepository(work, EVERYONE).by_email(EMAIL)
        assert user is not None
        assert "$m=19456,t=2,p=1$" in user.password_hash
        assert (await login(client)).status_code == 200


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
        assert response.status_code == 401
        assert response.json()["error_code"] == "UNAUTHORIZED"
        assert response.headers["WWW-Authenticate"] == challenge

    async def test_logout_ends_this_session_alone(
        self, app: Application, alice: httpx.AsyncClient
    ) -> None:
        async with app.database.unit_of_work() as work:
            user = await UserRepository(work, EVERYONE).by_email("alice@example.com")
        assert user is not None
        token = await create_token(app.database, user)
        async with new_client(app, {"Authorization": f"Bearer {token}"}) as elsewhere:
            assert (await alice.post(LOGOUT)).status_code == 204
            assert (await alice.get(ME)).status_code == 401
            assert (await elsewhere.get(ME)).status_code == 200

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
        assert (await alice.get(ME)).status_code == 200
        async with database.unit_of_work() as work:
            await work.execute(text(change))
            await work.commit()
        assert (await alice.get(ME)).status_code == 401

    async def test_the_last_use_is_written_at_most_every_five_minutes(
        self, alice: httpx.AsyncClient, database: Database
    ) -> None:
        async def last_use() -> Any:
            async with database.unit_of_work() as work:
                return (await work.fetch(text("SELECT last_used_at FROM sessions")))[0][0]

        before = await last_use()
        await alice.get(ME)
        assert await last_use() == before
        async with database.unit_of_work() as work:
            await work.execute(
                update(Session).values(last_used_at=Session.last_used_at - timedelta(minutes=6))
            )
            await work.commit()
        await alice.get(ME)
        assert await last_use() > before

    async def test_the_database_holds_no_token(
        self, client: httpx.AsyncClient, database: Database
    ) -> None:
        await register(client)
        token = (await login(client)).json()["token"]
        async with database.unit_of_work() as work:
            rows = await work.fetch(
                text("SELECT sessions::text || users::text FROM sessions, users")
            )
        stored = "".join(row[0] for row in rows)
        assert token.encode().hex() not in stored
        assert token not in stored
        assert PASSWORD not in stored


class TestMe:
    async def test_anonymous(self, client: httpx.AsyncClient) -> None:
        assert (await client.get(ME)).status_code == 401
        assert (await client.patch(ME, json={})).status_code == 401

    async def test_only_the_display_name_can_be_changed(self, alice: httpx.AsyncClient) -> None:
        response = await alice.patch(ME, json={"display_name": "Alice"})
        assert response.json()["display_name"] == "Alice"
        for field in ("email", "is_superuser", "is_active", "id"):
            assert (await alice.patch(ME, json={field: None})).status_code == 422


class TestThrottle:
    @pytest.fixture
    async def throttled(self, app: Application) -> AsyncIterator[httpx.AsyncClient]:
        enabled = create_app(app.settings.model_copy(update={"throttle_enabled": True}))
        assert isinstance(enabled, Application)
        async with new_client(enabled) as client:
            yield client
        await enabled.database.close()

    async def test_parallel_attempts_cannot_pass_the_limit(
        self, throttled: httpx.AsyncClient
    ) -> None:
        attempts = [login(throttled, password="wrong password, wrong") for _ in range(12)]
        responses = await asyncio.gather(*attempts)
        statuses = [response.status_code for response in responses]
        assert sorted(statuses) == [401] * 5 + [429] * 7
        refused = [response for response in responses if response.status_code == 429]
        assert {each.json()["error_code"] for each in refused} == {"RATE_LIMITED"}
        waits = sorted(int(each.headers["Retry-After"]) for each in refused)
        assert waits == [pytest.approx(12 * n, abs=2) for n in range(2, 9)]

    async def test_one_address_cannot_try_many_accounts(self, throttled: httpx.AsyncClient) -> None:
        attempts = [login(throttled, email=f"user{n}@example.com") for n in range(22)]
        statuses = [response.status_code for response in await asyncio.gather(*attempts)]
        assert sorted(statuses) == [401] * 20 + [429] * 2

    async def test_the_counters_name_nobody(
        self, throttled: httpx.AsyncClient, database: Database
    ) -> None:
        await login(throttled)
        async with database.unit_of_work() as work:
            keys = [row[0] for row in await work.fetch(text("SELECT key FROM throttles"))]
        assert len(keys) == 2
        assert all(len(key) == 32 and b"carol" not in key for key in keys)


async def test_a_user_made_by_a_factory_cannot_log_in(
    client: httpx.AsyncClient, database: Database
) -> None:
    await create_user(database, EMAIL)
    assert (await login(client, password="none")).status_code == 401
