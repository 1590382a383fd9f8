"""Example values, made of JSON schemas: none is a placeholder such as `"string"`."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

type Schema = dict[str, Any]

ID, OTHER_ID = "01a1fa9e-6c89-76b7-94fd-6bcb6a3dcda9", "01a1fa9e-6c3b-7d62-862d-394aede28180"
TIME = "2026-01-05T12:00:00Z"
MAX_DEPTH = 8  # schemas may refer to themselves
FORMATS = {
    "date": "2026-01-05",
    "date-time": TIME,
    "email": "ada@example.com",
    "time": "12:00:00Z",
    "time-local": "12:00:00",
    "uri": "https://example.com/a",
    "uuid": OTHER_ID,
}
NUMBERS = ("1", "0", "1.50")  # texts that patterns of numbers match

NONE: Final = object()
"""There is no example; null is one."""


class Samples:
    """Of one document; `schemas` are its components."""

    def __init__(self, schemas: Mapping[str, Schema]) -> None:
        self._schemas = schemas

    def of(self, schema: Schema, name: str = "", depth: int = 0) -> Any:
        """A value that fits the schema of what is called `name`, or NONE."""
        if "$ref" in schema:
            found = self._schemas.get(schema["$ref"].rpartition("/")[2])
            return NONE if found is None or depth > MAX_DEPTH else self.of(found, name, depth + 1)
        declared = _declared(schema)
        if declared is not NONE:
            return declared
        if kinds := schema.get("anyOf", schema.get("oneOf")):
            return self._of_one(kinds, name, depth)
        makers: dict[Any, Callable[[], Any]] = {
            "object": lambda: self._object(schema, depth),
            "array": lambda: self._array(schema, name, depth),
            "string": lambda: _text(schema, name),
            "integer": lambda: _number(schema),
            "number": lambda: _number(schema),
            "boolean": lambda: True,
        }
        make = makers.get(schema.get("type"))
        return make() if make else NONE

    def _of_one(self, kinds: list[Schema], name: str, depth: int) -> Any:
        """One that says what is typical; otherwise null where it may be that, or the first."""
        for each in kinds:
            if "$ref" not in each and (declared := _declared(each)) is not NONE:
                return declared
        if {"type": "null"} in kinds:
            return None
        found = (self.of(each, name, depth) for each in kinds)
        return next((each for each in found if each is not NONE), NONE)

    def _object(self, schema: Schema, depth: int) -> Any:
        found = {
            name: self.of(each, name, depth) for name, each in schema.get("properties", {}).items()
        }
        if any(found.get(name, NONE) is NONE for name in schema.get("required", ())):
            return NONE
        return {name: value for name, value in found.items() if value is not NONE}

    def _array(self, schema: Schema, name: str, depth: int) -> Any:
        value = self.of(schema.get("items", {}), name.removesuffix("s"), depth)
        least = schema.get("minItems", 0)
        if value is NONE:
            return NONE if least else []
        return [value] * max(1, least)


def _declared(schema: Schema) -> Any:
    if "example" in schema:
        return schema["example"]
    for key in ("examples", "enum"):
        if schema.get(key):
            return schema[key][0]
    return schema.get("const", schema.get("default", NONE))


def _text(schema: Schema, name: str) -> Any:
    """In the words of its name, where it has no form."""
    if "format" in schema:
        return (
            ID
            if schema["format"] == "uuid" and name == "id"
            else FORMATS.get(schema["format"], NONE)
        )
    words = name.replace("_", " ").strip() or "text"
    low, high = schema.get("minLength", 0), schema.get("maxLength", len(words) + 100)
    texts = (words[:high].strip().ljust(low, "x"), *NUMBERS)
    pattern = schema.get("pattern")
    return next(
        (
            each
            for each in texts
            if low <= len(each) <= high and (pattern is None or re.search(pattern, each))
        ),
        NONE,
    )


def _number(schema: Schema) -> Any:
    """1, or what is closest to it."""
    value = 1
    if "minimum" in schema or "exclusiveMinimum" in schema:
        least = schema.get("minimum", schema.get("exclusiveMinimum"))
        value = max(value, least + ("exclusiveMinimum" in schema))
    if "maximum" in schema or "exclusiveMaximum" in schema:
        most = schema.get("maximum", schema.get("exclusiveMaximum"))
        value = min(value, most - ("exclusiveMaximum" in schema))
    return value
