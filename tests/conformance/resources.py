"""The resources that the API has, found by their routes: no test here knows one by its name."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import pytest
from fastapi import APIRouter
from fastapi.dependencies.models import Dependant
from fastapi.routing import RouteContext, iter_route_contexts
from pydantic import BaseModel, TypeAdapter
from sqlalchemy import Table

from app.api.v1.router import v1
from app.auth.dependencies import authenticate
from app.core.filters import Filter
from app.core.list_query import Operator
from app.core.models import Entity, Owned
from app.dependencies import require_if_match
from tests.conformance.shapes import Field, Shape, fields_of, shape_of


@dataclass(frozen=True, eq=False)
class Resource:
    """A path that takes POST, lists, and has members that can be read.

    Routes are named by what they add to it, such as `PATCH /{id}`.
    """

    path: str
    routes: dict[str, RouteContext]

    def __str__(self) -> str:
        return self.table.name

    @cached_property
    def filters(self) -> type[Filter]:
        [parameters] = self.routes["GET"].dependant.query_params
        filters: type[Filter] = parameters.field_info.annotation
        return filters

    @property
    def model(self) -> type[Entity]:
        model: type[Entity] = self.filters.Constants.model
        return model

    @property
    def table(self) -> Table:
        return self.model.metadata.tables[self.model.__tablename__]

    @property
    def owned(self) -> bool:
        return issubclass(self.model, Owned)

    @property
    def natural_key(self) -> tuple[str, ...]:
        return self.model.natural_key

    @cached_property
    def uniques(self) -> list[list[str]]:
        """Fields of which no two rows (of one owner) have the same, together."""
        found = [
            [column.name for column in each.columns] for each in self.table.indexes if each.unique
        ]
        return sorted([name for name in names if name in self.fields] for names in found)

    @cached_property
    def unique(self) -> set[str]:
        return {name for names in self.uniques for name in names}

    @cached_property
    def fields(self) -> dict[str, Field]:
        """What a new row is made of."""
        return {each.name: each for each in fields_of(body_of(self.routes["POST"]), self.table)}

    @cached_property
    def changes(self) -> dict[str, Field]:
        """What a PATCH may set and an answer shows, the natural key and references last."""
        body = body_of(self.routes["PATCH /{id}"])
        found = [each for each in fields_of(body, self.table) if each.name in self.shown]
        found.sort(key=lambda each: (each.name in self.unique, each.reference is not None))
        return {each.name: each for each in found}

    @cached_property
    def shown(self) -> set[str]:
        """What an answer has."""
        read: type[BaseModel] = self.routes["GET /{id}"].response_model
        return set(read.model_fields)

    @property
    def conditions(self) -> dict[str, tuple[str, Operator]]:
        """The field and the operator of each filter parameter."""
        return dict(sorted(self.filters._declared.items()))

    @cached_property
    def parameters(self) -> dict[str, Shape]:
        """The shape of each value that a list may be asked with."""
        document = self.filters.model_json_schema()
        shapes = {
            name: shape_of(given, document.get("$defs", {}))[0]
            for name, given in document["properties"].items()
        }
        return {name: shape.items or shape for name, shape in shapes.items()}

    @property
    def sort_keys(self) -> list[str]:
        """In both directions."""
        return list(self.parameters["order_by"].choices)

    def typed(self, field: str, value: Any) -> Any:
        """A JSON value as one that compares like the column's."""
        return _adapter(self.table.columns[field].type.python_type).validate_python(value)

    def is_public(self, route: str) -> bool:
        return authenticate not in _calls(self.routes[route].dependant)

    def demands_if_match(self, route: str) -> bool:
        return require_if_match in _calls(self.routes[route].dependant)


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind | None)


def body_of(route: RouteContext) -> type[BaseModel]:
    [body] = route.dependant.body_params
    schema: type[BaseModel] = body.field_info.annotation
    return schema


def _calls(dependant: Dependant) -> set[Callable[..., Any] | None]:
    return {dependant.call}.union(*map(_calls, dependant.dependencies))


def _find() -> Iterator[Resource]:
    api, router = v1(), APIRouter()
    router.include_router(api.router(), prefix=api.prefix)
    contexts = list(iter_route_contexts(router.routes))
    for path in sorted({each.path_format or "" for each in contexts}):
        routes = {
            f"{method} {rest}".strip(): context
            for context in contexts
            if (rest := _below(path, context.path_format or "")) is not None
            for method in sorted(context.methods or ())
        }
        if "{" not in path and routes.keys() >= {"POST", "GET", "GET /{id}"}:
            yield Resource(path, routes)


def _below(path: str, other: str) -> str | None:
    if other == path or other.startswith(f"{path}/"):
        return re.sub(r"^/{\w+}", "/{id}", other.removeprefix(path))
    return None


RESOURCES = list(_find())


def resource_of(table: str) -> Resource:
    """Raises LookupError for a table whose rows no route creates."""
    for each in RESOURCES:
        if each.table.name == table:
            return each
    raise LookupError(f"no resource creates {table}")


def having(*routes: str, key: bool = False) -> pytest.MarkDecorator:
    """Runs a test for the resources that have all of these routes, or also a natural key."""
    found = [each for each in RESOURCES if each.routes.keys() >= {*routes}]
    found = [each for each in found if each.natural_key or not key]
    return pytest.mark.parametrize("resource", found, ids=str)


def each_of(*routes: str) -> pytest.MarkDecorator:
    """Runs a test for each of these routes that a resource has."""
    found = [(each, route) for each in RESOURCES for route in routes if route in each.routes]
    return pytest.mark.parametrize(("resource", "route"), found, ids=str)
