"""The parameters of an operation: what FastAPI found, in order, bounded and described."""

from collections.abc import Mapping
from typing import Any

from app.api.entity_errors import is_row_id
from app.api.samples import Schema
from app.core.filters import Filter
from app.core.list_query import Operator
from app.core.schemas import NO_DEFAULT
from app.dependencies import REQUIRED
from app.dispatch.lists import filter_argument
from app.dispatch.query_parameters import strict
from app.dispatch.routes import Route
from app.middleware.request_limits import MAX_HEAD

IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "maxLength": MAX_HEAD},
    "description": "Answer 304, without a body, if its ETag is still one of these.",
}
# Of a list: after its filters, in this order.
GRAMMAR = ("search", "order_by", "deleted", "page", "size", "cursor", "total")
SIGNS = {
    Operator.EQ: "equals",
    Operator.NEQ: "differs",
    Operator.IN: "one of",
    Operator.NOT_IN: "none of",
    Operator.GT: ">",
    Operator.GTE: "≥",
    Operator.LT: "<",
    Operator.LTE: "≤",
    Operator.ISNULL: "is null",
    Operator.ICONTAINS: "contains",
    Operator.ISTARTSWITH: "starts with",
}


def complete_parameters(route: Route, operation: dict[str, Any]) -> None:
    """Those that FastAPI found; the last ones, if any, are declared in the route's extras."""
    declared = len((route.context.openapi_extra or {}).get("parameters", ()))
    found: list[dict[str, Any]] = operation.get("parameters", [])
    ours = found[: len(found) - declared]
    is_strict = strict in route.calls()
    ids = {each.alias for each in route.parameters() if is_row_id(each)}
    for parameter in ours:
        _complete(parameter)
        if is_strict:
            _bound(parameter["schema"])
        if parameter["name"] in ids and "description" not in parameter:
            thing = parameter["name"].removesuffix("_id").replace("_", " ")
            parameter["description"] = f"The id of the {thing}."
    if (filters := filter_of(route)) is not None:
        ours.sort(key=lambda each: _rank(each, filters))  # which is stable
        found[: len(ours)] = ours
        told = operation.get("description")
        operation["description"] = "\n\n".join(filter(None, [told, _filters_told(filters)]))


def add_if_none_match(operation: dict[str, Any]) -> None:
    parameters = operation.setdefault("parameters", [])
    if not any(each.get("name", "").lower() == "if-none-match" for each in parameters):
        parameters.append(dict(IF_NONE_MATCH))


def filter_of(route: Route) -> type[Filter] | None:
    argument = filter_argument(route)
    return None if argument is None else route.query_models()[0][argument]


def _complete(parameter: dict[str, Any]) -> None:
    schema = parameter["schema"] = _sendable(parameter["schema"])
    parameter["required"] |= schema.pop(REQUIRED, False)
    if schema.pop(NO_DEFAULT, False):
        schema.pop("default", None)
    if description := schema.pop("description", None):
        parameter["description"] = description
    if examples := schema.pop("examples", None):
        parameter["example"] = examples[0]
    if schema.get("title") == parameter["name"].title().replace("_", " "):  # FastAPI's own
        del schema["title"]


def _sendable(schema: Schema) -> Schema:
    """A parameter's schema without null, which no query string can send."""
    kinds = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    if len(kinds) == 1:
        return {name: value for name, value in schema.items() if name != "anyOf"} | kinds[0]
    return schema | {"anyOf": kinds} if kinds else schema


def _bound(schema: Schema) -> None:
    """A text is not longer than the head of a request may be."""
    for each in (schema, schema.get("items", {}), *schema.get("anyOf", ())):
        if each.get("type") == "string" and not {"enum", "format", "maxLength"} & each.keys():
            each["maxLength"] = MAX_HEAD


def _rank(parameter: Mapping[str, Any], filters: type[Filter]) -> tuple[int, int]:
    """The path, the filters field by field, then the grammar of lists, then headers."""
    name = parameter["name"]
    if parameter["in"] == "path":
        return 0, 0
    fields = filters.declared_fields()
    if name in fields:
        return 1, [*fields.values()].index(fields[name])
    return (2, GRAMMAR.index(name)) if name in GRAMMAR else (3, 0)


def _filters_told(filters: type[Filter]) -> str:
    """A table of the filters, a field on each line."""
    rows: dict[str, list[str]] = {}
    for parameter, field in filters.declared_fields().items():
        operator = Operator(parameter.partition("__")[2] or "eq")
        rows.setdefault(field, []).append(f"`{parameter}` ({SIGNS[operator]})")
    lines = [f"| {field} | {', '.join(told)} |" for field, told in rows.items()]
    head = ["| field | filters |", "|---|---|"]
    return "\n".join([*head, *lines]) if lines else ""
