"""Bodies that a resource takes: OpenAPI cannot say what is unique, and which rows there are."""

import json
import re
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

from pydantic import BaseModel, ValidationError

from app.core.filters import Filter
from app.core.models import Owned
from tests.conformance.resources import RESOURCES, Resource, body_of, resource_of
from tests.conformance.shapes import ORDINALS, Field, fields_of
from tests.conformance.values import value

type Row = dict[str, Any]
type Send = Callable[[str, Row], Row]
"""Posts a body to a path, and returns the answer's."""

FEW = 10  # rows of one body that each refer to a new one, which costs a request
WORDLESS = {*ORDINALS, "decimal"}  # types of whose bounds OpenAPI knows nothing
ROOM = 12  # characters that a number in front needs at most

_numbers = count(1)


class Rows:
    """Those of one caller."""

    def __init__(self, send: Send, users: list[str]) -> None:
        self._send = send
        self._users = users
        self._parents: dict[str, str] = {}

    def make_acceptable(self, route: str, body: Any) -> None:
        """Give each row of a body that fits the schema its own keys, and references that hold.

        `route` is a method and a path's template.
        """
        resource, name = _named(route)
        if resource is None or not isinstance(body, dict):
            return
        if name in {"POST", "PATCH /{id}"}:
            self._complete(resource, name, body)
        elif name in {"POST /bulk", "PUT /bulk"}:
            body["items"] = list(self._distinct(resource, body["items"]))

    def forget(self) -> None:
        """Refer to new rows from now on: those so far may have been deleted."""
        self._parents.clear()

    def _distinct(self, resource: Resource, rows: list[Row]) -> Iterator[Row]:
        """As many as a field has values for."""
        seen: set[str] = set()
        references = {each.name for each in resource.fields.values() if each.reference}
        for row in rows[:FEW] if references & resource.unique else rows:
            self._complete(resource, "POST", row)
            keys = {repr((names, [row.get(name) for name in names])) for names in resource.uniques}
            if seen.isdisjoint(keys):
                seen |= keys
                yield row

    def _complete(self, resource: Resource, route: str, row: Row) -> None:
        schema = body_of(resource.routes[route])
        refused = _refused(schema, row)
        for field in fields_of(schema, resource.table):
            if (
                field.name in refused & row.keys()
                and (field.shape.items or field.shape).type in WORDLESS
            ):
                row[field.name] = value(field.shape, next(_numbers))
            if row.get(field.name) is not None:
                row[field.name] = self._value(resource, field, row[field.name])

    def _value(self, resource: Resource, field: Field, given: Any) -> Any:
        n, unique = next(_numbers), field.name in resource.unique
        if field.reference == resource.table.name:
            return None  # the first one has none to refer to
        if field.reference == "users":
            return self._users[n % len(self._users)]
        if field.reference is not None:
            return self._new(field.reference) if unique else self._parent(field.reference)
        if not unique:
            return given
        room = field.shape.high is None or field.shape.high >= ROOM
        if field.shape.free and room and isinstance(given, str):
            return f"{n} {given}"[: field.shape.high]
        return value(field.shape, n)

    def _parent(self, table: str) -> str:
        if table not in self._parents:
            self._parents[table] = self._new(table)
        return self._parents[table]

    def _new(self, table: str) -> str:
        resource, n = resource_of(table), next(_numbers)
        row = {
            name: value(each.shape, n) for name, each in resource.fields.items() if each.required
        }
        self._complete(resource, "POST", row)
        return str(self._send(resource.path, row)["id"])


def is_shared(route: str) -> bool:
    """Whether the rows that the route reads have no owner, so that everybody may see them."""
    resource, name = _named(route)
    if resource is None:
        return False
    kinds = [each.field_info.annotation for each in resource.routes[name].dependant.query_params]
    filters = [each for each in kinds if isinstance(each, type) and issubclass(each, Filter)]
    model = filters[0].Constants.model if filters else resource.model
    return not issubclass(model, Owned)


def _refused(schema: type[BaseModel], row: Row) -> set[str]:
    """The fields whose values the schema does not take."""
    try:
        schema.model_validate_json(json.dumps(row))
    except ValidationError as error:
        return {str(each["loc"][0]) for each in error.errors()}
    return set()


def _named(route: str) -> tuple[Resource | None, str]:
    """The resource that the route is of, and what the resource calls it."""
    method, _, path = route.partition(" ")
    for each in RESOURCES:
        rest = re.sub(r"^/{\w+}", "/{id}", path.removeprefix(each.path))
        if path.startswith(each.path) and (name := f"{method} {rest}".strip()) in each.routes:
            return each, name
    return None, ""
