"""Makes the OpenAPI document complete: the errors of each route, and parameters as they are."""

from typing import Any

from app.exception_handlers import Problem

DESCRIPTION = """\
Register, log in, and put the token into *Authorize*: everything else needs it.

Errors have one shape, an RFC 9457 problem, and name the fields they are about. A parameter that a
route does not list below is refused, with the right name if there is one.
"""
PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
FASTAPI_ERRORS = ("HTTPValidationError", "ValidationError")


def complete(document: dict[str, Any]) -> dict[str, Any]:
    """Change FastAPI's document in place, and return it."""
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for name in FASTAPI_ERRORS:
        schemas.pop(name, None)
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= problem.pop("$defs") | {"Problem": problem}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            operation["responses"] = _successes(operation) | {
                str(status): {"description": description, "content": PROBLEM}
                for status, description in _errors(path, method, operation).items()
            }
            for parameter in operation.get("parameters", ()):
                parameter["schema"] = _sendable(parameter["schema"])
    return document


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
    return dict(sorted(found.items()))


def _sendable(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter's schema without null, which no query string can send, and FastAPI's titles."""
    kinds = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    if len(kinds) == 1:
        schema = {name: value for name, value in schema.items() if name != "anyOf"} | kinds[0]
    elif kinds:
        schema = schema | {"anyOf": kinds}
    return {name: value for name, value in schema.items() if name != "title"}
