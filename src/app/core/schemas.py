"""What every body and every parameter is made of: strict, closed and bounded types."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

INT4_MIN, INT4_MAX = -(2**31), 2**31 - 1  # PostgreSQL's integer

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d")
_EARLIEST = datetime(1, 1, 2, tzinfo=UTC)
_LATEST = datetime(9999, 12, 30, tzinfo=UTC)


class Schema(BaseModel):
    """The base of request bodies: unknown fields and values of another type are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


def _without_default(schema: dict[str, Any]) -> None:
    schema.pop("default", None)


UNSET: Any = Field(default=None, json_schema_extra=_without_default)
"""The default of an update's fields: absent, which null is not."""


class ReadSchema(BaseModel):
    """The base of answers, filled from a model's attributes."""

    model_config = ConfigDict(from_attributes=True)


def _canonical(value: Any) -> Any:
    if isinstance(value, str) and not _UUID.fullmatch(value):
        raise ValueError("must be a UUID in its hyphenated form")
    return value


def _iso_8601(value: Any) -> Any:
    # Pydantic reads a string of digits as seconds since 1970.
    if isinstance(value, str) and not _DATE_TIME.match(value):
        raise ValueError("must be an ISO 8601 date and time with an offset")
    return value


def _storable(value: datetime) -> datetime:
    # Beyond these days an offset may leave the years that a datetime can hold in UTC.
    if not _EARLIEST <= value <= _LATEST:
        raise ValueError("must lie between the years 1 and 9999")
    return value


def _email(value: str) -> str:
    try:
        # Addresses within a company's own network are good ones here.
        checked = validate_email(value, check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError:
        raise ValueError("must be an email address") from None
    return checked.normalized.lower()


Text = Annotated[str, Field(pattern=r"^[^\x00]*$")]
"""Any Unicode but NUL, which PostgreSQL's text cannot hold."""

Integer = Annotated[int, Field(ge=INT4_MIN, le=INT4_MAX)]

Number = Annotated[Decimal, Field(max_digits=38, decimal_places=18)]
"""An exact decimal to compare with; a number without these bounds could wrap to 0 on its way."""

Id = Annotated[UUID, BeforeValidator(_canonical)]

Timestamp = Annotated[AwareDatetime, BeforeValidator(_iso_8601), AfterValidator(_storable)]

Email = Annotated[
    Text,
    Field(max_length=254, json_schema_extra={"format": "email"}),  # RFC 5321, 4.5.3.1.3
    AfterValidator(_email),
]
"""An address in its normal form, in lower case, as it is stored and compared."""
