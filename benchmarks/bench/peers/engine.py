"""The async engine of the peers, with the pool that every contender has."""

import os

from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from bench.settings import POOL_SIZE


def database_url(driver: str = "asyncpg") -> str:
    return os.environ["DATABASE_URL"].replace("postgresql://", f"postgresql+{driver}://")


def new_engine(*, pre_ping: bool = False) -> AsyncEngine:
    return create_async_engine(
        database_url(), pool_size=POOL_SIZE, max_overflow=0, pool_pre_ping=pre_ping
    )
