"""What may go wrong with an entity's rows on a route, from its parameters, schemas and model."""

from collections.abc import Iterator, Sequence
from types import get_original_bases
from typing import Any, NamedTuple, get_args, get_origin

from pydantic import BaseModel
from sqlalchemy import Table, UniqueConstraint

from app.core.bulk import BulkIds, BulkItems
from app.core.models import Entity
from app.core.schemas import ReadSchema
from app.core.service import Service
from app.core.types import ROW_ID
from app.dependencies import get_if_match, require_if_match
from app.dispatch.routes import Route, result_of

MISSING = "Missing, deleted, or somebody else's"
TAKEN = "A unique value is taken"
GONE = "What it refers to is not there any more"
NEEDED = "Other rows refer to it"
REFUSED = "A rule does not allow it"
READS = {"GET", "HEAD", "OPTIONS"}
WRITES = (
    "create",
    "update",
    "delete",
    "restore",
    "bulk_create",
    "bulk_upsert",
    "bulk_delete",
)


class Served(NamedTuple):
    """What a service is one of: the entity, and the schemas that its rows are written by."""

    model: type[Entity]
    create: type[BaseModel]
    update: type[BaseModel]


def entity_errors(route: Route) -> Iterator[tuple[int, str]]:
    """Each with its words."""
    bodies = [each.field_info.annotation for each in route.body.fields] if route.body else []
    by_ids = any(_is_a(each, BulkIds) for each in bodies)
    if by_ids or any(_is_row_id(each) for each in route.parameters()):
        yield 404, MISSING
    by_version = {get_if_match, require_if_match}.intersection(route.calls())
    answers_row = _is_a(route.response_model, ReadSchema)
    for served in _services(route):
        table = _table(served.model)
        if any(_writes(each, served) & _unique(table) for each in bodies):
            yield 409, TAKEN
        elif by_ids or (by_version and not bodies and not answers_row):  # deletes
            if _may_be_needed(table, []):
                yield 409, NEEDED
        elif by_version and not bodies:  # restores
            if _unique(table):
                yield 409, TAKEN
            if any("ondelete" in each.info for each in table.columns):
                yield 409, GONE
    if not route.methods <= READS and any(map(_has_rules, _service_types(route))):
        yield 409, REFUSED


def _has_rules(service: type) -> bool:
    """Whether it overrides how rows are written, as a service does where it may raise Conflict."""
    return any(getattr(service, each) is not getattr(Service, each) for each in WRITES)


def _is_row_id(parameter: Any) -> bool:
    is_in_path = getattr(getattr(parameter, "in_", None), "value", None) == "path"
    return is_in_path and ROW_ID in parameter.metadata


def _services(route: Route) -> Sequence[Served]:
    """Those that the route's dependencies give, each once."""
    found = map(_served, _service_types(route))
    return list(dict.fromkeys(filter(None, found)))


def _service_types(route: Route) -> list[type]:
    results = (each for call in route.calls() for each in result_of(call))
    return [each for each in results if _is_a(each, Service)]


def _served(service: type) -> Served | None:
    for kind in service.__mro__:
        for base in get_original_bases(kind):
            if get_origin(base) is Service:
                return Served(*get_args(base))
    return None


def _writes(body: Any, served: Served) -> set[str]:
    """The fields of the entity's rows that a body holds."""
    if _is_a(body, BulkItems):
        [body] = body.__pydantic_generic_metadata__["args"]
    written = (served.create, served.update)
    return set(body.model_fields) if any(_is_a(body, each) for each in written) else set()


def _table(model: type[Entity]) -> Table:
    return model.metadata.tables[model.__tablename__]


def _unique(table: Table) -> set[str]:
    """The columns that a unique index or constraint is of, alone or with others."""
    indexes = [each for each in table.indexes if each.unique]
    constraints = [each for each in table.constraints if isinstance(each, UniqueConstraint)]
    return {column.name for each in (*indexes, *constraints) for column in each.columns}


def _may_be_needed(table: Table, seen: list[Table]) -> bool:
    """Whether a row may have to stay: for one that refers to it, or to what would go with it.

    All models have to be loaded.
    """
    seen.append(table)
    keys = (key for other in table.metadata.tables.values() for key in other.foreign_keys)
    for key in keys:
        rule = key.parent.info.get("ondelete")
        if rule and key.column.table is table:
            other = key.parent.table
            if rule == "restrict":
                return True
            if rule == "cascade" and other not in seen and _may_be_needed(other, seen):
                return True
    return False


def _is_a(kind: Any, base: type) -> bool:
    return isinstance(kind, type) and issubclass(kind, base)
