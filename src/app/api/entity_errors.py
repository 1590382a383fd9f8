"""What may go wrong with an entity's rows on a route, from its parameters, schemas and model."""

from collections.abc import Iterator, Sequence
from types import get_original_bases
from typing import Any, NamedTuple, get_args, get_origin

from pydantic import BaseModel
from sqlalchemy import Table, UniqueConstraint

from app.api.samples import ID
from app.common.references import missing_reference, still_needed
from app.core.bulk import BulkIds, BulkItems
from app.core.models import Entity, Owned
from app.core.schemas import ReadSchema
from app.core.service import Service
from app.core.types import ROW_ID
from app.dependencies import get_if_match, require_if_match
from app.dispatch.routes import Route, result_of
from app.exceptions import AppError, Conflict, FieldError, NotFound

MISSING = "It does not exist, was deleted, or belongs to another user"
TAKEN = "A unique value is taken"
GONE = "What it refers to was deleted"
NEEDED = "Others still refer to it"
REFUSED = "A rule does not allow it"
OWNERS = {*Owned.__annotations__}
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


class Reason(NamedTuple):
    """Why a route may answer an error, and examples of it; without any, the usual one is."""

    status: int
    words: str
    examples: tuple[AppError, ...] = ()


class Served(NamedTuple):
    """What a service is one of: the entity, and the schemas that its rows are written by."""

    model: type[Entity]
    create: type[BaseModel]
    update: type[BaseModel]


def entity_errors(route: Route) -> Iterator[Reason]:
    bodies = [each.field_info.annotation for each in route.body.fields] if route.body else []
    by_ids = any(_is_a(each, BulkIds) for each in bodies)
    services = services_of(route)
    if missing := [*_missing(route), *(each.model.__name__ for each in services if by_ids)]:
        yield Reason(404, MISSING, (NotFound(f"{missing[-1]} {ID} not found"),))
    by_version = {get_if_match, require_if_match}.intersection(route.calls())
    answers_row = _is_a(route.response_model, ReadSchema)
    for served in services:
        table = table_of(served.model)
        if taken := set().union(*(_writes(each, served) & _unique(table) for each in bodies)):
            yield _taken(taken)
        elif by_ids or (by_version and not bodies and not answers_row):  # deletes
            if (child := _needed_by(table, [])) is not None:
                yield _needed(served.model.__name__, child)
        elif by_version and not bodies:  # restores
            if _unique(table):
                yield _taken(_unique(table))
            if references := [each.name for each in table.columns if "ondelete" in each.info]:
                yield _gone(references[0])
    if not route.methods <= READS and any(map(_has_rules, _service_types(route))):
        yield Reason(409, REFUSED, (Conflict(REFUSED),))


def _has_rules(service: type) -> bool:
    """Whether it overrides how rows are written, as a service does where it may raise Conflict."""
    return any(getattr(service, each) is not getattr(Service, each) for each in WRITES)


def _taken(fields: set[str]) -> Reason:
    name = min(fields - OWNERS or fields)
    message = f"{name} is already taken"
    errors = [FieldError(("body", name), message, "unique")]
    return Reason(409, TAKEN, (Conflict(message, errors=errors),))


def _gone(field: str) -> Reason:
    error = missing_reference(field)
    return Reason(409, GONE, (Conflict(error.message, errors=[error]),))


def _needed(model: str, child: Table) -> Reason:
    return Reason(409, NEEDED, (Conflict(still_needed(f"{model} {ID}", child)),))


def _missing(route: Route) -> Iterator[str]:
    """What the ids in the path are of, in the order of the path."""
    ids = [each.alias or "" for each in route.parameters() if is_row_id(each)]
    for name in sorted(ids, key=lambda each: route.path.find(f"{{{each}}}")):
        words = name.removesuffix("_id").split("_")
        yield "".join(map(str.capitalize, words))


def is_row_id(parameter: Any) -> bool:
    is_in_path = getattr(getattr(parameter, "in_", None), "value", None) == "path"
    return is_in_path and ROW_ID in parameter.metadata


def services_of(route: Route) -> Sequence[Served]:
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


def table_of(model: type[Entity]) -> Table:
    return model.metadata.tables[model.__tablename__]


def _unique(table: Table) -> set[str]:
    """The columns that a unique index or constraint is of, alone or with others."""
    indexes = [each for each in table.indexes if each.unique]
    constraints = [each for each in table.constraints if isinstance(each, UniqueConstraint)]
    return {column.name for each in (*indexes, *constraints) for column in each.columns}


def _needed_by(table: Table, seen: list[Table]) -> Table | None:
    """The table of rows for which one has to stay: they refer to it, or to what goes with it.

    All models have to be loaded.
    """
    seen.append(table)
    keys = (key for other in table.metadata.tables.values() for key in other.foreign_keys)
    for key in keys:
        rule = key.parent.info.get("ondelete")
        if rule and key.column.table is table:
            other = key.parent.table
            if rule == "restrict":
                return other
            if rule == "cascade" and other not in seen:
                found = _needed_by(other, seen)
                if found is not None:
                    return found
    return None


def _is_a(kind: Any, base: type) -> bool:
    return isinstance(kind, type) and issubclass(kind, base)
