"""Makes the OpenAPI document complete: the errors of each route, and parameters as they are."""

from collections.abc import Iterator
from typing import Any

from app.config import Settings
from app.core.bulk import MAX_ROWS
from app.dependencies import REQUIRED
from app.exception_handlers import Problem

DESCRIPTION = """\
Register, log in, and put the token into *Authorize*: everything else needs it.

Errors have one shape, an RFC 9457 problem, and name the fields they are about. A parameter that a
route does not list below is refused, with the right name if there is one.
"""
PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
FASTAPI_ERRORS = ("HTTPValidationError", "ValidationError")


NOT_CHANGED = {"description": "Not changed since that ETag"}
IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "schema": {"type": "string"},
    "description": "Answer 304, without a body, if the ETag is still one of these.",
}
HEADERS = {
    "ETag": "The version, quoted: for If-Match and If-None-Match.",
    "Link": "The first, prev, next and, where it is known, last page (RFC 8288).",
    "Location": "Where it can be read.",
}


def complete(document: dict[str, Any], settings: Settings) -> dict[str, Any]:
    """Change FastAPI's document in place, and return it."""
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for name in FASTAPI_ERRORS:
        schemas.pop(name, None)
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= problem.pop("$defs") | {"Problem": problem}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            for parameter in operation.get("parameters", ()):
                parameter["required"] |= parameter["schema"].pop(REQUIRED, False)
            operation["responses"] = _successes(operation) | {
                str(status): {"description": description, "content": PROBLEM}
                for status, description in _errors(path, method, operation).items()
            }
            _add_headers(document, path, method, operation)
            for parameter in operation.get("parameters", ()):
                parameter["schema"] = _sendable(parameter["schema"])
    for each in _bulk_lists(schemas):
        each["maxItems"] = settings.max_bulk_rows
    return document


def _add_headers(
    document: dict[str, Any], path: str, method: str, operation: dict[str, Any]
) -> None:
    [(status, success)] = _successes(operation).items()
    fields = _fields(document, success)
    names = []
    if "version" in fields:
        names.append("ETag")
    if "next_cursor" in fields:
        names.append("Link")
    if status == "201" and any(each.startswith(f"{path}/{{") for each in document["paths"]):
        names.append("Location")
    if names:
        success["headers"] = {
            name: {"description": HEADERS[name], "schema": {"type": "string"}} for name in names
        }
    if "ETag" in names and method == "get":
        operation.setdefault("parameters", []).append(dict(IF_NONE_MATCH))
        operation["responses"]["304"] = NOT_CHANGED


def _fields(document: dict[str, Any], response: dict[str, Any]) -> dict[str, Any]:
    """The properties of what a response holds."""
    schema = response.get("content", {}).get("application/json", {}).get("schema", {})
    name = schema.get("$ref", "").rpartition("/")[2]
    properties: dict[str, Any] = (
        document["components"]["schemas"].get(name, {}).get("properties", {})
    )
    return properties


def _bulk_lists(schemas: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for schema in schemas.values():
        for each in schema.get("properties", {}).values():
            if each.get("maxItems") == MAX_ROWS:
                yield each


def _successes(operation: dict[str, Any]) -> dict[str, Any]:
    return {status: each for status, each in operation["responses"].items() if status < "400"}


def _errors(path: str, method: str, operation: dict[str, Any]) -> dict[int, str]:
    found = {422: "A parameter or a field is not acceptable", 503: "Try again shortly"}
    if "requestBody" in operation:
        found |= {
            400: "The body is not JSON",
            413: "The body is too large",
            415: "The body is not application/json",
        }
    if operation.get("security"):
        found[401] = "No live session"
    elif "requestBody" in operation:
        found |= {401: "Not accepted", 429: "Too many attempts"}
    if "{" in path:
        found[404] = "Missing, deleted, or somebody else's"
    if method in {"post", "put", "patch"}:
        found[409] = "A unique value is taken"
    for parameter in operation.get("parameters", ()):
        if parameter["name"] == "If-Match":
            found[412] = "It has changed since"
            if parameter["required"]:
                found[428] = "No If-Match"
    return dict(sorted(found.items()))


def _sendable(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter's schema without null, which no query string can send, and FastAPI's titles."""
    kinds = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    if len(kinds) == 1:
        schema = {name: value for name, value in schema.items() if name != "anyOf"} | kinds[0]
    elif kinds:
        schema = schema | {"anyOf": kinds}
    return {name: value for name, value in schema.items() if name != "title"}
