"""The types of fields: what each becomes in the model, the schemas, the filters and the tests."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time

from app.core.limits import INT4_MAX, INT4_MIN, INT8_MAX, INT8_MIN

COMPARED = ("", "gt", "gte", "lt", "lte")
WRITTEN = ("", "in", "icontains", "istartswith")
CHOSEN = ("", "in")

NUMBER = re.compile(r"-?\d{1,100}(\.\d{1,100})?")


@dataclass(frozen=True, slots=True)
class Kind:
    """`{}` stands for the argument. `sized` says what `min` and `max` bound, if anything."""

    name: str
    help: str
    python: str  # of the model's attribute and the answer's field
    column: str  # the type of the column; empty if it follows from the annotation
    schema: str  # the type of the request's field
    operators: tuple[str, ...] = ()
    sized: str = ""  # "", "value", "length" or "count"
    argument: str = ""  # a pattern that the argument matches
    required: bool = False  # whether the argument must be given
    default_argument: str = ""
    sortable: bool = True
    searchable: bool = False
    literal: Callable[[str], str | None] | None = None  # a default as Python; None if it is invalid


def _number(low: int, high: int) -> Callable[[str], str | None]:
    def literal(text: str) -> str | None:
        return text if re.fullmatch(r"-?\d+", text) and low <= int(text) <= high else None

    return literal


def _decimal(text: str) -> str | None:
    if not NUMBER.fullmatch(text):
        return None
    return f'Decimal("{text}")' if "." in text else f"Decimal({int(text)})"


def _float(text: str) -> str | None:
    return text if NUMBER.fullmatch(text) else None


def _bool(text: str) -> str | None:
    return {"true": "True", "false": "False"}.get(text)


def _iso(kind: type[date | time], pattern: str) -> Callable[[str], str | None]:
    def literal(text: str) -> str | None:
        try:
            value = kind.fromisoformat(text)
        except ValueError:
            return None
        if not re.fullmatch(pattern, text):
            return None
        if kind is datetime:
            return f'datetime.fromisoformat("{text}")'
        return repr(value).removeprefix("datetime.")

    return literal


def _text(text: str) -> str:
    return f'"{text}"'


KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            "str", "a line of text, up to N characters (255)", "str", "String({})", "Text",
            WRITTEN, "length", r"[1-9]\d{0,4}", default_argument="255", searchable=True,
            literal=_text,
        ),
        Kind(
            "text", "any text, up to 10,000 characters or `max`", "str", "Text", "Text",
            WRITTEN, "length", searchable=True, literal=_text,
        ),
        Kind(
            "int", "an integer of 32 bits", "int", "", "Integer", COMPARED, "value",
            literal=_number(INT4_MIN, INT4_MAX),
        ),
        Kind(
            "bigint", "an integer of 64 bits", "int", "BigInteger", "BigInteger", COMPARED, "value",
            literal=_number(INT8_MIN, INT8_MAX),
        ),
        Kind(
            "bool", "true or false", "bool", "", "bool", CHOSEN, literal=_bool,
        ),
        Kind(
            "float", "a number that may be rounded", "float", "Double", "Real", COMPARED, "value",
            literal=_float,
        ),
        Kind(
            "decimal", "an exact number of P digits, S of them after the point", "Decimal",
            "Numeric({})", "Decimal", COMPARED, "value", r"[1-9]\d?\.\d\d?", required=True,
            literal=_decimal,
        ),
        Kind(
            "date", "a day", "date", "", "Day", COMPARED, "value",
            literal=_iso(date, r"\d{4}-\d\d-\d\d"),
        ),
        Kind(
            "datetime", "a moment, with its offset", "datetime", "", "Timestamp", COMPARED, "value",
            literal=_iso(datetime, r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?(Z|[-+]\d\d:\d\d)"),
        ),
        Kind(
            "time", "a time of day, without an offset", "time", "", "TimeOfDay", COMPARED, "value",
            literal=_iso(time, r"\d\d:\d\d(:\d\d)?"),
        ),
        Kind("uuid", "a UUID", "UUID", "", "Id", CHOSEN, sortable=False),
        Kind(
            "json", "any JSON object or array", "Document", "", "Json", sortable=False,
        ),
        Kind(
            "email", "an address, in its normal form", "str", "String(254)", "Email", WRITTEN,
            searchable=True,
        ),
        Kind(
            "url", "an http or https address", "str", "String(2083)", "Url", WRITTEN,
            searchable=True,
        ),
        Kind(
            "enum", "one of the words a/b/c", "", "", "", CHOSEN,
            argument=r"[A-Za-z][\w.-]{0,31}(/[A-Za-z][\w.-]{0,31})*", required=True,
        ),
        Kind(
            "ref", "a row of another entity; the column is called NAME_id", "UUID", "", "Id",
            CHOSEN, argument=r"[a-z][a-z0-9_]*", required=True, sortable=False,
        ),
        Kind(
            "array", "a list of up to 100 values, or `max`, of another type", "", "", "",
            sized="count", sortable=False,
        ),
    )
}  # fmt: skip

# What the types are called in other generators, languages and databases.
ELSEWHERE = {
    "string": "str", "varchar": "str", "char": "str", "longtext": "text", "integer": "int",
    "smallint": "int", "long": "bigint", "boolean": "bool", "double": "float", "real": "float",
    "number": "decimal", "numeric": "decimal", "money": "decimal", "timestamp": "datetime",
    "timestamptz": "datetime", "jsonb": "json", "dict": "json", "list": "array", "link": "url",
    "choice": "enum", "references": "ref", "belongs_to": "ref", "foreign_key": "ref", "fk": "ref",
}  # fmt: skip
ELEMENTS = tuple(name for name in KINDS if name not in {"json", "enum", "ref", "array"})
MAX_TEXT = 10_000
MAX_ELEMENTS = 100

FLAGS = {
    "null": "may be empty",
    "unique": "no two live rows (of one owner) have the same",
    "index": "lists are often filtered or ordered by it",
    "default": "its value where a request leaves it out",
    "min": "the least value, length, or number of elements",
    "max": "the greatest value, length, or number of elements",
    "ondelete": "what happens to this row when the one it refers to is deleted",
    "hidden": "can be written, but is in no answer",
    "readonly": "is in answers, but cannot be written; needs `null` or a default",
    "nofilter": "lists do not filter by it",
    "nosort": "lists are not ordered by it",
    "search": "the list's `search` looks in it",
}
VALUED = {"default", "min", "max", "ondelete"}
ON_DELETE = ("restrict", "cascade", "setnull")
