"""What every body and every parameter is made of: strict, closed and bounded types."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from annotated_types import GroupedMetadata
from email_validator import EmailNotValidError, validate_email
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    JsonValue,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

INT4_MIN, INT4_MAX = -(2**31), 2**31 - 1  # PostgreSQL's integer

MAX_EXPONENT = 100  # of ten

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_EARLIEST = datetime(1, 1, 2, tzinfo=UTC)
_LATEST = datetime(9999, 12, 30, tzinfo=UTC)


class Schema(BaseModel):
    """The base of request bodies: unknown fields and values of another type are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


def _without_default(schema: dict[str, Any]) -> None:
    schema.pop("default", None)


UNSET: Any = Field(default=None, json_schema_extra=_without_default)
"""The default of an update's fields: absent, which null is not."""


def example(**fields: JsonValue) -> ConfigDict:
    """The configuration of a schema that shows these values in the documentation."""
    return ConfigDict(json_schema_extra={"example": fields})


class ReadSchema(BaseModel):
    """The base of answers, filled from a model's attributes."""

    model_config = ConfigDict(from_attributes=True)


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
        raise ValueError("must lie between the years 1 and 9999")
    return value


def _ascii_number(value: Any) -> Any:
    # Python reads `1_0`, ` 1 ` and the digits of every script.
    if isinstance(value, bool) or (isinstance(value, str) and not _NUMBER.fullmatch(value)):
        raise ValueError("must be a decimal number")
    return value


def _plain(value: Decimal) -> Decimal:
    if abs(value.adjusted()) > MAX_EXPONENT:
        raise ValueError("must be a number of ordinary size")
    return value


def _email(value: str) -> str:
    try:
        # Addresses within a company's own network are good ones here.
        checked = validate_email(value, check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError:
        raise ValueError("must be an email address") from None
    return checked.normalized.lower()


class _Undocumented:
    """Keeps a pattern out of the documentation: example values made from it would be noise."""

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        documented = handler(schema)
        documented.pop("pattern", None)
        return documented


Text = Annotated[str, Field(pattern=r"^[^\x00]*$"), _Undocumented()]
"""Any Unicode but NUL, which PostgreSQL's text cannot hold."""

Integer = Annotated[int, Field(ge=INT4_MIN, le=INT4_MAX)]


@dataclass(frozen=True, slots=True)
class Digits(GroupedMetadata):
    """The bounds of a column NUMERIC(precision, scale); the last of a decimal's annotations.

    Without them the driver makes 0 of 1E+131072, and fails on 0E-131072.
    """

    precision: int
    scale: int

    def __iter__(self) -> Iterator[Any]:
        yield Field(max_digits=self.precision, decimal_places=self.scale, strict=False)
        yield AfterValidator(_plain)
        yield BeforeValidator(_ascii_number)


Number = Annotated[Decimal, Digits(38, 18)]
"""A decimal to compare with."""

# Not strict by themselves: after a validator of ours a value counts as Python's, no longer JSON's.
Id = Annotated[UUID, Field(strict=False), BeforeValidator(_canonical)]

Timestamp = Annotated[
    AwareDatetime,
    Field(strict=False),
    BeforeValidator(_iso_8601),
    AfterValidator(_storable),
]

Email = Annotated[
    Text,
    Field(max_length=254, json_schema_extra={"format": "email"}),  # RFC 5321, 4.5.3.1.3
    AfterValidator(_email),
]
"""An address in its normal form, in lower case, as it is stored and compared."""
