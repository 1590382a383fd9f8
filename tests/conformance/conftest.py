import httpx
import pytest

from app.database.connections import Database
from tests.conformance.resources import RESOURCES, Resource
from tests.conformance.things import Things


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--resource", action="append", help="a table: runs over that one alone")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    tables = config.getoption("--resource")
    if tables is not None:
        others = [each for each in items if _resource_of(each) not in {None, *tables}]
        config.hook.pytest_deselected(items=others)
        items[:] = [each for each in items if each not in others]


def _resource_of(item: pytest.Item) -> str | None:
    call = getattr(item, "callspec", None)
    resource = call.params.get("resource") if call else None
    return str(resource) if isinstance(resource, Resource) else None


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
