"""Reads a request's JSON strictly and in one pass: bytes to validated model, at Rust speed."""

import re
from decimal import Decimal
from itertools import accumulate
from typing import Any

from pydantic import TypeAdapter, ValidationError
from starlette.requests import ClientDisconnect, Request

from app.config import Settings
from app.core.bulk import BulkBody
from app.exceptions import BadRequest, PayloadTooLarge, UnsupportedMediaType

MAX_DEPTH = 64  # of nested arrays and objects
MAX_VALUES = 100_000  # in one body; a million unknown fields take seconds to refuse
MAX_ROW_VALUES = 50  # in one row of a bulk body, on average

_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
# The parser makes a float of a number with a point or an exponent. It keeps 15 digits of any.
_LONG_NUMBER = re.compile(rb"[\d.]{17,}[eE]?|\d[eE][-+]?\d{3,}")
_FLOAT = re.compile(rb"-?\d+(?:\.\d+(?:[eE][-+]?\d+)?|[eE][-+]?\d+)")


class JsonBody:
    """The body of one route: `name` is the endpoint's argument, `annotation` its type."""

    def __init__(self, name: str, annotation: Any, settings: Settings) -> None:
        self.name = name
        self._adapter = TypeAdapter[Any](annotation)
        bulk = isinstance(annotation, type) and issubclass(annotation, BulkBody)
        self.limit = settings.max_bulk_body_size if bulk else settings.max_body_size
        self._max_rows = settings.max_bulk_rows if bulk else None
        self._max_values = max(MAX_VALUES, MAX_ROW_VALUES * (self._max_rows or 0))

    def parse(self, content_type: bytes, body: bytes) -> tuple[Any, list[Any]]:
        """The validated value and what is wrong with it, in pydantic's terms.

        Raises UnsupportedMediaType and BadRequest for what is not JSON at all.
        """
        if not body:
            return None, [{"type": "missing", "loc": ("body",), "msg": "A JSON body is required"}]
        if content_type.partition(b";")[0].strip().lower() != b"application/json":
            raise UnsupportedMediaType
        if _commas(body) > self._max_values:
            raise BadRequest(f"The JSON holds more than {self._max_values} values")
        if _depth(body) > MAX_DEPTH:
            raise BadRequest(f"The JSON is nested deeper than {MAX_DEPTH} levels")
        try:
            value = self._adapter.validate_json(body)
        except ValidationError as error:
            found = error.errors(include_url=False, include_context=False, include_input=False)
            if found[0]["type"] == "json_invalid":
                raise BadRequest from None
            return None, [{**each, "loc": ("body", *each["loc"])} for each in found]
        if _is_inexact(body):
            message = "A number has more digits than can be kept; send it as a string"
            return None, [{"type": "inexact_number", "loc": ("body",), "msg": message}]
        return value, self._too_many(value)

    def _too_many(self, value: Any) -> list[Any]:
        if self._max_rows is None:
            return []
        [(name, rows)] = value
        if len(rows) <= self._max_rows:
            return []
        message = f"At most {self._max_rows} at once, and not {len(rows)}"
        return [{"type": "too_long", "loc": ("body", name), "msg": message}]


async def receive(request: Request, limit: int) -> bytes:
    """The body, whatever it holds.

    Raises PayloadTooLarge by its declared length, or on its way, and ClientDisconnect.
    """
    if request.scope["state"].get("declared", 0) > limit:
        raise PayloadTooLarge(limit)
    parts, size, more = [], 0, True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > limit:
            raise PayloadTooLarge(limit)
        more = message.get("more_body", False)
    return b"".join(parts)


def _depth(body: bytes) -> int:
    """How deep brackets are nested, an upper bound where they are few."""
    few = body.count(b"[") + body.count(b"{")
    if few <= MAX_DEPTH:
        return few
    brackets = _unquoted(body).translate(None, _NO_BRACKETS)
    return max(accumulate(1 if each in b"[{" else -1 for each in brackets), default=0)


def _commas(body: bytes) -> int:
    """How many values follow another one, an upper bound where they are few."""
    few = body.count(b",")
    return few if few <= MAX_VALUES else _unquoted(body).count(b",")


def _is_inexact(body: bytes) -> bool:
    """Whether a float in it would not be the number that was sent; integers always are."""
    if not any(set(found) & set(b".eE") for found in _LONG_NUMBER.findall(body)):
        return False
    return any(_is_rounded(found.decode()) for found in _FLOAT.findall(_unquoted(body)))


def _is_rounded(number: str) -> bool:
    try:
        return Decimal(repr(float(number))) != Decimal(number)
    except ArithmeticError:  # an exponent that not even a decimal can have
        return True


def _unquoted(body: bytes) -> bytes:
    """The JSON without its strings."""
    parts = body.replace(b"\\\\", b"").replace(b'\\"', b"").split(b'"')
    return b" ".join(parts[::2])  # every other part lies within a string
