"""Cursors: positions in a list, signed, and bound to the list that they were made for."""

import hmac
import zlib
from binascii import a2b_base64, b2a_base64
from collections.abc import Sequence
from functools import cache
from hashlib import blake2b
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError

from app.core.list_query import Position, Selection
from app.core.models import Entity
from app.exceptions import InvalidCursor

SIGNATURE_BYTES = 15  # 120 bits
LONG = 200  # bytes, from which on compression pays
PLAIN, COMPRESSED = b"0", b"1"

_ENCODE = bytes.maketrans(b"+/", b"-_")
_DECODE = bytes.maketrans(b"-_+/=", b"+/!!!")  # what is not written is not read


class Cursors:
    """Those of one list: under these filters, in this order, for this caller on this route."""

    def __init__(
        self,
        keys: Sequence[bytes],
        model: type[Entity],
        caller_and_route: str,
        selection: Selection,
    ) -> None:
        self._model = model
        self._order = selection.order
        # What code narrows a list to follows from the route and the caller.
        conditions = [(each.parameter, each.value) for each in selection.asked]
        order = [[*key] for key in selection.order]
        about = [caller_and_route, conditions, order, selection.search_term, selection.deleted]
        made = orjson.dumps(about, default=str)
        self._made = b"%d %s" % (len(made), made)
        self._keys = keys
        self._mac = self._mac_of(keys[0])

    def write(self, position: Position) -> str:
        content = orjson.dumps([position.backwards, position.key], default=str)
        mark = PLAIN
        if len(content) > LONG:
            mark, content = COMPRESSED, zlib.compress(content)
        # Of a length that three divides, so that base64 needs no padding and has no bits to spare.
        marked = mark * (3 - len(content) % 3) + content
        return b2a_base64(self._sign(marked) + marked, newline=False).translate(_ENCODE).decode()

    def read(self, cursor: str) -> Position:
        """Raises InvalidCursor for all that `write` did not make for the same list."""
        try:
            signed = a2b_base64(cursor.encode().translate(_DECODE), strict_mode=True)
        except ValueError:
            raise InvalidCursor from None
        signature, marked = signed[:SIGNATURE_BYTES], signed[SIGNATURE_BYTES:]
        if not hmac.compare_digest(signature, self._sign(marked)):
            earlier = (_sign(self._mac_of(key), marked) for key in self._keys[1:])
            if not any(hmac.compare_digest(signature, each) for each in earlier):
                raise InvalidCursor
        if marked.startswith(PLAIN):
            content = marked.lstrip(PLAIN)
        else:
            content = zlib.decompress(marked.lstrip(COMPRESSED))
        fields = tuple(key.field for key in self._order)
        try:
            backwards, key = _adapter(self._model, fields).validate_json(content)
        except ValidationError:  # signed before a column changed its type
            raise InvalidCursor from None
        return Position(key, backwards)

    def _sign(self, marked: bytes) -> bytes:
        return _sign(self._mac.copy(), marked)

    def _mac_of(self, key: bytes) -> blake2b:
        # A MAC by itself (RFC 7693), in a fraction of an HMAC's time.
        return blake2b(self._made, key=key, digest_size=SIGNATURE_BYTES)


def _sign(mac: blake2b, marked: bytes) -> bytes:
    mac.update(marked)
    return mac.digest()


def cursor_key(secret: str) -> bytes:
    """The key that signs cursors, and nothing else that the secret is for."""
    return blake2b(secret.encode(), person=b"cursors").digest()


@cache
def _adapter(model: type[Entity], fields: tuple[str, ...]) -> TypeAdapter[Any]:
    columns = model.metadata.tables[model.__tablename__].columns
    kinds = [columns[field].type.python_type | None for field in fields]
    key: Any = tuple[*kinds]  # pyrefly: ignore[not-a-type]  # known at run time
    return TypeAdapter(tuple[bool, key | None])
