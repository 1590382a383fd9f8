"""Makes the OpenAPI document complete: the errors of each route, and parameters as they are."""

from typing import Any

from app.config import Settings
from app.core.bulk import MAX_ROWS
from app.dependencies import REQUIRED
from app.exception_handlers import Problem
from app.middleware.correlation_id import ACCEPTED

DESCRIPTION = """\
Register, log in, and put the token into *Authorize*: everything else needs it.

Errors have one shape, an RFC 9457 problem, and name the fields they are about. A parameter that a
route does not list below is refused, with the right name if there is one.
"""
PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
FASTAPI_ERRORS = ("HTTPValidationError", "ValidationError")

IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "schema": {"type": "string"},
    "description": "Answer 304, without a body, if the ETag is still one of these.",
}
HEADERS = {
    "ETag": ("The version, quoted: for If-Match and If-None-Match.", r'^"\d+"$'),
    "Link": ("The first, prev, next and, where it is known, last page (RFC 8288).", "^</.*>"),
    "Location": ("Where it can be read.", "^/"),
    "Retry-After": ("Seconds to wait before the next attempt.", r"^\d+$"),
    "WWW-Authenticate": ("What to send, and whether a token that came was refused.", "^Bearer"),
    "X-Correlation-ID": (
        "The request's own, or one made for it.",
        f"^{ACCEPTED.pattern.decode()}$",
    ),
}
ERROR_HEADERS = {401: "WWW-Authenticate", 429: "Retry-After", 503: "Retry-After"}


def complete(document: dict[str, Any], settings: Settings) -> dict[str, Any]:
    """Change FastAPI's document in place, and return it."""
    components = document.setdefault("components", {})
    components["headers"] = {
        name: {
            "description": description,
            "required": True,
            "schema": {"type": "string", "pattern": pattern},
        }
        for name, (description, pattern) in HEADERS.items()
    }
    schemas = components.setdefault("schemas", {})
    for name in FASTAPI_ERRORS:
        schemas.pop(name, None)
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= problem.pop("$defs") | {"Problem": problem}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            for parameter in operation.get("parameters", ()):
                parameter["required"] |= parameter["schema"].pop(REQUIRED, False)
            status, success = _success(operation)
            names = _headers(document, path, status, success)
            operation["responses"] = {status: success | _with_headers(*names)} | {
                str(error): {"description": description, "content": PROBLEM}
                | _with_headers(*filter(None, [ERROR_HEADERS.get(error)]))
                for error, description in _errors(document, path, method, operation).items()
            }
            if "ETag" in names and method == "get":
                operation.setdefault("parameters", []).append(dict(IF_NONE_MATCH))
                unchanged = {"description": "Not changed since that ETag"}
                operation["responses"]["304"] = unchanged | _with_headers("ETag")
            for parameter in operation.get("parameters", ()):
                parameter["schema"] = _sendable(parameter["schema"])
                if parameter["name"] == "page":  # forms would send it, along with a cursor
                    parameter["schema"].pop("default", None)
                if description := parameter["schema"].pop("description", None):
                    parameter["description"] = description
    _set_limits(schemas, settings)
    return document


def _headers(
    document: dict[str, Any], path: str, status: str, success: dict[str, Any]
) -> list[str]:
    """The names of those that come with a success."""
    fields = _fields(document, success)
    names = []
    if "version" in fields:
        names.append("ETag")
    if "next_cursor" in fields:
        names.append("Link")
    if status == "201" and any(each.startswith(f"{path}/{{") for each in document["paths"]):
        names.append("Location")
    return names


def _with_headers(*names: str) -> dict[str, Any]:
    """These, and those of every response."""
    return {
        "headers": {
            name: {"$ref": f"#/components/headers/{name}"} for name in (*names, "X-Correlation-ID")
        }
    }


def _fields(document: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    """The properties of what a request or a response holds."""
    name = (_schema(body) or {}).get("$ref", "").rpartition("/")[2]
    properties: dict[str, Any] = (
        document["components"]["schemas"].get(name, {}).get("properties", {})
    )
    return properties


def _schema(body: dict[str, Any]) -> dict[str, Any] | None:
    schema: dict[str, Any] | None
    schema = body.get("content", {}).get("application/json", {}).get("schema")
    return schema


def _set_limits(schemas: dict[str, Any], settings: Settings) -> None:
    """Those that are settings."""
    for schema_name, schema in schemas.items():
        for name, each in schema.get("properties", {}).items():
            if each.get("maxItems") == MAX_ROWS:
                each["maxItems"] = settings.max_bulk_rows
            if name == "new_password" or (schema_name, name) == ("Register", "password"):
                each["minLength"] = settings.password_min_length


def _success(operation: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The status of what a route answers if all goes well, and the response."""
    [(status, response)] = [each for each in operation["responses"].items() if each[0] < "400"]
    if _schema(response) == {}:  # FastAPI's for an endpoint that returns None
        del response["content"]
    return status, response


def _errors(
    document: dict[str, Any], path: str, method: str, operation: dict[str, Any]
) -> dict[int, str]:
    found = {
        int(status): each["description"]
        for status, each in operation["responses"].items()
        if status >= "400"
    }
    found |= {422: "A parameter or a field is not acceptable", 503: "Try again shortly"}
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
    if "{" in path or "ids" in _fields(document, operation.get("requestBody", {})):
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
