"""A request without a live session gets a 401 that names the scheme."""

import httpx
import pytest
from sqlalchemy import text

from app.database.connections import Database
from app.database.unit_of_work import UnitOfWork
from tests.factories import create_token, create_user
from tests.problems import CANARY, LOGIN, ME, V1, read_problem


class TestUnauthorized:
    async def test_no_token_asks_for_one(self, client: httpx.AsyncClient) -> None:
        response = await client.get(ME)
        read_problem(response, 401, "UNAUTHORIZED")
        assert response.headers["WWW-Authenticate"] == "Bearer"

    @pytest.mark.parametrize(
        "header", ["", "Bearer", "Bearer ", "Basic YTpi", "plinth_abc", "Token plinth_abc", "\xff"]
    )
    async def test_what_holds_no_bearer_token_counts_as_none(
        self, client: httpx.AsyncClient, header: str
    ) -> None:
        response = await client.get(ME, headers={b"Authorization": header.encode("latin-1")})
        read_problem(response, 401, "UNAUTHORIZED")
        assert response.headers["WWW-Authenticate"] == "Bearer"

    @pytest.mark.parametrize(
        "token",
        [
            "x",
            "a b",
            "plinth_",
            "plinth_" + "a" * 43,
            "plinth_" + "a" * 20_000,
            "plinth_\x00",
            "plinth_\xff",
            "eyJhbGciOiJub25lIn0.e30.",
        ],
    )
    async def test_a_token_that_is_none_of_ours_is_invalid(
        self, client: httpx.AsyncClient, token: str
    ) -> None:
        header = f"Bearer {token}".encode("latin-1")
        response = await client.get(ME, headers={b"Authorization": header})
        read_problem(response, 401, "UNAUTHORIZED")
        assert response.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'

    async def test_a_revoked_token_is_invalid(self, alice: httpx.AsyncClient) -> None:
        assert (await alice.post(f"{V1}/auth/logout")).status_code == 204
        response = await alice.get(ME)
        read_problem(response, 401, "UNAUTHORIZED")
        assert response.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'

    @pytest.mark.parametrize(
        "change",
        [
            "UPDATE sessions SET expires_at = now()",
            "UPDATE sessions SET last_used_at = now() - interval '400 days'",
            "UPDATE users SET is_active = false",
            "UPDATE users SET deleted_at = now()",
        ],
    )
    async def test_a_token_whose_time_or_user_is_gone_is_invalid(
        self, alice: httpx.AsyncClient, work: UnitOfWork, change: str
    ) -> None:
        assert (await alice.get(ME)).status_code == 200
        await work.execute(text(change))
        await work.commit()
        response = await alice.get(ME)
        read_problem(response, 401, "UNAUTHORIZED")
        assert response.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'

    async def test_a_wrong_login_asks_for_a_token(
        self, client: httpx.AsyncClient, database: Database
    ) -> None:
        await create_user(database, "alice@example.com")
        login = {"email": "alice@example.com", "password": CANARY}
        response = await client.post(LOGIN, json=login)
        problem = read_problem(response, 401, "INVALID_CREDENTIALS")
        assert response.headers["WWW-Authenticate"] == "Bearer"
        assert "errors" not in problem

    async def test_the_scheme_is_named_in_any_case(
        self, client: httpx.AsyncClient, database: Database
    ) -> None:
        token = await create_token(database, await create_user(database, "alice@example.com"))
        response = await client.get(ME, headers={"Authorization": f"bEARER {token}"})
        assert response.status_code == 200
