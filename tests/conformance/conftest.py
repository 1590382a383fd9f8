import httpx
import pytest

from app.database import Database
from tests.conformance.resources import RESOURCES, Resource
from tests.conformance.things import Things


@pytest.fixture(params=RESOURCES, ids=str)
def resource(request: pytest.FixtureRequest) -> Resource:
    assert isinstance(request.param, Resource)
    return request.param


@pytest.fixture
def things(resource: Resource, alice: httpx.AsyncClient, database: Database) -> Things:
    """What Alice has."""
    return Things(resource, alice, database)


@pytest.fixture
def theirs(resource: Resource, bob: httpx.AsyncClient, database: Database) -> Things:
    """What Bob has."""
    return Things(resource, bob, database)
