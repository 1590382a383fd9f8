"""What is written the short way is what pydantic would have written."""

import json
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from fastapi.exceptions import ResponseValidationError
from pydantic import TypeAdapter, field_serializer

from app.common.rows import Rows
from app.core.pagination import Page, PageParams
from app.core.schemas import ReadSchema
from tests.lamps.models import LampStatus
from tests.rendering import renderer


class Plain(ReadSchema):
    id: UUID
    text: str | None
    number: int
    share: float
    price: Decimal
    status: LampStatus | None
    on: date
    at: datetime
    clock: time
    flag: bool
    tags: list[str]
    amounts: list[Decimal] | None
    kinds: list[LampStatus]
    document: dict[str, Any] | list[Any] | None
    anything: Any


class Loud(ReadSchema):
    text: str
    number: int

    @field_serializer("text")
    def shout(self, text: str) -> str:
        return text.upper()


def row(**values: Any) -> SimpleNamespace:
    """More than any schema takes, in another order."""
    usual = {
        "secret": "hidden",
        "anything": {"a": [1]},
        "document": [{"b": None, "a": [True, 1.5, "é"]}],
        "kinds": [LampStatus.DRAFT],
        "amounts": [Decimal("1.50")],
        "tags": ["a", ""],
        "flag": True,
        "clock": time(9, 5),
        "at": datetime(2026, 1, 5, 12, 0, 0, 250, tzinfo=UTC),
        "on": date(2026, 1, 5),
        "status": LampStatus.ACTIVE,
        "price": Decimal("12.50"),
        "share": 0.1,
        "number": -7,
        "text": 'é "\\ \U0001f600',
        "id": UUID("0198f3c2-0000-7000-8000-000000000000"),
    }
    return SimpleNamespace(**usual | values)


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"text": None, "status": None},
        {"price": Decimal("1E+3"), "share": 1e300},
        {"at": datetime(2026, 1, 5, tzinfo=UTC)},
        {"clock": time(23, 59, 59, 250), "share": -0.0},
        {"tags": [], "amounts": None, "document": None, "anything": None},
        {"document": {}, "share": 1e16, "anything": 7},
        {"document": [2**64, 10**300], "share": 5e-324},
        {"anything": LampStatus.DRAFT},
        {"at": datetime(2026, 1, 5, 1, 2, 3, tzinfo=timezone(timedelta(hours=2)))},
    ],
)
def test_one_row(values: dict[str, Any]) -> None:
    adapter = TypeAdapter(Plain)
    usual = adapter.dump_json(adapter.validate_python(row(**values)))
    assert renderer(Plain)(row(**values)) == usual
    assert list(json.loads(usual)) == list(Plain.model_fields)


@pytest.mark.parametrize("schema", [Plain, Loud])
def test_a_page(schema: type[ReadSchema]) -> None:
    page = Page[Any].create([row(), row(number=8)], PageParams(), total=2)
    adapter = TypeAdapter[Any](Page[schema])
    usual = adapter.dump_json(adapter.validate_python(page, from_attributes=True))
    assert renderer(Page[schema])(page) == usual
    assert b"hidden" not in usual


def test_a_schema_with_a_serializer_of_its_own_is_heeded() -> None:
    assert b'"LOUD"' in renderer(Loud)(row(text="loud"))


def test_a_page_of_rows_with_more_than_plain_values() -> None:
    """Of the database's own sequence, which pydantic does not know."""
    values: Any = [vars(row()), vars(row(document=[2**64]))]
    hydrate: Any = lambda values: SimpleNamespace(**values)  # noqa: E731
    rows = Rows[Any](values, hydrate)
    assert rows[1].document == [2**64]
    page = Page[Any].create(rows, PageParams(), total=2)
    for schema in (Plain, Loud):
        written = json.loads(renderer(Page[schema])(page))
        assert [set(each) for each in written["items"]] == [set(schema.model_fields)] * 2


@pytest.mark.parametrize(
    "values",
    [
        {"id": "no UUID"},
        {"at": None},
        {"tags": "a"},
        {"document": "a"},
        {"clock": "noon"},
    ],
)
def test_what_is_not_declared_is_a_defect_and_not_repeated(values: dict[str, Any]) -> None:
    with pytest.raises(ResponseValidationError) as raised:
        renderer(Plain)(row(**values))
    assert all(each["loc"][0] == "response" for each in raised.value.errors())


@pytest.mark.parametrize("values", [{"number": "7"}, {"clock": "09:05"}, {"on": "2026-01-05"}])
def test_what_pydantic_would_convert_is_converted(values: dict[str, Any]) -> None:
    adapter = TypeAdapter(Plain)
    usual = adapter.dump_json(adapter.validate_python(row(**values)))
    assert renderer(Plain)(row(**values)) == usual


def test_what_lacks_a_field_is_a_defect() -> None:
    with pytest.raises(ResponseValidationError):
        renderer(Plain)(SimpleNamespace(id=1))
