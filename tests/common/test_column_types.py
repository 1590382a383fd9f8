"""Columns of every type, through every method of a repository."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from pydantic import Field, TypeAdapter
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Date,
    DateTime,
    Double,
    Enum,
    Integer,
    Numeric,
    String,
    Text,
    Time,
    Uuid,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.common.memory_repository import MemoryRepository
from app.common.postgres_repository import PostgresRepository
from app.core import schemas, types
from app.core.filters import Filter, OrderBy, Values
from app.core.models import Document, Entity, unique_among_live
from app.core.pagination import Page
from app.core.repository import EVERYONE, AbstractRepository
from app.core.schemas import UNSET
from app.core.types import Array, Day, Digits, Id, Json, Real, TimeOfDay, Timestamp
from app.database.unit_of_work import UnitOfWork
from app.dispatch.routes import Answer
from app.main import Application
from tests.common.tables import IsolatedEntity, created
from tests.rendering import renderer


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Sample(IsolatedEntity):
    __tablename__ = "test_samples"
    __table_args__ = (unique_among_live("test_samples", "name"),)
    natural_key = ("name",)

    name: Mapped[str] = mapped_column(String(50))
    words: Mapped[str | None] = mapped_column(Text)
    number: Mapped[int | None]
    big: Mapped[int | None] = mapped_column(BigInteger)
    flag: Mapped[bool | None]
    share: Mapped[float | None] = mapped_column(Double)
    price: Mapped[Decimal | None] = mapped_column(Numeric(12, 2))
    day: Mapped[date | None]
    at: Mapped[datetime | None]
    clock: Mapped[time | None]
    code: Mapped[UUID | None]
    colour: Mapped[Colour | None]
    document: Mapped[Document | None]
    texts: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    lines: Mapped[list[str]] = mapped_column(ARRAY(String(50)))
    numbers: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    bigs: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    flags: Mapped[list[bool]] = mapped_column(ARRAY(Boolean))
    shares: Mapped[list[float]] = mapped_column(ARRAY(Double))
    prices: Mapped[list[Decimal]] = mapped_column(ARRAY(Numeric(6, 2)))
    days: Mapped[list[date]] = mapped_column(ARRAY(Date))
    moments: Mapped[list[datetime]] = mapped_column(ARRAY(DateTime(timezone=True)))
    clocks: Mapped[list[time]] = mapped_column(ARRAY(Time))
    codes: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    colours: Mapped[list[Colour]] = mapped_column(
        ARRAY(Enum(Colour, native_enum=False, values_callable=list))
    )


NONE: Any = Field(default_factory=list)


class SampleCreate(schemas.Schema):
    name: types.Text
    words: types.Text | None = None
    number: types.Integer | None = None
    big: types.BigInteger | None = None
    flag: bool | None = None
    share: Real | None = None
    price: Annotated[Decimal, Digits(12, 2)] | None = None
    day: Day | None = None
    at: Timestamp | None = None
    clock: TimeOfDay | None = None
    code: Id | None = None
    colour: Colour | None = None
    document: Json | None = None
    texts: Array[types.Text] | None = None
    lines: Array[types.Text] = NONE
    numbers: Array[types.Integer] = NONE
    bigs: Array[types.BigInteger] = NONE
    flags: Array[bool] = NONE
    shares: Array[Real] = NONE
    prices: Array[Annotated[Decimal, Digits(6, 2)]] = NONE
    days: Array[Day] = NONE
    moments: Array[Timestamp] = NONE
    clocks: Array[TimeOfDay] = NONE
    codes: Array[Id] = NONE
    colours: Array[Colour] = NONE


class SampleUpdate(SampleCreate):
    name: types.Text = UNSET


class SampleRead(schemas.ReadSchema):
    id: UUID
    name: str
    words: str | None
    number: int | None
    big: int | None
    flag: bool | None
    share: float | None
    price: Decimal | None
    day: date | None
    at: datetime | None
    clock: time | None
    code: UUID | None
    colour: Colour | None
    document: Document | None
    texts: list[str] | None
    lines: list[str]
    numbers: list[int]
    bigs: list[int]
    flags: list[bool]
    shares: list[float]
    prices: list[Decimal]
    days: list[date]
    moments: list[datetime]
    clocks: list[time]
    codes: list[UUID]
    colours: list[Colour]


class SampleFilter(Filter):
    big: types.BigInteger | None = None
    big__in: Values[types.BigInteger] = None
    flag__in: Values[bool] = None
    share__gt: Real | None = None
    share__in: Values[Real] = None
    price__not_in: Values[types.Number] = None
    day: Day | None = None
    day__gte: Day | None = None
    day__in: Values[Day] = None
    at__in: Values[Timestamp] = None
    clock__lt: TimeOfDay | None = None
    clock__in: Values[TimeOfDay] = None
    code__in: Values[Id] = None
    document__isnull: bool | None = None
    texts__isnull: bool | None = None
    order_by: OrderBy[Literal["name", "big", "-share", "day", "clock", "flag"]] = None

    class Constants(Filter.Constants):
        model = Sample


class SampleRepository(PostgresRepository[Sample, SampleCreate, SampleUpdate]): ...


class MemorySamples(MemoryRepository[Sample, SampleCreate, SampleUpdate]): ...


type Samples = AbstractRepository[Sample, SampleCreate, SampleUpdate]
type Fields = dict[str, Any]

IDS = [UUID(int=number) for number in range(3)]
AWKWARD = [
    "",
    " ",
    "NULL",
    "null",
    "a,b",
    '"',
    "\\",
    '\\"',
    "{}",
    "{a}",
    "\n\t",
    "é\U0001f600",
    "'",
]

NOTHING: Fields = {"name": "nothing"}
USUAL: Fields = {
    "name": "usual",
    "words": "some text",
    "number": 7,
    "big": 2**40,
    "flag": True,
    "share": 0.1,
    "price": Decimal("12.50"),
    "day": date(2026, 1, 5),
    "at": datetime(2026, 1, 5, 12, 0, 0, 250, tzinfo=UTC),
    "clock": time(12, 30, 15, 250),
    "code": IDS[1],
    "colour": Colour.BLUE,
    "document": {"a": [1, None, True, 1.5, {"b": "c"}], "é": {}},
    "texts": ["a", "b"],
    "lines": ["one", "two"],
    "numbers": [1, 2, 2],
    "bigs": [2**40],
    "flags": [True, False],
    "shares": [0.1, 1.0],
    "prices": [Decimal("1.50"), Decimal(2)],
    "days": [date(2026, 1, 5), date(1999, 12, 31)],
    "moments": [datetime(2026, 1, 5, 12, tzinfo=timezone(timedelta(hours=2)))],
    "clocks": [time(0), time(23, 59, 59, 999999)],
    "codes": IDS,
    "colours": [Colour.BLUE, Colour.RED],
}
EXTREME: Fields = {
    "name": "extreme",
    "words": "".join(AWKWARD),
    "number": types.INT4_MIN,
    "big": types.INT8_MAX,
    "flag": False,
    "share": 1.7976931348623157e308,
    "price": Decimal("-9999999999.99"),
    "day": date(1, 1, 2),
    "at": datetime(9999, 12, 30, tzinfo=UTC),
    "clock": time(23, 59, 59, 999999),
    "code": UUID(int=2**128 - 1),
    "colour": Colour.RED,
    "document": [[1, [2]], [], {}, [None], *AWKWARD, 2**64, 10**300, 5e-324],
    "texts": AWKWARD,
    "lines": [],
    "numbers": [types.INT4_MIN, types.INT4_MAX],
    "bigs": [types.INT8_MIN, types.INT8_MAX],
    "flags": [False],
    "shares": [5e-324, -1.7976931348623157e308, 0.30000000000000004],
    "prices": [Decimal("1E+3"), Decimal("-0.01")],
    "days": [date(1, 1, 2), date(9999, 12, 30)],
    "moments": [datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)],
    "clocks": [],
    "codes": [UUID(int=2**128 - 1)],
    "colours": [],
}
ROWS = [NOTHING, USUAL, EXTREME]


@pytest.fixture(scope="module")
async def tables(session_app: Application) -> AsyncIterator[None]:
    async with created(session_app.database, Sample):
        yield


@pytest.fixture(params=["postgres", "memory"])
def samples(request: pytest.FixtureRequest, tables: None, work: UnitOfWork) -> Samples:  # noqa: ARG001
    if request.param == "postgres":
        return SampleRepository(work, EVERYONE)
    return MemorySamples(EVERYONE)


def new(fields: Fields, **changes: Any) -> SampleCreate:
    return SampleCreate(**(fields | changes))


def fields_of(row: Entity | None) -> Fields:
    return {name: getattr(row, name) for name in SampleCreate.model_fields}


def complete(fields: Fields) -> Fields:
    return new(fields).model_dump()


@pytest.mark.parametrize("fields", ROWS, ids=lambda each: each["name"])
async def test_create_and_read(samples: Samples, fields: Fields) -> None:
    row = await samples.create(new(fields))
    assert fields_of(row) == complete(fields)
    assert fields_of(await samples.get(row.id)) == complete(fields)
    assert all(type(each) is Colour for each in row.colours)


@pytest.mark.parametrize("fields", ROWS, ids=lambda each: each["name"])
async def test_update(samples: Samples, fields: Fields) -> None:
    row = await samples.create(new({"name": "before"}, texts=["x"], document={"x": 1}))
    updated = await samples.update(row.id, SampleUpdate(**complete(fields)))
    assert fields_of(updated) == complete(fields)


async def test_bulk_create_and_list(samples: Samples) -> None:
    made = await samples.bulk_create([new(each) for each in ROWS])
    listed = (await samples.list(SampleFilter(order_by=["name"]))).items
    for found in (made, sorted(listed, key=lambda row: ["nothing", "usual"].count(row.name))):
        assert {row.name for row in found} == {each["name"] for each in ROWS}
    by_name = {row.name: fields_of(row) for row in listed}
    assert [fields_of(row) for row in made] == [complete(each) for each in ROWS]
    assert [by_name[each["name"]] for each in ROWS] == [complete(each) for each in ROWS]


async def test_bulk_upsert_finds_what_did_not_change(samples: Samples) -> None:
    first = await samples.bulk_upsert([new(complete(each)) for each in ROWS])
    again = await samples.bulk_upsert([new(complete(each)) for each in ROWS])
    differing = await samples.bulk_upsert([new(each) for each in ROWS])
    assert [each.outcome for each in first] == ["created"] * 3
    assert [each.outcome for each in (*again, *differing)] == ["unchanged"] * 6
    for each, fields in zip(again, ROWS, strict=True):
        assert fields_of(await samples.get(each.id)) == complete(fields)


@pytest.mark.parametrize("alike", [True, False], ids=["alike", "differing"])
async def test_bulk_upsert_writes_what_changed(samples: Samples, *, alike: bool) -> None:
    """Field by field, with another row that sets the same one or others."""
    row = await samples.create(new(USUAL))
    for number, field in enumerate(USUAL.keys() - {"name"}):
        value = EXTREME[field]
        other = {"name": f"{number}"} | ({field: value} if alike else {"number": 1, "big": 1})
        for fields, outcome in (({field: value}, "updated"), (USUAL, "updated")):
            rows = [new({"name": "usual"} | fields), new(other)]
            [result, _] = await samples.bulk_upsert(rows)
            assert result.outcome == outcome, field
            found = await samples.get(row.id)
            assert fields_of(found) == complete(USUAL | fields)


async def test_null_is_null(samples: Samples) -> None:
    await samples.bulk_create([new(NOTHING), new(USUAL)])
    await samples.bulk_upsert([new({"name": "usual", "document": None, "texts": None})])
    await samples.create(new(EXTREME))
    for query in ({"document__isnull": "true"}, {"texts__isnull": "true"}):
        filters = SampleFilter.model_validate(query | {"order_by": ["name"]})
        found = await samples.list(filters)
        assert [row.name for row in found.items] == ["nothing", "usual"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"big": str(2**40)}, ["usual"]),
        ({"big__in": f"1,{types.INT8_MAX}"}, ["extreme"]),
        ({"flag__in": "true,false"}, ["extreme", "usual"]),
        ({"share__gt": "1e300"}, ["extreme"]),
        ({"share__in": "0.1,7"}, ["usual"]),
        ({"price__not_in": "12.5,3"}, ["extreme", "nothing"]),
        ({"day": "2026-01-05"}, ["usual"]),
        ({"day__gte": "2000-01-01"}, ["usual"]),
        ({"day__in": "0001-01-02,2026-01-05"}, ["extreme", "usual"]),
        ({"at__in": "2026-01-05T12:00:00.00025Z,2026-01-05T12:00:00Z"}, ["usual"]),
        ({"clock__lt": "13:00"}, ["usual"]),
        ({"clock__in": "12:30:15.00025,01:00"}, ["usual"]),
        ({"code__in": f"{IDS[1]},{IDS[2]}"}, ["usual"]),
    ],
)
async def test_filters(samples: Samples, query: dict[str, str], found: list[str]) -> None:
    await samples.bulk_create([new(each) for each in ROWS])
    parts: dict[str, Any] = {
        name: [value] if name.endswith("in") else value for name, value in query.items()
    }
    filters = SampleFilter.model_validate(parts | {"order_by": ["name"]})
    assert [row.name for row in (await samples.list(filters)).items] == found


@pytest.mark.parametrize("key", ["big", "-share", "day", "clock", "flag"])
async def test_walks(samples: Samples, key: str) -> None:
    await samples.bulk_create([new(each) for each in ROWS])
    filters = SampleFilter.model_validate({"order_by": [key], "size": 1})
    whole = [row.name for row in (await samples.list(filters.model_copy(update={"size": 9}))).items]
    walked: list[str] = []
    page: Page[Sample] = await samples.list(filters)
    while True:
        walked += [row.name for row in page.items]
        if page.following is None:
            break
        page = await samples.list(
            filters.model_copy(update={"cursor": "c"}).at_position(page.following)
        )
    assert walked == whole
    assert len(walked) == 3


@pytest.mark.parametrize("fields", ROWS, ids=lambda each: each["name"])
async def test_answers(samples: Samples, fields: Fields) -> None:
    """As pydantic would write them, one by one and from a page's rows as they come."""
    row = await samples.create(new(fields))
    adapter = TypeAdapter(SampleRead)
    usual = adapter.dump_json(adapter.validate_python(row))
    assert renderer(SampleRead)(row) == usual
    page = await samples.list(SampleFilter())
    assert usual in renderer(Page[SampleRead])(page)


def test_plain_types_are_written_the_short_way(monkeypatch: pytest.MonkeyPatch) -> None:
    render = renderer(SampleRead)
    refuse: Callable[[Any, Any], bytes] = lambda *_: pytest.fail("by pydantic")  # noqa: E731
    monkeypatch.setattr(Answer, "content", refuse)
    render(Sample(id=IDS[0], **complete(USUAL)))
