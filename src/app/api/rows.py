"""Answers that are an entity's rows: the bounds of their columns, and an example."""

from collections.abc import Iterator, Mapping
from typing import Any, get_args

from annotated_types import GroupedMetadata, MaxLen
from pydantic import BaseModel
from sqlalchemy import ARRAY, JSON, BigInteger, Integer, Numeric, String, Table
from sqlalchemy.types import TypeEngine

from app.api.entity_errors import Served
from app.api.samples import NONE, Samples, Schema
from app.core.limits import INT4_MAX, INT4_MIN, INT8_MAX, INT8_MIN
from app.core.schemas import ReadSchema

MAX_TEXT = 2**30 - 1  # bytes of a value, in PostgreSQL
MAX_ELEMENTS = 2**28 - 1  # of an array in jsonb


def row_schemas(model: Any) -> Iterator[type[ReadSchema]]:
    """Those in what a route answers: itself, or the items of a page."""
    if isinstance(model, type) and issubclass(model, ReadSchema):
        yield model
    elif isinstance(model, type) and issubclass(model, BaseModel):
        for each in model.__pydantic_generic_metadata__["args"]:
            yield from row_schemas(each)


def complete_row(schema: Schema, served: Served, table: Table, samples: Samples) -> None:
    """Bound each property by its column, and add an example, unless it has them."""
    for name, property in schema.get("properties", {}).items():
        if name in table.columns:
            longest = _longest(served.create.model_fields.get(name))
            for variant in property.get("anyOf", [property]):
                _bound(variant, table.columns[name].type, longest)
    if "example" not in schema:
        schema["example"] = _example(schema, served, samples)


def _bound(schema: Schema, column: TypeEngine[Any], longest: int | None) -> None:
    kind = schema.get("type")
    if kind == "array" and isinstance(column, ARRAY):
        if longest is not None:
            schema.setdefault("maxItems", longest)
        _bound(schema["items"], column.item_type, None)
    elif kind == "array" and isinstance(column, JSON):
        schema.setdefault("maxItems", MAX_ELEMENTS)
    elif kind == "string" and isinstance(column, Numeric) and column.precision is not None:
        scale = column.scale or 0
        whole = max(column.precision - scale, 1)
        fraction = rf"(\.\d{{1,{scale}}})?" if scale else ""
        schema["pattern"] = rf"^-?\d{{1,{whole}}}{fraction}$"
        schema["maxLength"] = len("-.") + whole + scale
    elif kind == "string" and isinstance(column, String) and "enum" not in schema:
        schema.setdefault("maxLength", column.length or longest or MAX_TEXT)
    elif kind == "integer" and isinstance(column, Integer):
        is_big = isinstance(column, BigInteger)
        schema.setdefault("minimum", INT8_MIN if is_big else INT4_MIN)
        schema.setdefault("maximum", INT8_MAX if is_big else INT4_MAX)


def _longest(field: Any) -> int | None:
    """What a request's field may have at most: characters, or elements."""
    return next((each.max_length for each in _metadata(field) if isinstance(each, MaxLen)), None)


def _metadata(annotation: Any) -> Iterator[Any]:
    """All that annotates it, the outermost first."""
    for each in getattr(annotation, "metadata", ()):
        yield from each if isinstance(each, GroupedMetadata) else [each]
    for each in get_args(getattr(annotation, "annotation", annotation)):
        yield each
        yield from _metadata(each)


def _example(schema: Schema, served: Served, samples: Samples) -> dict[str, Any]:
    """What comes of the example of a request that creates one."""
    sent = _declared(served.create)
    found: dict[str, Any] = {}
    for name, property in schema["properties"].items():
        field = served.create.model_fields.get(name)
        if name in sent:
            found[name] = sent[name]
        elif name == "version":
            found[name] = 1
        elif field is not None and not field.is_required():
            found[name] = field.get_default(call_default_factory=True)
        elif (value := samples.of(property, name)) is not NONE:
            found[name] = value
    return found


def _declared(model: type[BaseModel]) -> Mapping[str, Any]:
    extra = model.model_config.get("json_schema_extra")
    found = extra.get("example") if isinstance(extra, dict) else None
    return found if isinstance(found, dict) else {}
