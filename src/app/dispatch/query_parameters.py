"""Reads a query string against the names that a route declares, and refuses all others."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any
from urllib.parse import unquote_plus

from starlette.requests import HTTPConnection

from app.exceptions import FieldError, UnknownParameter
from app.request_state import request_state

MAX_REPORTED = 10  # wrong names; the search for similar ones takes time
MAX_NAME = 100


async def strict(connection: HTTPConnection) -> None:
    """As a dependency: refuse every parameter that the route does not declare.

    It makes the route's JSON body strict too: no member twice, no number that would be rounded.
    Raises UnknownParameter.
    """
    operation = request_state(connection.scope).operation
    if operation is not None:
        operation.query.require_known(connection.scope["query_string"])


class QueryParameters:
    """The names that a route declares, and for each whether it may be repeated."""

    def __init__(self, declared: Mapping[str, bool]) -> None:
        self._declared = dict(declared)

    def require_known(self, query_string: bytes) -> None:
        """Raises UnknownParameter."""
        _, unknown = self.parse(query_string)
        if unknown:
            raise unknown

    def parse_any(self, query_string: bytes) -> dict[str, Any]:
        """As FastAPI reads a query: of one that is repeated the last, and unknown ones unseen."""
        values: dict[str, Any] = {}
        for name, value in _pairs(query_string.decode("latin-1")):
            if self._declared.get(name):
                values.setdefault(name, []).append(value)
            else:
                values[name] = value
        return values

    def parse(self, query_string: bytes) -> tuple[dict[str, Any], UnknownParameter | None]:
        """The values by name, lists where declared so, and what is wrong with the names."""
        values: dict[str, Any] = {}
        if not query_string:
            return values, None
        errors: list[FieldError] = []
        for name, value in _pairs(query_string.decode("latin-1")):
            many = self._declared.get(name)
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
        near = get_close_matches(name, self._declared, n=1, cutoff=0.5)
        hint = f": did you mean {near[0]}?" if near else ""
        return FieldError(("query", name), f"Unknown parameter {name}{hint}", "unknown_parameter")


def _pairs(query: str) -> Iterator[tuple[str, str]]:
    """As `urllib.parse.parse_qsl` has them, blank values kept; most parts have nothing quoted."""
    for part in filter(None, query.split("&")):
        name, _, value = part.partition("=")
        if "%" in part or "+" in part:
            name, value = unquote_plus(name), unquote_plus(value)
        yield name, value
