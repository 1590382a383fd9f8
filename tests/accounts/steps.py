"""Addresses of the routes for accounts, requests to them, and looks behind them."""

from typing import Any

import httpx
from sqlalchemy import text

from app.database.connections import Database
from app.database.sql import Row
from app.database.unit_of_work import UnitOfWork
from tests.factories import PASSWORD

AUTH = "/api/v1/auth"
SESSIONS = f"{AUTH}/sessions"
USERS = "/api/v1/users"
ME = f"{USERS}/me"
EVENTS = "/api/v1/security-events"
EMAIL = "carol@example.com"
ALICE = "alice@example.com"
NEW_PASSWORD = "eleven purple staplers sing"
WRONG_PASSWORD = "not the right password"
USER_FIELDS = {
    "id", "email", "display_name", "is_active", "is_superuser", "email_verified_at", "created_at",
    "updated_at", "version",
}  # fmt: skip


async def register(client: httpx.AsyncClient, **fields: Any) -> httpx.Response:
    account = {"email": EMAIL, "password": PASSWORD} | fields
    return await client.post(f"{AUTH}/register", json=account)


async def login(client: httpx.AsyncClient, **fields: Any) -> httpx.Response:
    account = {"email": EMAIL, "password": PASSWORD} | fields
    return await client.post(f"{AUTH}/login", json=account)


async def post(client: httpx.AsyncClient, path: str, **fields: Any) -> httpx.Response:
    """A request to a route under /auth, in short; the client goes on with a new token."""
    response = await client.post(f"{AUTH}/{path}", json=fields)
    if response.status_code == 200:
        client.headers["Authorization"] = f"Bearer {response.json()['token']}"
    return response


async def is_alive(client: httpx.AsyncClient) -> bool:
    """Whether the client's session still opens what needs one."""
    status = (await client.get(ME)).status_code
    assert status in {200, 401}
    return status == 200


async def id_of(client: httpx.AsyncClient) -> str:
    id: str = (await client.get(ME)).json()["id"]
    return id


async def execute(database: Database, sql: str) -> None:
    async with UnitOfWork(database) as work:
        await work.execute(text(sql))
        await work.commit()


async def fetch(database: Database, sql: str) -> list[Row]:
    async with UnitOfWork(database) as work:
        return await work.fetch(text(sql))


def refused_fields(response: httpx.Response) -> list[tuple[str, str]]:
    """The field and the code of each error that a 422 or 409 names."""
    assert response.status_code in {409, 422}, response.text
    return [(each["loc"][-1], each["code"]) for each in response.json()["errors"]]
