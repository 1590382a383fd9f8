"""Reads a query string against the names that a route declares, and refuses all others."""

from collections.abc import Iterator
from difflib import get_close_matches
from types import UnionType
from typing import Any, Union, get_args, get_origin
from urllib.parse import unquote_plus

from fastapi.dependencies.models import Dependant
from pydantic import BaseModel

from app.exceptions import FieldError, UnknownParameter

MAX_REPORTED = 10  # wrong names; the search for similar ones takes time
MAX_NAME = 100


class QueryParameters:
    def __init__(self, dependant: Dependant) -> None:
        self._declared = dict(_names(dependant))

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


def _names(dependant: Dependant) -> Iterator[tuple[str, bool]]:
    """Each declared name, and whether it is a list; a model stands for its fields."""
    for field in dependant.query_params:
        annotation = field.field_info.annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            for name, info in annotation.model_fields.items():
                yield info.alias or name, _is_list(info.annotation)
        else:
            yield field.alias, _is_list(annotation)
    for each in dependant.dependencies:
        yield from _names(each)


def _is_list(annotation: Any) -> bool:
    if get_origin(annotation) in {Union, UnionType}:
        return any(_is_list(each) for each in get_args(annotation))
    return annotation is list or get_origin(annotation) is list
