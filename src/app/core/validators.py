"""What the types of fields and parameters accept, beyond what pydantic checks."""

import re
import sys
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any
from unicodedata import normalize
from uuid import UUID

from email_validator import EmailNotValidError, validate_email
from pydantic import AnyHttpUrl, GetJsonSchemaHandler, TypeAdapter, ValidationError
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_DATE_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}")
_LOST_PLUS = re.compile(r" [0-9]{2}:?[0-9]{2}\Z")  # after it: a space, as a form writes it
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(r"[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?")
_URL = re.compile(
    r"https?://(?!/)[^\s\x00-\x1f\x7f\\]+", re.IGNORECASE
)  # pydantic would repair others
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_EARLIEST = datetime(1, 1, 2, tzinfo=UTC)
_LATEST = datetime(9999, 12, 30, tzinfo=UTC)
_PARSED_URL = TypeAdapter(AnyHttpUrl)


def hyphenated(value: Any) -> Any:
    if not (isinstance(value, UUID) or (isinstance(value, str) and _UUID.fullmatch(value))):
        raise ValueError("must be a UUID in its hyphenated form")
    return value


def iso_date_time(value: Any) -> Any:
    # Pydantic reads digits as seconds since 1970.
    if not (isinstance(value, datetime) or (isinstance(value, str) and _DATE_TIME.match(value))):
        raise ValueError("must be an ISO 8601 date and time with an offset")
    if isinstance(value, str) and _LOST_PLUS.search(value, len("2026-01-05T12:00")):
        raise ValueError("must have its + written as %2B in a URL, where + is a space")
    return value


def storable_date_time(value: datetime) -> datetime:
    # Beyond these days, a conversion to UTC may leave the years that a datetime can hold.
    if not _EARLIEST <= value <= _LATEST:
        raise ValueError("must lie between 0001-01-02 and 9999-12-30")
    return value


def iso_date(value: Any) -> Any:
    # In Python a datetime is a date too.
    if not (type(value) is date or (isinstance(value, str) and _DATE.fullmatch(value))):
        raise ValueError("must be an ISO 8601 date")
    return value


def storable_date(value: date) -> date:
    # The driver would store the first and the last day as infinities.
    if not date.min < value < date.max:
        raise ValueError("must lie between 0001-01-02 and 9999-12-30")
    return value


def iso_time(value: Any) -> Any:
    naive = isinstance(value, time) and value.tzinfo is None
    if not (naive or (isinstance(value, str) and _TIME.fullmatch(value))):
        raise ValueError("must be an ISO 8601 time of day without an offset")
    return value


def email_address(value: str) -> str:
    try:
        normal = _normal_address(value)
        # In lower case an address may be longer, and too long. What looks like an encoded word
        # (RFC 2047, 2) would lead to another mailbox where it is read as one.
        if _normal_address(normal) == normal and "=?" not in normal:
            return normal
    except EmailNotValidError:
        pass
    raise ValueError("must be an email address")


def _normal_address(address: str) -> str:
    # Addresses within a company's network, such as ada@intranet, are accepted.
    checked = validate_email(
        address, check_deliverability=False, globally_deliverable=False, test_environment=True
    )
    return lower_case(checked.normalized)


def lower_case(text: str) -> str:
    return normalize("NFC", text.lower())  # lower() may leave letters to compose


def web_address(value: str) -> str:
    try:
        if _URL.fullmatch(value):
            _PARSED_URL.validate_python(value)
            return value
    except ValidationError:
        pass
    raise ValueError("must be an http or https URL")


def json_document(value: Any) -> Any:
    if not isinstance(value, (dict, list)):
        raise ValueError("must be a JSON object or array")  # noqa: TRY004 - pydantic's contract
    found: list[Any] = [value]
    for each in found:  # it grows meanwhile, so that deep nesting needs no recursion
        if isinstance(each, dict):
            found += map(_storable_text, each)
            found += each.values()
        elif isinstance(each, list):
            found += each
        elif isinstance(each, int | float):
            # Most JSON parsers cannot read what no double can hold.
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


class Undocumented:
    """Leaves NO_NUL out of the documentation, where it would only spoil generated examples."""

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        documented = handler(schema)
        if documented.get("pattern") == NO_NUL:
            del documented["pattern"]
        return documented


@dataclass(frozen=True, slots=True)
class Format:
    """Documents the format of a text; unlike `json_schema_extra`, together with other metadata."""

    name: str

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return handler(schema) | {"format": self.name}
