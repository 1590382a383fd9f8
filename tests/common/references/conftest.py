from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from app.database.connections import Database
from app.database.unit_of_work import UnitOfWork
from app.main import Application
from tests import factories
from tests.common.references.shop import Customer, Invoice, Project, Receipt, Shop, Task
from tests.common.tables import created


@pytest.fixture(scope="module")
async def tables(session_app: Application) -> AsyncIterator[None]:
    async with created(session_app.database, Customer, Invoice, Project, Task, Receipt):
        yield


@pytest.fixture
async def owner(tables: None, database: Database) -> UUID:  # noqa: ARG001
    """Their rows are deleted with them when the test is over."""
    return (await factories.create_user(database, "owner@example.com")).id


@pytest.fixture
async def other(database: Database) -> UUID:
    return (await factories.create_user(database, "other@example.com")).id


@pytest.fixture
def shop(work: UnitOfWork, owner: UUID) -> Shop:
    return Shop(work, owner)
