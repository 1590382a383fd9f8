"""A column of many rows as one text, which PostgreSQL reads as an array.

The driver encodes an array element by element, which would be most of what a bulk call costs. An
element that is an array itself is sent as a text too, since `unnest` would flatten nested arrays.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import repeat
from operator import attrgetter, is_
from typing import Any

from sqlalchemy import (
    ARRAY,
    Boolean,
    Date,
    DateTime,
    Dialect,
    Float,
    Numeric,
    Text,
    Time,
    TypeDecorator,
    Uuid,
)
from sqlalchemy import Enum as EnumType
from sqlalchemy import Integer as IntegerType
from sqlalchemy.types import TypeEngine

BARE = (
    Boolean,
    Date,
    DateTime,
    Float,
    IntegerType,
    Numeric,
    Time,
    Uuid,
)  # whose text needs no quotes


class ArrayText(TypeDecorator[Sequence[Any]]):
    """PostgreSQL can read what `str` makes of a scalar; of a StrEnum, that is its value."""

    impl = Text
    cache_ok = True

    def __init__(self, element: TypeEngine[Any]) -> None:
        super().__init__()
        self.element = element

    def process_bind_param(self, value: Sequence[Any] | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        if isinstance(self.element, BARE):
            text = attrgetter("hex") if isinstance(self.element, Uuid) else str
            return "{" + ",".join(_texts(value, text)) + "}"
        convert = self._converter(dialect)
        return "{" + _quoted(value if convert is None else list(map(convert, value))) + "}"

    def _converter(self, dialect: Dialect) -> Callable[[Any], Any] | None:
        if isinstance(self.element, ARRAY):
            nested = ArrayText(self.element.item_type)
            return lambda each: nested.process_bind_param(each, dialect)
        if isinstance(self.element, EnumType):
            return None
        return self.element.dialect_impl(dialect).bind_processor(dialect)


def _texts(values: Iterable[Any], text: Callable[[Any], str]) -> Iterable[str]:
    if any(map(is_, values, repeat(None))):
        return ("NULL" if each is None else text(each) for each in values)
    return map(text, values)


def _quoted(values: Sequence[str | None]) -> str:
    """Quote every element but NULL; all at once, since there may be many."""
    if not any(map(is_, values, repeat(None))):
        joined = "\0".join(values)  # pyrefly: ignore[no-matching-overload]  # none of them is None
        if joined.count("\0") == len(values) - 1:  # else one has a NUL, which PostgreSQL refuses
            return '"' + _escaped(joined).replace("\0", '","') + '"'
    return ",".join("NULL" if each is None else f'"{_escaped(each)}"' for each in values)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
