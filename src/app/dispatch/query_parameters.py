"""Reads a query string against the names that a route declares, and refuses all others."""

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any
from urllib.parse import unquote_plus

from starlette.requests import HTTPConnection

from app.dispatch.routes import QueryValue
from app.exceptions import BadRequest, FieldError, Invalid, UnknownParameter
from app.request_state import request_state

MAX_REPORTED = 10  # wrong names; the search for similar ones takes time
MAX_NAME = 100
# What pydantic reads as a number, and no client means as one: `1_0`, ` 1`, `1.0` for an integer,
# and the digits of other scripts.
_LOOSE = re.compile(r"\s|.*[\s_]\Z|[^_]*_|[\x00-\x7f]*[^\x00-\x7f]", re.DOTALL)
_LOOSE_INTEGER = re.compile(rf"{_LOOSE.pattern}|[+-]?[0-9]+\.", re.DOTALL)
_NO_NUMBER = ""  # which is refused as any text would be


async def strict(connection: HTTPConnection) -> None:
    """As a dependency: refuse every parameter that the route does not declare.

    It makes the route's JSON body strict too: no member twice, no number that would be rounded.
    Raises UnknownParameter, Invalid for what only looks like a number, and BadRequest for a query
    that is not UTF-8.
    """
    operation = request_state(connection.scope).operation
    if operation is not None:
        operation.query.require_known(connection.scope["query_string"])


class QueryParameters:
    """Those that a route declares, by name."""

    def __init__(self, declared: Mapping[str, QueryValue]) -> None:
        self._many = {name: value.many for name, value in declared.items()}
        self._loose = {
            name: _LOOSE_INTEGER if value.number is int else _LOOSE
            for name, value in declared.items()
            if value.number is not None
        }

    def require_known(self, query_string: bytes) -> None:
        """Raises what `strict` does."""
        values, unknown = self.parse(query_string)
        if unknown:
            raise unknown
        wrong = [name for name in self._loose if _NO_NUMBER in _listed(values.get(name))]
        if wrong:
            message = "Input should be a valid number"
            raise Invalid(
                errors=[FieldError(("query", each), message, "number_parsing") for each in wrong]
            )

    def parse_any(self, query_string: bytes) -> dict[str, Any]:
        """As FastAPI reads a query: of one that is repeated the last, and unknown ones unseen."""
        values: dict[str, Any] = {}
        for name, value in _pairs(query_string.decode("latin-1")):
            if self._many.get(name):
                values.setdefault(name, []).append(value)
            else:
                values[name] = value
        return values

    def parse(self, query_string: bytes) -> tuple[dict[str, Any], UnknownParameter | None]:
        """The values by name, lists where declared so, and what is wrong with the names.

        Raises BadRequest for what is not UTF-8.
        """
        values: dict[str, Any] = {}
        if not query_string:
            return values, None
        try:
            return self._read(values, _pairs(query_string.decode(), "strict"))
        except UnicodeDecodeError:
            raise BadRequest("The query is not UTF-8") from None

    def _read(
        self, values: dict[str, Any], pairs: Iterator[tuple[str, str]]
    ) -> tuple[dict[str, Any], UnknownParameter | None]:
        errors: list[FieldError] = []
        for name, sent in pairs:
            many = self._many.get(name)
            loose = self._loose.get(name)
            value = sent
            if loose and any(map(loose.match, sent.split(",") if many else [sent])):
                value = _NO_NUMBER
            if many:
                values.setdefault(name, []).append(value)
            elif many is False and name not in values:
                values[name] = value
            elif len(errors) >= MAX_REPORTED:
                break
            elif many is None:
                errors.append(self._unknown(name[:MAX_NAME]))
            else:
                message = f"Parameter {name} may be given once"
                errors.append(FieldError(("query", name), message, "repeated_parameter"))
        return values, UnknownParameter(errors[0].message, errors=errors) if errors else None

    def _unknown(self, name: str) -> FieldError:
        near = get_close_matches(name, self._many, n=1, cutoff=0.5)
        hint = f": did you mean {near[0]}?" if near else ""
        return FieldError(("query", name), f"Unknown parameter {name}{hint}", "unknown_parameter")


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _pairs(query: str, errors: str = "replace") -> Iterator[tuple[str, str]]:
    """As `urllib.parse.parse_qsl` has them, blank values kept; most parts have nothing quoted."""
    for part in filter(None, query.split("&")):
        name, _, value = part.partition("=")
        if "%" in part or "+" in part:
            name, value = unquote_plus(name, errors=errors), unquote_plus(value, errors=errors)
        yield name, value
