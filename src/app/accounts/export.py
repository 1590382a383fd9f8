"""Everything that is stored about a user, as JSON that is written while it is read.

The tables are found in the metadata: those with a foreign key to `users`, and those with columns
that are ABOUT_USER. A row that has an owner is the owner's alone, whomever else it names.
"""

from base64 import b64encode
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import (
    BindParameter,
    Column,
    ColumnElement,
    Table,
    Uuid,
    bindparam,
    case,
    or_,
    select,
    tuple_,
)

from app.core.models import ABOUT_USER, SECRET, TOLD_TO
from app.core.registry import load_models
from app.database.sql import Row, Statement
from app.database.unit_of_work import UnitOfWork
from app.users.models import User

BATCH = 500  # rows that are read, and held in memory, at once

_user_id = bindparam("about_user", None, Uuid())


@dataclass(frozen=True, slots=True)
class Source:
    """One table's rows about a user, in the order of its primary key."""

    table: str
    fields: tuple[str, ...]
    key: tuple[str, ...]
    first: Statement
    following: Statement


async def export(work: UnitOfWork, user_id: UUID) -> AsyncGenerator[bytes]:
    """A JSON object with the rows of each table, in pieces of at most BATCH rows."""
    opening = b"{"
    for source in sources():
        yield b"%b\n%b: [" % (opening, orjson.dumps(source.table))
        separator = b"\n"
        rows = await work.fetch(source.first, {"about_user": user_id})
        while rows:
            written = [_to_json(source, row) for row in rows]
            yield separator + b",\n".join(written)
            separator = b",\n"
            if len(rows) < BATCH:
                break
            last = {name: rows[-1][name] for name in source.key}
            rows = await work.fetch(source.following, {"about_user": user_id} | last)
        yield b"]"
        opening = b","
    yield b"\n}\n"


@cache
def sources() -> tuple[Source, ...]:
    """The user's own row first, and then the others by name."""
    tables = sorted(load_models().metadata.tables.values(), key=lambda each: each.name)
    users = User.metadata.tables[User.__tablename__]
    found = [(users, [users.c.id]), *((each, _about_user(each)) for each in tables)]
    return tuple(_source(table, columns) for table, columns in found if columns)


def _about_user(table: Table) -> list[Column[Any]]:
    """The columns that say whom a row is about."""
    found = [
        each
        for each in table.columns
        if each.info.get(ABOUT_USER)
        or any(key.target_fullname == "users.id" for key in each.foreign_keys)
    ]
    return [each for each in found if each.name == "owner_id"] or found


def _source(table: Table, about_user: list[Column[Any]]) -> Source:
    key = {f"key_{each.name}": each for each in table.primary_key.columns}
    fields = [each for each in table.columns if not each.info.get(SECRET)]
    query = (
        select(*(each.label(name) for name, each in key.items()), *map(_told, fields))
        .where(or_(*(each == _user_id for each in about_user)))
        .order_by(*key.values())
        .limit(BATCH)
    )
    last: list[BindParameter[Any]] = [bindparam(n, None, each.type) for n, each in key.items()]
    return Source(
        table=table.name,
        fields=tuple(each.name for each in fields),
        key=tuple(key),
        first=Statement(query),
        following=Statement(query.where(tuple_(*key.values()) > tuple_(*last))),
    )


def _told(column: Column[Any]) -> ColumnElement[Any]:
    """The column, without what is somebody else's."""
    name = column.info.get(TOLD_TO)
    if name is None:
        return column
    holder = column.table.c[name]
    return case((or_(holder.is_(None), holder == _user_id), column)).label(column.name)


def _to_json(source: Source, row: Row) -> bytes:
    fields = {name: row[name] for name in source.fields}
    return orjson.dumps(fields, _as_text, orjson.OPT_UTC_Z | orjson.OPT_PASSTHROUGH_SUBCLASS)


def _as_text(value: Any) -> str:
    """Decimals exactly, bytes in Base64 (RFC 4648), and all else as Python writes it."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    return b64encode(value).decode() if isinstance(value, bytes) else str(value)
