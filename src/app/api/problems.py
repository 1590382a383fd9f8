"""The schema of errors, and an example of each."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import orjson
from starlette.exceptions import HTTPException

from app.api.samples import TIME, Schema
from app.core.limits import INT4_MAX
from app.core.schemas import FROM_SETTINGS
from app.exception_handlers import MAX_REPORTED, USUAL, HTTPError, Problem, problem
from app.exceptions import (
    AppError,
    MethodNotAllowed,
    PayloadTooLarge,
    RateLimited,
)
from app.middleware.correlation_id import ACCEPTED
from app.middleware.request_limits import MAX_HEAD

SCHEMAS = "#/components/schemas/"
EXAMPLES = "#/components/examples/"
CORRELATION_ID = "9a6c1b767f8f8015b91161f22056f3fb"

# A name that a body has too many is as long as the body may be.
_TEXT = {FROM_SETTINGS: {"maxLength": "max_bulk_body_size"}}
_BOUNDS: dict[str, dict[str, Schema]] = {
    "Problem": {
        "title": {"maxLength": 100},
        "status": {"minimum": 400, "maximum": 599},
        "detail": _TEXT,
        "error_code": {"maxLength": 100},
        "correlation_id": {"maxLength": 64, "pattern": f"^{ACCEPTED.pattern.decode()}$"},
        "errors": {"maxItems": MAX_REPORTED},
    },
    "FieldError": {
        "loc": {"maxItems": MAX_HEAD},
        "message": _TEXT,
        "code": {"maxLength": 100},
    },
}


def problem_schemas(taken: set[str]) -> tuple[str, dict[str, Schema]]:
    """The reference to a problem's, and those that it needs, under names that are free."""
    suffix = ""
    while {f"{each}{suffix}" for each in _BOUNDS} & taken:
        suffix += "_"
    made = Problem.model_json_schema(ref_template=f"{SCHEMAS}{{model}}{suffix}")
    found = {**made.pop("$defs"), "Problem": made}
    for name, bounds in _BOUNDS.items():
        for field, keywords in bounds.items():
            found[name]["properties"][field] |= keywords
    text, number = found["FieldError"]["properties"]["loc"]["items"]["anyOf"]
    text |= _TEXT
    number |= {"minimum": 0, "maximum": INT4_MAX}
    found["Problem"]["example"] = body_of(example(404))
    return f"{SCHEMAS}Problem{suffix}", {name + suffix: each for name, each in found.items()}


def example(status: int, words: str | None = None) -> AppError:
    """An error of the status, which says these words or what it usually says."""
    kind = USUAL.get(status)
    if kind is None:
        return HTTPError(HTTPException(status, words or HTTPStatus(status).phrase))
    if kind is RateLimited:
        return RateLimited(12, words and f"{words}: try again in 12 s")
    if kind is PayloadTooLarge:
        return PayloadTooLarge(1024 * 1024)
    if kind is MethodNotAllowed:
        return MethodNotAllowed(["GET"])
    return kind(words)


def body_of(error: AppError) -> dict[str, Any]:
    made: dict[str, Any] = orjson.loads(problem(error, CORRELATION_ID).body)
    return made | {"timestamp": TIME}


class ProblemExamples:
    """Those of one document, each there once; `schema` is the reference to that of all."""

    def __init__(self, schema: str) -> None:
        self.schema = schema
        self.components: dict[str, Schema] = {}
        self._names: dict[str, str] = {}

    def of(self, errors: Sequence[AppError]) -> dict[str, Schema]:
        """The `examples` of a response, by the codes of the errors."""
        found: dict[str, Schema] = {}
        for error in errors:
            key, number = error.error_code, 1
            while key in found:
                number += 1
                key = f"{error.error_code}_{number}"
            found[key] = {"$ref": f"{EXAMPLES}{self._name(error)}"}
        return found

    def _name(self, error: AppError) -> str:
        value = body_of(error)
        seen = repr(value)
        if seen not in self._names:
            stem = "".join(part.capitalize() for part in error.error_code.split("_"))
            name, number = stem, 1
            while name in self.components:
                number += 1
                name = f"{stem}{number}"
            self._names[seen] = name
            self.components[name] = {"summary": error.detail, "value": value}
        return self._names[seen]
