"""Turns what an endpoint returns into JSON, as its response model says.

A read schema that is no more than fields is written straight from a row's values, without an
instance of the schema for each row: the same members in the same form, and an error where a value
is not of its type. Any other schema is validated and written by pydantic as usual.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from operator import itemgetter
from types import UnionType
from typing import Annotated, Any, TypedDict, Union, get_args

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError

from app.common.rows import Rows
from app.core.pagination import Page
from app.core.schemas import ReadSchema


class Renderer:
    def __init__(self, response_model: Any) -> None:
        self._declared = response_model
        self._adapter = TypeAdapter[Any](response_model)
        self._page = isinstance(response_model, type) and issubclass(response_model, Page)
        row = response_model
        if self._page:
            [row] = response_model.__pydantic_generic_metadata__["args"]
        fields = _plain_fields(row)
        self._names = tuple(fields)
        self._values: Any = itemgetter(*fields) if fields else None
        if fields and self._page:
            envelope = {name: info.annotation for name, info in Page.model_fields.items()}
            fields = envelope | {"items": list[_typed_dict("Row", fields)]}  # type: ignore[misc]
        shape = _typed_dict("Answer", fields)
        self._serializer = TypeAdapter[Any](shape).serializer if fields else None

    def __call__(self, result: Any) -> bytes:
        """Raises RuntimeError, without the values, for a result that is not what was declared."""
        try:
            if self._serializer is None:
                return self._adapter.dump_json(self._adapter.validate_python(result))
            if self._page:
                rows = [self._pick(row) for row in _mappings(result.items)]
                return self._serializer.to_json({**vars(result), "items": rows}, warnings="error")
            return self._serializer.to_json(self._pick(vars(result)), warnings="error")
        except (ValidationError, PydanticSerializationError, KeyError):
            raise RuntimeError(f"The result is not what {self._declared} declares") from None

    def _pick(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The declared fields of a row, in the order in which they are declared."""
        return dict(zip(self._names, self._values(row), strict=True))


def _mappings(items: Sequence[Any]) -> Sequence[Any]:
    return items.mappings() if isinstance(items, Rows) else [vars(item) for item in items]


def _plain_fields(schema: Any) -> dict[str, Any]:
    """The type of each field as it is written; none if the schema is more than its fields."""
    if not (isinstance(schema, type) and issubclass(schema, ReadSchema)):
        return {}
    made = schema.__pydantic_decorators__
    if made.field_serializers or made.model_serializers or made.computed_fields:
        return {}
    if len(schema.model_fields) < 2:  # an itemgetter of one name gives no tuple
        return {}
    fields = {}
    for name, info in schema.model_fields.items():
        if info.alias or info.serialization_alias or info.exclude or _nests(info.annotation):
            return {}
        written = _without_enums(info.annotation)
        fields[name] = Annotated[written, *info.metadata] if info.metadata else written
    return fields


def _nests(annotation: Any) -> bool:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return True
    return any(_nests(each) for each in get_args(annotation))


def _without_enums(annotation: Any) -> Any:
    """A row has an enum's value, which is written as its member would be."""
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return str
    if isinstance(annotation, UnionType):
        return Union[tuple(_without_enums(each) for each in get_args(annotation))]  # noqa: UP007
    return annotation


def _typed_dict(name: str, fields: dict[str, Any]) -> Any:
    return TypedDict(name, fields)  # type: ignore[operator]  # mypy knows only literal ones
