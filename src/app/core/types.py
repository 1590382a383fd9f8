"""What the fields of bodies and the parameters are: strict and bounded types."""

import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Annotated, Any, TypeVar
from unicodedata import normalize
from uuid import UUID

from annotated_types import GroupedMetadata
from email_validator import EmailNotValidError, validate_email
from pydantic import (
    AfterValidator,
    AnyHttpUrl,
    AwareDatetime,
    BeforeValidator,
    Field,
    GetJsonSchemaHandler,
    TypeAdapter,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from app.core.limits import INT4_MAX, INT4_MIN, INT8_MAX, INT8_MIN

MAX_URL = 2083  # characters, of which browsers agree that they suffice
MAX_ELEMENTS = 100  # of an array

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(r"[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?")
# Of ordinary size: a zero of any exponent would have digits enough for its column.
_NUMBER = re.compile(r"[+-]?([0-9]{1,100}\.?[0-9]{0,100}|\.[0-9]{1,100})([eE][+-]?[0-9]{1,2})?")
_URL = re.compile(r"https?://(?!/)[^\s\x00-\x1f\x7f\\]+", re.IGNORECASE)  # that needs no repair
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_EARLIEST = datetime(1, 1, 2, tzinfo=UTC)
_LATEST = datetime(9999, 12, 30, tzinfo=UTC)
_PARSED_URL = TypeAdapter(AnyHttpUrl)


def _canonical(value: Any) -> Any:
    if not (isinstance(value, UUID) or (isinstance(value, str) and _UUID.fullmatch(value))):
        raise ValueError("must be a UUID in its hyphenated form")
    return value


def _iso_8601(value: Any) -> Any:
    # Pydantic reads digits as seconds since 1970.
    if not (isinstance(value, datetime) or (isinstance(value, str) and _DATE_TIME.match(value))):
        raise ValueError("must be an ISO 8601 date and time with an offset")
    return value


def _storable(value: datetime) -> datetime:
    # Beyond these days an offset may leave the years that a datetime can hold in UTC.
    if not _EARLIEST <= value <= _LATEST:
        raise ValueError("must lie between 0001-01-02 and 9999-12-30")
    return value


def _iso_date(value: Any) -> Any:
    # A datetime is a date, to Python.
    if not (type(value) is date or (isinstance(value, str) and _DATE.fullmatch(value))):
        raise ValueError("must be an ISO 8601 date")
    return value


def _storable_date(value: date) -> date:
    # The driver takes the first and the last day for infinities.
    if not date.min < value < date.max:
        raise ValueError("must lie between 0001-01-02 and 9999-12-30")
    return value


def _iso_time(value: Any) -> Any:
    naive = isinstance(value, time) and value.tzinfo is None
    if not (naive or (isinstance(value, str) and _TIME.fullmatch(value))):
        raise ValueError("must be an ISO 8601 time of day without an offset")
    return value


def _email(value: str) -> str:
    try:
        normal = _normal_address(value)
        # In lower case an address may be longer.
        if _normal_address(normal) == normal:
            return normal
    except EmailNotValidError:
        pass
    raise ValueError("must be an email address")


def _normal_address(address: str) -> str:
    # Addresses within a company's own network are good ones here.
    checked = validate_email(
        address, check_deliverability=False, globally_deliverable=False, test_environment=True
    )
    return _lower(checked.normalized)


def _lower(text: str) -> str:
    return normalize("NFC", text.lower())  # in lower case there may be letters to compose


def _url(value: str) -> str:
    try:
        if _URL.fullmatch(value):
            _PARSED_URL.validate_python(value)
            return value
    except ValidationError:
        pass
    raise ValueError("must be an http or https URL")


def _document(value: Any) -> Any:
    if not isinstance(value, (dict, list)):
        raise ValueError("must be a JSON object or array")  # noqa: TRY004 - pydantic's contract
    found: list[Any] = [value]
    for each in found:  # which grows: nesting has no limit here
        if isinstance(each, dict):
            found += map(_storable_text, each)
            found += each.values()
        elif isinstance(each, list):
            found += each
        elif isinstance(each, int | float):
            # What no double can hold, the next reader could not read.
            if not abs(each) <= sys.float_info.max:
                raise ValueError("must hold numbers of ordinary size")
        elif each is not None:
            _storable_text(each)
    return value


def _storable_text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("must hold JSON only")  # noqa: TRY004 - as above
    if "\0" in value or _SURROGATE.search(value):
        raise ValueError("must hold Unicode text without NUL")
    return value


NO_NUL = r"^[^\x00]*$"


class _Undocumented:
    """Keeps that pattern out of the documentation: example values made from it would be noise."""

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        documented = handler(schema)
        if documented.get("pattern") == NO_NUL:
            del documented["pattern"]
        return documented


@dataclass(frozen=True, slots=True)
class _Format:
    """Documents what a text is; unlike a field's extras, it goes together with others."""

    name: str

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return handler(schema) | {"format": self.name}


Text = Annotated[str, Field(pattern=NO_NUL), _Undocumented()]
"""Any Unicode but NUL, which PostgreSQL's text cannot hold.

A field's own pattern takes the place of this one, and must not match NUL either.
"""

Integer = Annotated[int, Field(ge=INT4_MIN, le=INT4_MAX)]

BigInteger = Annotated[int, Field(ge=INT8_MIN, le=INT8_MAX)]

Real = Annotated[float, Field(allow_inf_nan=False)]
"""A number that may be rounded."""


@dataclass(frozen=True, slots=True)
class Digits(GroupedMetadata):
    """The bounds of a column NUMERIC(precision, scale), and a field's own within them.

    Without the column's the driver makes 0 of 1E+131072, and fails on 0E-131072.
    """

    precision: int
    scale: int
    ge: Decimal | int | None = None
    le: Decimal | int | None = None

    def __iter__(self) -> Iterator[Any]:
        beyond = 10 ** (self.precision - self.scale)
        yield Field(
            decimal_places=self.scale,
            gt=-beyond if self.ge is None else None,
            ge=self.ge,
            le=self.le,
            lt=beyond if self.le is None else None,
            strict=False,
        )
        yield WrapValidator(self._reader())
        yield _DocumentedDigits(self.precision - self.scale, self.scale)

    def _reader(self) -> Callable[[Any, ValidatorFunctionWrapHandler], Any]:
        fraction = rf"(\.[0-9]{{1,{self.scale}}})?" if self.scale else ""
        plain = re.compile(rf"[0-9]{{1,{self.precision}}}{fraction}").fullmatch
        greatest = Decimal((0, (9,) * self.precision, -self.scale))
        low = Decimal(0 if self.ge is None else self.ge)
        high = greatest if self.le is None else Decimal(self.le)

        def read(value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
            if isinstance(value, str):
                # Most are of this form, and pydantic counts digits slowly.
                if plain(value) and low <= (number := Decimal(value)) <= high:
                    return number
                # Python reads `1_0`, ` 1 ` and the digits of every script.
                if not _NUMBER.fullmatch(value):
                    raise ValueError("must be a decimal number")
            elif isinstance(value, bool):
                raise ValueError("must be a decimal number")  # noqa: TRY004 - pydantic's contract
            return validate(value)

        return read


@dataclass(frozen=True, slots=True)
class _DocumentedDigits:
    """Shows the digits before the point and after it, which pydantic leaves out."""

    whole: int
    scale: int

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        number, text = handler(schema)["anyOf"]
        number["multipleOf"] = 10.0**-self.scale
        sign = r"\+?" if number.get("minimum", -1) >= 0 else "[+-]?"
        whole = rf"0*\d{{1,{self.whole}}}" if self.whole else "0+"
        bare = rf"\.\d{{1,{self.scale}}}0*" if self.scale else r"\.0+"
        text["pattern"] = rf"^{sign}({whole}(\.\d{{0,{self.scale}}}0*)?|{bare})$"
        return {"anyOf": [number, text]}


Number = Annotated[Decimal, Digits(38, 18)]
"""A decimal to compare with."""

# Not strict by themselves: after a validator of ours a value counts as Python's, no longer JSON's.
ROW_ID = BeforeValidator(_canonical)
"""Stands in the metadata of every Id: in a path, it names a row that may not be there."""

Id = Annotated[UUID, Field(strict=False), ROW_ID]

Timestamp = Annotated[
    AwareDatetime,
    Field(strict=False),
    BeforeValidator(_iso_8601),
    AfterValidator(_storable),
]

Email = Annotated[
    Text,
    Field(max_length=254),  # RFC 5321, 4.5.3.1.3
    _Format("email"),
    AfterValidator(_email),
]
"""An address in its normal form, in lower case, as it is stored and compared."""

AddressText = Annotated[Text, AfterValidator(_lower)]
"""What an Email is compared with: any text, in lower case."""

Day = Annotated[
    date,
    Field(strict=False),
    BeforeValidator(_iso_date),
    AfterValidator(_storable_date),
]

TimeOfDay = Annotated[time, Field(strict=False), BeforeValidator(_iso_time)]
"""As a clock on the wall shows it."""

Url = Annotated[
    str,
    Field(max_length=MAX_URL),
    _Format("uri"),
    AfterValidator(_url),
]
"""An http or https URL, kept as it was written."""

Json = Annotated[
    dict[str, Any] | list[Any],
    BeforeValidator(_document),
    WithJsonSchema({"anyOf": [{"type": "object"}, {"type": "array", "items": {}}]}),
]
"""Any JSON object or array that a jsonb column can hold, and give back."""

T = TypeVar("T")

Array = Annotated[list[T], Field(max_length=MAX_ELEMENTS)]
"""The values of an ARRAY column, none of them null."""
