"""404 and 409 of an entity's routes, which come from its model, its schemas and its parameters."""

from collections.abc import AsyncGenerator
from typing import Annotated, Any
from uuid import UUID

import pytest
from fastapi import APIRouter, Depends
from sqlalchemy.orm import Mapped, mapped_column

from app.config import Settings
from app.core.bulk import BulkDeleted, BulkIds, BulkItems
from app.core.models import reference, unique_among_live
from app.core.schemas import ReadSchema, Schema
from app.core.service import Service
from app.core.types import Id
from app.dependencies import IfMatch
from app.main import Application, create_app
from tests.common.tables import IsolatedEntity

NEEDED = "Others still refer to it"
TAKEN = "A unique value is taken"
GONE = "What it refers to was deleted"
REFUSED = "A rule does not allow it"


class House(IsolatedEntity):
    """Has a unique name, and goes with all that refers to it, unless a lamp must stay."""

    __tablename__ = "test_houses"
    __table_args__ = (unique_among_live("test_houses", "name"),)

    name: Mapped[str]
    color: Mapped[str]


class Room(IsolatedEntity):
    __tablename__ = "test_rooms"

    house_id: Mapped[UUID] = reference("test_houses", ondelete="cascade")


class Lamp(IsolatedEntity):
    """Has a value that is unique by its column, and what nobody refers to."""

    __tablename__ = "test_lamps"

    room_id: Mapped[UUID] = reference("test_rooms", ondelete="restrict")
    number: Mapped[int] = mapped_column(unique=True)


class Plain(IsolatedEntity):
    """Refers to nothing and has nothing unique."""

    __tablename__ = "test_plains"

    name: Mapped[str]


class Named(Schema):
    name: str


class Colored(Schema):
    color: str


class LampCreate(Schema):
    room_id: Id
    number: int


class Read(ReadSchema):
    id: UUID
    version: int


class Houses(Service[House, Named, Colored]): ...


class MyHouses(Houses): ...


class Lamps(Service[Lamp, LampCreate, LampCreate]): ...


class Plains(Service[Plain, Named, Named]): ...


async def opened() -> AsyncGenerator[Lamps]:
    yield Own()


class Own(Lamps):
    """A class that is a dependency itself."""

    def __init__(self) -> None: ...


class Settled(Plains):
    """Has a rule."""

    async def update(
        self, id: UUID, data: Named, versions: frozenset[int] | None = None
    ) -> Plain: ...


def router_of(service: type[Service[Any, Any, Any]], create: Any, update: Any) -> APIRouter:
    """The routes that the generator writes, as far as errors go."""
    router = APIRouter(prefix="/rows")

    async def get_service() -> Any: ...

    get_service.__annotations__["return"] = service
    needed = Depends(get_service)

    @router.post("", status_code=201, response_model=Read)
    async def new(data: create, _: Any = needed) -> Any: ...

    @router.get("/{id}", response_model=Read)
    async def read(id: Id, _: Any = needed) -> Any: ...

    @router.patch("/{id}", response_model=Read)
    async def change(id: Id, data: update, if_match: IfMatch, _: Any = needed) -> Any: ...

    @router.delete("/{id}", status_code=204)
    async def delete(id: Id, if_match: IfMatch, _: Any = needed) -> None: ...

    @router.post("/{id}/restore", response_model=Read)
    async def restore(id: Id, if_match: IfMatch, _: Any = needed) -> Any: ...

    @router.put("/bulk")
    async def bulk(data: BulkItems[create], _: Any = needed) -> None: ...

    @router.post("/bulk/delete")
    async def bulk_delete(data: BulkIds, _: Any = needed) -> BulkDeleted: ...

    @router.post("/search")
    async def search(data: Colored, _: Any = needed) -> None: ...

    return router


def conflicts(settings: Settings, router: APIRouter) -> dict[str, str]:
    """The words of each 409."""
    paths = responses(settings, router)
    return {
        name.removeprefix("/rows"): found["409"]["description"]
        for name, found in paths.items()
        if "409" in found
    }


def responses(settings: Settings, router: APIRouter) -> dict[str, Any]:
    app = create_app(settings)
    assert isinstance(app, Application)
    app.include_router(router)
    return {
        f"{method.upper()} {path.removeprefix('/rows')}".strip(): operation["responses"]
        for path, methods in app.openapi()["paths"].items()
        for method, operation in methods.items()
        if path.startswith("/rows")
    }


@pytest.mark.parametrize("service", [Houses, MyHouses])
def test_a_unique_value_and_rows_that_refer_to_it(
    settings: Settings, service: type[Service[Any, Any, Any]]
) -> None:
    assert conflicts(settings, router_of(service, Named, Colored)) == {
        "POST": TAKEN,
        "PUT /bulk": TAKEN,
        "POST /{id}/restore": TAKEN,
        "DELETE /{id}": NEEDED,  # a lamp keeps its room, and so the room's house
        "POST /bulk/delete": NEEDED,
    }


def test_what_it_refers_to_may_be_gone(settings: Settings) -> None:
    assert conflicts(settings, router_of(Lamps, LampCreate, LampCreate)) == {
        "POST": TAKEN,
        "PATCH /{id}": TAKEN,
        "PUT /bulk": TAKEN,
        "POST /{id}/restore": f"{TAKEN}; {GONE}",
    }


def test_without_either_there_is_no_conflict(settings: Settings) -> None:
    assert conflicts(settings, router_of(Plains, Named, Named)) == {}


def test_a_service_with_rules_may_refuse_what_any_of_its_routes_writes(settings: Settings) -> None:
    found = conflicts(settings, router_of(Settled, Named, Named))
    assert {*found.values()} == {REFUSED}
    assert found.keys() == responses(settings, router_of(Settled, Named, Named)).keys() - {
        "GET /{id}"
    }


def test_an_id_in_the_path_or_ids_in_the_body_may_be_unknown(settings: Settings) -> None:
    found = responses(settings, router_of(Plains, Named, Named))
    assert {name for name, each in found.items() if "404" in each} == {
        "GET /{id}", "PATCH /{id}", "DELETE /{id}", "POST /{id}/restore", "POST /bulk/delete",
    }  # fmt: skip


def test_the_id_may_be_a_dependencys(settings: Settings) -> None:
    router = APIRouter(prefix="/rows")

    async def load(id: Id) -> None: ...

    @router.get("/{id}/parts")
    async def parts(_: Annotated[None, Depends(load)]) -> None: ...

    @router.get("/{number}/pages")
    async def pages(number: int, other_id: Id) -> None: ...  # an id in the query is a filter

    found = responses(settings, router)
    assert "404" in found["GET /{id}/parts"]
    assert "404" not in found["GET /{number}/pages"]


def test_a_service_may_be_its_own_dependency_or_be_yielded(settings: Settings) -> None:
    router = APIRouter(prefix="/rows")

    @router.post("/own")
    async def own(data: LampCreate, _: Annotated[Own, Depends()]) -> None: ...

    @router.post("/yielded")
    async def yielded(data: LampCreate, _: Annotated[Lamps, Depends(opened)]) -> None: ...

    assert conflicts(settings, router) == {"POST /own": TAKEN, "POST /yielded": TAKEN}
