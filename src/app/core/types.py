"""What the fields of bodies and the parameters are: strict and bounded types."""

from datetime import date, time
from decimal import Decimal
from typing import Annotated, Any, TypeVar
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, WithJsonSchema

from app.core import schemas, validators
from app.core.digits import Digits
from app.core.limits import INT4_MAX, INT4_MIN, INT8_MAX, INT8_MIN
from app.core.validators import NO_NUL, Format, Undocumented

MAX_URL = 2083  # characters, which all browsers accept
MAX_ELEMENTS = 100  # of an array

Text = Annotated[str, Field(pattern=NO_NUL), Undocumented()]
"""Any Unicode but NUL, which PostgreSQL's text cannot hold.

A field's own pattern takes the place of this one, and must not match NUL either.
"""

Integer = Annotated[int, Field(ge=INT4_MIN, le=INT4_MAX)]

BigInteger = Annotated[int, Field(ge=INT8_MIN, le=INT8_MAX)]

Real = Annotated[float, Field(allow_inf_nan=False)]
"""A number that may be rounded."""


Number = Annotated[Decimal, Digits(38, 18)]
"""A decimal that a filter compares with."""

# strict=False: after a BeforeValidator pydantic takes a value for Python's, and refuses its text.
ROW_ID = BeforeValidator(validators.hyphenated)
"""Stands in the metadata of every Id: in a path, it names a row that may not be there."""

Id = Annotated[UUID, Field(strict=False), ROW_ID]

Timestamp = Annotated[
    AwareDatetime,
    Field(strict=False),
    BeforeValidator(validators.iso_date_time),
    AfterValidator(validators.storable_date_time),
]

Email = Annotated[
    Text,
    Field(max_length=254),  # RFC 5321, 4.5.3.1.3
    Format("email"),
    AfterValidator(validators.email_address),
]
"""An address in its normal form, in lower case, as it is stored and compared."""

AddressText = Annotated[Text, AfterValidator(validators.lower_case)]
"""What a filter compares an Email with: any text, in lower case."""

Day = Annotated[
    date,
    Field(strict=False),
    BeforeValidator(validators.iso_date),
    AfterValidator(validators.storable_date),
]

TimeOfDay = Annotated[
    time,
    Field(strict=False),
    BeforeValidator(validators.iso_time),
    WithJsonSchema({**schemas.LOCAL_TIME}),
]
"""A time of day, without an offset."""

Url = Annotated[
    str,
    Field(max_length=MAX_URL),
    Format("uri"),
    AfterValidator(validators.web_address),
]
"""An http or https URL, kept as it was written."""

Ip = Annotated[str, schemas.documented(maxLength=45, examples=["203.0.113.7"])]
"""An answered address of the internet, of either version."""

# Each needs a byte of the body, or more.
_ITEMS = schemas.from_settings(maxItems="max_bulk_body_size")

Json = Annotated[
    dict[str, Any] | list[Any],
    BeforeValidator(validators.json_document),
    WithJsonSchema({"anyOf": [{"type": "object"}, {"type": "array", "items": {}, **_ITEMS}]}),
]
"""Any JSON object or array that a jsonb column can store and return unchanged."""

T = TypeVar("T")

Array = Annotated[list[T], Field(max_length=MAX_ELEMENTS)]
"""The elements of an ARRAY column; none may be null."""
