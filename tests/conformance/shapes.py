"""What a field takes, read from its schema, its annotation and its column."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any, get_args

from annotated_types import Ge, GroupedMetadata, Gt, Le, Lt
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from sqlalchemy import ARRAY, Numeric, Table

type Json = dict[str, Any]

ORDINALS: dict[str, Callable[[Any], int]] = {
    "date": date.toordinal,
    "date-time": lambda value: int(value.timestamp()),
    "time-local": lambda value: value.hour * 3600 + value.minute * 60 + value.second,
}
LIMITS = {
    "array": ("minItems", "maxItems"),
    "integer": ("minimum", "maximum"),
    "number": ("minimum", "maximum"),
    "text": ("minLength", "maxLength"),
}


@dataclass(frozen=True)
class Shape:
    """The bounds are of a value, in its smallest unit, of a length, or of a number of items."""

    type: str
    low: int | None = None
    high: int | None = None
    scale: int = 0
    pattern: str | None = None
    choices: tuple[Any, ...] = ()
    items: "Shape | None" = None

    @property
    def free(self) -> bool:
        """Whether any text fits, as far as it is neither too short nor too long."""
        return self.type == "text" and self.pattern is None


@dataclass(frozen=True)
class Field:
    """A field of a body; `reference` is the table of what its value is the id of."""

    name: str
    shape: Shape
    required: bool
    nullable: bool
    has_default: bool
    default: Any
    reference: str | None


def fields_of(schema: type[BaseModel], table: Table) -> Iterator[Field]:
    document = schema.model_json_schema()
    for name, given in document.get("properties", {}).items():
        column = table.columns[name]
        shape, nullable = shape_of(given, document.get("$defs", {}))
        shape = _within(_with_digits(shape, column.type), schema.model_fields[name])
        yield Field(
            name,
            shape,
            name in document.get("required", ()),
            nullable,
            "default" in given,
            given.get("default"),
            next((key.column.table.name for key in column.foreign_keys), None),
        )


def shape_of(schema: Json, definitions: Json) -> tuple[Shape, bool]:
    """The shape, and whether null fits as well; what is a number or a string is a decimal."""
    if "$ref" in schema:
        schema = definitions[schema["$ref"].rpartition("/")[2]]
    if "anyOf" in schema:
        kinds = [each for each in schema["anyOf"] if each != {"type": "null"}]
        nullable = len(kinds) < len(schema["anyOf"])
        if {each.get("type") for each in kinds} == {"number", "string"}:
            return Shape("decimal"), nullable
        return shape_of(kinds[0], definitions)[0], nullable
    if choices := schema.get("enum") or ([schema["const"]] if "const" in schema else None):
        return Shape("enum", choices=tuple(choices)), False
    kind = schema.get("type", "object")
    if kind == "string":
        shape = _bounded(schema.get("format", "text"), schema)
        return replace(shape, pattern=schema.get("pattern")), False
    if kind == "array":
        return replace(
            _bounded(kind, schema), items=shape_of(schema["items"], definitions)[0]
        ), False
    return _bounded(kind, schema), False


def _bounded(kind: str, schema: Json) -> Shape:
    low, high = (schema.get(each) for each in LIMITS.get(kind, ("", "")))
    if kind == "integer" and "exclusiveMinimum" in schema:
        low = schema["exclusiveMinimum"] + 1
    if kind == "integer" and "exclusiveMaximum" in schema:
        high = schema["exclusiveMaximum"] - 1
    return Shape(kind, low, high)


def _with_digits(shape: Shape, kind: Any) -> Shape:
    """A decimal as far as its column has room for it."""
    if shape.items and isinstance(kind, ARRAY):
        return replace(shape, items=_with_digits(shape.items, kind.item_type))
    if shape.type != "decimal":
        return shape
    assert isinstance(kind, Numeric)
    assert kind.precision is not None
    largest = 10**kind.precision - 1
    return replace(shape, low=-largest, high=largest, scale=kind.scale or 0)


def _within(shape: Shape, field: FieldInfo) -> Shape:
    """The shape within the bounds for which a JSON schema has no words."""
    if shape.type not in {*ORDINALS, "decimal"}:
        return shape
    for bound in _bounds(field):
        match bound:
            case Ge(ge=value):
                shape = replace(shape, low=_ordinal(shape, value))
            case Gt(gt=value):
                shape = replace(shape, low=_ordinal(shape, value) + 1)
            case Le(le=value):
                shape = replace(shape, high=_ordinal(shape, value))
            case Lt(lt=value):
                shape = replace(shape, high=_ordinal(shape, value) - 1)
    return shape


def _bounds(annotation: Any) -> Iterator[Any]:
    """All that annotates it, however deep."""
    yield annotation
    grouped = annotation if isinstance(annotation, GroupedMetadata) else ()
    for each in (*get_args(annotation), *getattr(annotation, "metadata", ()), *grouped):
        yield from _bounds(each)
    if isinstance(annotation, FieldInfo):
        yield from _bounds(annotation.annotation)


def _ordinal(shape: Shape, value: Any) -> int:
    if shape.type == "decimal":
        return int(Decimal(str(value)).scaleb(shape.scale))
    return ORDINALS[shape.type](value)
