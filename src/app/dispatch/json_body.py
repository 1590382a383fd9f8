"""Reads a request's JSON strictly and in one pass: bytes to validated model, at Rust speed."""

import json
import re
from collections import deque
from collections.abc import Iterator
from decimal import Decimal
from itertools import accumulate
from typing import Any

from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive

from app.config import Settings
from app.core.bulk import BulkBody
from app.dispatch.large_bodies import BodyBudget
from app.dispatch.routes import Body
from app.exceptions import (
    BadRequest,
    FieldError,
    Invalid,
    PayloadTooLarge,
    UnsupportedMediaType,
)
from app.request_state import RequestState

MAX_DEPTH = 64  # of nested arrays and objects
MAX_VALUES = 100_000  # in one body; a million unknown fields take seconds to refuse
MAX_ROW_VALUES = 50  # in one row of a bulk body, on average
MAX_INTEGER = 308  # digits; where a float is wanted, one with more would be infinite
MAX_NUMBER = 400  # characters; what is longer has more digits than a double can have

REPEATED = "An object of the JSON has the same member twice"

_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
# The parser makes a float of a number with a point or an exponent. It keeps 15 digits of any.
_NUMBER = re.compile(rb"[0-9][0-9.eE+-]{16,}|[0-9][0-9.]*[eE][0-9+-]{3,}")


class JsonBody:
    """The JSON body of one route, for the endpoint's arguments."""

    def __init__(self, body: Body, settings: Settings) -> None:
        self._body = body
        self._names = body.names
        self._read = body.json_reader()
        kind = body.annotation
        bulk = isinstance(kind, type) and issubclass(kind, BulkBody)
        self.limit = settings.max_bulk_body_size if bulk else settings.max_body_size
        self._max_rows = settings.max_bulk_rows if bulk else None
        self._max_values = max(MAX_VALUES, MAX_ROW_VALUES * (self._max_rows or 0))

    def parse(self, content_type: bytes, body: bytes) -> tuple[dict[str, Any], list[Any]]:
        """The arguments, and what is wrong with them, in pydantic's terms.

        Raises UnsupportedMediaType and BadRequest for what is not JSON at all.
        """
        if not body:
            if not self._body.required:
                return self._body.defaults(), []
            return {}, [{"type": "missing", "loc": ("body",), "msg": "A JSON body is required"}]
        require_json(content_type, body, self._max_values)
        try:
            value = self._read(body)
        except ValidationError as error:
            found = error.errors(include_url=False, include_context=False, include_input=False)
            if found[0]["type"] == "json_invalid":
                raise BadRequest from None
            if repeats_member(body):
                raise BadRequest(REPEATED) from None
            return {}, [{**each, "loc": ("body", *each["loc"])} for each in found]
        if _may_repeat(body, value) and repeats_member(body):
            raise BadRequest(REPEATED)
        if is_inexact(body):
            message = "A number has more digits than can be kept; send it as a string"
            return {}, [{"type": "inexact_number", "loc": ("body",), "msg": message}]
        if self._body.embedded:
            return {name: getattr(value, name) for name in self._names}, []
        return {self._names[0]: value}, self._too_many(value)

    def _too_many(self, value: Any) -> list[Any]:
        if self._max_rows is None:
            return []
        [(name, rows)] = value
        if len(rows) <= self._max_rows:
            return []
        message = f"At most {self._max_rows} at once, and not {len(rows)}"
        return [{"type": "too_long", "loc": ("body", name), "msg": message}]


def require_json(content_type: bytes, body: bytes, max_values: int = MAX_VALUES) -> None:
    """Raises UnsupportedMediaType, and BadRequest for JSON that would take long to read."""
    if content_type.partition(b";")[0].strip().lower() != b"application/json":
        raise UnsupportedMediaType
    if _commas(body) > max_values:
        raise BadRequest(f"The JSON holds more than {max_values} values")
    if _depth(body) > MAX_DEPTH:
        raise BadRequest(f"The JSON is nested deeper than {MAX_DEPTH} levels")


def require_strict_json(content_type: bytes, body: bytes) -> None:
    """The same, for a body that is read by somebody else; raises Invalid too."""
    if not body:
        return
    require_json(content_type, body)
    try:
        repeated = repeats_member(body)
    except ValueError:
        raise BadRequest from None
    if repeated:
        raise BadRequest(REPEATED)
    if is_inexact(body):
        message = "has more digits than can be kept; send it as a string"
        raise Invalid(errors=[FieldError(("body",), message, "inexact_number")])


async def receive_body(
    receive: Receive, state: RequestState, limit: int, budget: BodyBudget
) -> bytes:
    """The body, whatever it holds.

    Raises PayloadTooLarge by its declared length, or on its way, what the budget raises, and
    ClientDisconnect.
    """
    if state.declared is not None and state.declared > limit:
        raise PayloadTooLarge(limit)
    if state.declared:
        budget.take(state, state.declared)
    parts, size, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > limit:
            raise PayloadTooLarge(limit)
        if size > state.held:
            budget.take(state, size - state.held)
        more = message.get("more_body", False)
    return b"".join(parts)


def body_again(body: bytes, receive: Receive) -> Receive:
    """As if the body had not been received, for an endpoint that does so itself."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> Message:
        return messages.pop() if messages else await receive()

    return receive_again


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


def is_inexact(body: bytes) -> bool:
    """Whether a float in it would not be the number that was sent; usual integers always are."""
    if not any(map(_may_be_rounded, _NUMBER.findall(body))):
        return False
    found = _NUMBER.findall(_unquoted(body))
    return any(_is_rounded(each.decode()) for each in found if _may_be_rounded(each))


def _may_be_rounded(number: bytes) -> bool:
    is_float = b"." in number or b"e" in number or b"E" in number
    return is_float or len(number) > MAX_INTEGER


def _is_rounded(number: str) -> bool:
    if len(number) > MAX_NUMBER:
        return True
    try:
        return Decimal(repr(float(number))) != Decimal(number)
    except ArithmeticError:  # an exponent that not even a decimal can have
        return True


def _may_repeat(body: bytes, value: Any) -> bool:
    """Whether there are more members in it than fields in what was made of it.

    One that is nested deeper than rows in a list always may.
    """
    members = sum(_members(value))
    return body.count(b":") > members and _unquoted(body).count(b":") > members


def _members(value: Any) -> Iterator[int]:
    if not isinstance(value, BaseModel):
        return
    fields = value.model_fields_set
    yield len(fields)
    if isinstance(value, BulkBody):
        for rows in vars(value).values():
            for row in rows:
                if not isinstance(row, BaseModel):
                    return
                yield len(row.model_fields_set)


def repeats_member(body: bytes) -> bool:
    """Whether an object has two members of one name. Raises ValueError for what is no JSON."""
    repeated: deque[bool] = deque(maxlen=1)

    def note(pairs: list[tuple[str, Any]]) -> None:
        if len({name for name, _ in pairs}) < len(pairs):
            repeated.append(True)

    # A number is not looked at: an integer of many digits takes long to make.
    json.loads(body, object_pairs_hook=note, parse_int=str, parse_float=str)
    return bool(repeated)


def _unquoted(body: bytes) -> bytes:
    """The JSON without its strings."""
    parts = body.replace(b"\\\\", b"").replace(b'\\"', b"").split(b'"')
    return b" ".join(parts[::2])  # every other part lies within a string
