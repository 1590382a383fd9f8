"""Turns what an endpoint returns into JSON, as its response model says.

A read schema that is no more than fields of plain types is written straight from a row's values,
without an instance of the schema for each row: the same members, in the same order and form. Any
other schema is validated and written by pydantic as usual.
"""

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from enum import StrEnum
from operator import itemgetter
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin
from uuid import UUID

import orjson
from asyncpg import Record

from app.common.rows import Rows
from app.core.bulk import BulkCreated
from app.core.pagination import Page
from app.core.schemas import ReadSchema
from app.dispatch.routes import Answer

# Those that orjson writes as pydantic does; a Decimal and a driver's UUID as their text.
PLAIN = {NoneType, bool, date, datetime, Decimal, float, int, str, time, UUID}

WRITTEN_AS_TEXT = (UUID, Decimal)

PLAIN_CONFIG = {
    "defer_build",
    "from_attributes",
    "json_schema_extra",
    "title",
}  # which change no value

MANY = (Page, BulkCreated)  # with rows as their `items`


class Renderer:
    """Makes JSON of one route's results."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        model = answer.model
        self._many = isinstance(model, type) and issubclass(model, MANY)
        row = model
        if self._many:
            self._members = tuple(model.model_fields)
            [row] = model.__pydantic_generic_metadata__["args"]
        fields = _plain_fields(row) if answer.is_whole and answer.response_class is None else {}
        self._names = tuple(fields)
        self._types = tuple(fields.values())
        self._values: Any = itemgetter(*fields) if fields else None
        self._dicts = {self._names: _dicts(self._names, self._names)} if fields else {}

    def __call__(self, result: Any) -> Any:
        """The content of a response; raises ResponseValidationError."""
        if self._names:
            try:
                return _to_json(self._plain(result))
            # Anything else than rows, or a value that takes pydantic to read or to write.
            except (AttributeError, KeyError, TypeError, orjson.JSONEncodeError):
                pass
        return self._answer.content(result)

    def _plain(self, result: Any) -> dict[str, Any]:
        if not self._many:
            return self._row(result if type(result) is dict else vars(result))
        if isinstance(result.items, Rows):  # of the columns' types, as they come
            items = self._to_dicts(result.items.mappings())
        else:
            items = [self._row(vars(item)) for item in result.items]
        members = vars(result)
        return {name: members[name] for name in self._members} | {"items": items}

    def _to_dicts(self, rows: Sequence[Any]) -> list[dict[str, Any]]:
        if not (rows and isinstance(rows[0], Record)):
            return self._dicts[self._names](map(self._values, rows))
        columns = (*rows[0].keys(),)
        if columns not in self._dicts:
            self._dicts[columns] = _dicts(self._names, columns)
        return self._dicts[columns](rows)

    def _row(self, row: Mapping[str, Any]) -> dict[str, Any]:
        [fields] = self._dicts[self._names]([self._values(row)])
        if not all(map(isinstance, fields.values(), self._types)):
            raise TypeError
        return fields


def _dicts(
    names: Sequence[str], columns: Sequence[str]
) -> Callable[[Iterable[Iterable[Any]]], list[dict[str, Any]]]:
    """Makes a dict of each row's values, by code as one would write it for just these names.

    It takes a third of the time of `dict(zip(...))`, which is the largest part of a page's cost.
    Raises KeyError for a name that is not among the columns.
    """
    variables = {column: f"value{at}" for at, column in enumerate(columns)}
    members = ", ".join(f"{name!r}: {variables[name]}" for name in names)
    code = f"lambda rows: [{{{members}}} for [{', '.join(variables.values())}] in rows]"
    return eval(code)  # noqa: S307 - names alone, as literals


def _plain_fields(schema: Any) -> dict[str, tuple[type, ...]]:
    """The types that each field may have; none if the schema is more than plain fields."""
    if not (isinstance(schema, type) and issubclass(schema, ReadSchema)):
        return {}
    decorators = schema.__pydantic_decorators__  # of validators, serializers, computed fields
    decorated = any(getattr(decorators, each.name) for each in dataclasses.fields(decorators))
    if decorated or schema.model_config.keys() - PLAIN_CONFIG:
        return {}
    fields = {}
    for name, info in schema.model_fields.items():
        kinds = get_args(info.annotation) if _is_union(info.annotation) else (info.annotation,)
        renamed = info.alias or info.serialization_alias or info.exclude or info.metadata
        if renamed or not all(_is_plain(kind) for kind in kinds):
            return {}
        fields[name] = tuple(_type_in_row(kind) for kind in kinds)
    return fields if len(fields) > 1 else {}  # an itemgetter of one name gives no tuple


def _is_union(annotation: Any) -> bool:
    return isinstance(annotation, UnionType) or get_origin(annotation) is Union


def _is_enum(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, StrEnum)


def _is_plain(kind: Any) -> bool:
    """Lists of plain values are plain, and so is what a JSON column holds."""
    if get_origin(kind) is list:
        [element] = get_args(kind)
        return element is Any or _is_plain(element)
    return kind in PLAIN or _is_enum(kind) or kind in {Any, dict[str, Any]}


def _type_in_row(kind: Any) -> type:
    if kind is Any:
        return object
    # A row has an enum's value, which is written as its member would be.
    return str if _is_enum(kind) else get_origin(kind) or kind


def _to_json(value: Any) -> bytes:
    return orjson.dumps(value, default=_text, option=orjson.OPT_UTC_Z)


def _text(value: Any) -> str:
    if isinstance(value, WRITTEN_AS_TEXT):
        return str(value)
    raise TypeError
