"""Entities for tests alone: they may refer to users, and nobody else sees them."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from sqlalchemy import MetaData, Table
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import registry
from sqlalchemy.pool import NullPool

from app.core.models import NAMING_CONVENTION, Base, Entity
from app.database.connections import Database
from app.users.models import User


class IsolatedEntity(Entity):
    """Shares neither metadata nor registry with the application's.

    Its table is called test_…, as no entity of the application may be.
    """

    __abstract__ = True
    metadata = MetaData(naming_convention=NAMING_CONVENTION)
    registry = registry(metadata=metadata)
    registry.update_type_annotation_map(Base.registry.type_annotation_map)
    _sa_registry = registry


Base.metadata.tables[User.__tablename__].to_metadata(IsolatedEntity.metadata)


@asynccontextmanager
async def created(database: Database, *models: type[Entity] | Table) -> AsyncGenerator[None]:
    """Their tables, for as long as the context lasts."""
    tables = [
        each if isinstance(each, Table) else IsolatedEntity.metadata.tables[each.__tablename__]
        for each in models
    ]
    assert all(table.name.startswith("test_") for table in tables)
    # Not the application's pool, where a test may have left a connection that was cut.
    engine = create_async_engine(database.engine.url, poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.run_sync(IsolatedEntity.metadata.create_all, tables)
    yield
    async with engine.begin() as connection:
        await connection.run_sync(IsolatedEntity.metadata.drop_all, tables)
