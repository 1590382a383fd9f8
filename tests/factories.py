"""Ready-made users and lamps, a line each."""

from datetime import timedelta
from itertools import count
from typing import Any, Protocol

import httpx
from argon2 import PasswordHasher

from app.auth.repository import SessionRepository
from app.auth.tokens import new_token, token_hash
from app.core.repository import EVERYONE
from app.database.connections import Database
from app.database.unit_of_work import UnitOfWork
from app.users.models import User
from app.users.repository import UserRepository
from app.users.schemas import UserCreate

PASSWORD = "correct horse battery staple"
# Verified in no time; a login replaces it, which takes some.
CHEAP_HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)

_numbers = count(1)


class SignIn(Protocol):
    async def __call__(self, email: str, *, superuser: bool = False) -> httpx.AsyncClient: ...


async def create_user(database: Database, email: str, *, superuser: bool = False) -> User:
    """A user with the PASSWORD."""
    async with UnitOfWork(database) as work:
        data = UserCreate(email=email, password_hash=CHEAP_HASH, is_superuser=superuser)
        user = await UserRepository(work, EVERYONE).create(data)
        await work.commit()
    return user


async def find_user(database: Database, email: str) -> User | None:
    async with UnitOfWork(database) as work:
        return await UserRepository(work, EVERYONE).by_email(email)


async def create_token(database: Database, user: User) -> str:
    token = new_token()
    async with UnitOfWork(database) as work:
        await SessionRepository(work).create(user, token_hash(token), timedelta(days=1))
        await work.commit()
    return token


def lamp(**fields: Any) -> dict[str, Any]:
    """The JSON of a lamp that can be created, with a SKU of its own."""
    number = next(_numbers)
    return {"name": f"Lamp {number}", "sku": f"SKU-{number}", "price": "9.99"} | fields


async def create_lamps(client: httpx.AsyncClient, *lamps: dict[str, Any]) -> list[dict[str, Any]]:
    created = []
    for each in lamps:
        response = await client.post("/api/v1/lamps", json=lamp(**each))
        assert response.status_code == 201, response.text
        created.append(response.json())
    return created
