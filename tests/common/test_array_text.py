"""A column of values as one text, read back from a real PostgreSQL."""

from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Date,
    DateTime,
    Float,
    Numeric,
    Text,
    Time,
    Uuid,
    bindparam,
    cast,
    select,
)
from sqlalchemy.types import TypeEngine

from app.common.array_text import ArrayText
from app.database.connections import Database
from app.database.unit_of_work import UnitOfWork
from app.exceptions import Invalid

TEXTS = st.lists(st.none() | st.text(st.characters(exclude_characters="\0", codec="utf-8")))


async def read_back(database: Database, kind: TypeEngine[Any], values: list[Any]) -> list[Any]:
    array = cast(bindparam("values", None, ArrayText(kind)), ARRAY(kind))
    async with UnitOfWork(database) as work:
        row = await work.fetch_one(select(array), {"values": values})
    assert row is not None
    found: list[Any] = row[0]
    return found


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (BigInteger(), [-(2**63), 0, 2**63 - 1]),
        (Boolean(), [True, False]),
        (Numeric(), [Decimal("1E+2"), Decimal("-0.000000000000000001"), Decimal("12.50")]),
        (Float(), [1e300, -0.1, 5e-324]),
        (Uuid(), [UUID(int=0), UUID(int=2**128 - 1)]),
        (Date(), [date(1, 1, 2), date(9999, 12, 30)]),
        (
            DateTime(timezone=True),
            [datetime(1, 1, 2, tzinfo=UTC), datetime(2026, 1, 1, 1, 2, 3, 4, UTC)],
        ),
        (Time(), [time(0), time(23, 59, 59, 999_999)]),
        (Text(), ["", "NULL", "null", " a ", '"', "\\", "{}", "a,b", "\x01", "é😀", "'"]),
    ],
    ids=lambda each: type(each).__name__,
)
async def test_each_value_is_what_it_was(
    database: Database, kind: TypeEngine[Any], values: list[Any]
) -> None:
    for given_values in (values, [*values, None], [None], []):
        assert await read_back(database, kind, given_values) == given_values


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=TEXTS)
async def test_any_text_is_what_it_was(database: Database, values: list[str | None]) -> None:
    assert await read_back(database, Text(), values) == values


async def test_a_nul_is_refused_and_moves_no_value(database: Database) -> None:
    with pytest.raises(Invalid):
        await read_back(database, Text(), ["a", "b\0c"])
