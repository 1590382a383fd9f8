"""The user guide's pages on query parameters."""

from datetime import date, datetime, timedelta
from enum import IntEnum
from typing import Annotated, Any, Literal

from fastapi import FastAPI, Query
from pydantic import AfterValidator, BaseModel, Field, Json

from tests.compatibility.feature import feature, get


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Filters(BaseModel):
    limit: int = Field(10, gt=0, le=100)
    order_by: Literal["created_at", "updated_at"] = "created_at"
    tags: list[str] = []


class StrictFilters(BaseModel):
    model_config = {"extra": "forbid"}

    limit: int = 10
    search_for: str = Field(alias="searchFor")


def starts_with_isbn(value: str) -> str:
    if not value.startswith("isbn-"):
        raise ValueError("must start with isbn-")
    return value


@feature(
    "Query parameters: required, optional and defaulted",
    get("/items", params={"needy": "a"}),
    get("/items", params={"needy": "a", "skip": 3, "q": "x"}),
    get("/items", params={"needy": "a", "skip": "x"}),
    get("/items", params={"needy": "", "q": ""}),
    get("/items", params={"needy": "a", "skip": ""}),
    get("/items"),
    get("/items?needy"),
    get("/items?needy=a&&skip=1&"),
    get("/items?needy=a%20b+c&q=%C3%A9%26"),
    get("/items?needy=%FF"),
    get("/items?needy=a;q=2"),
)
def required(app: FastAPI) -> None:
    @app.get("/items")
    async def read_items(needy: str, skip: int = 0, q: str | None = None):
        return {"needy": needy, "skip": skip, "q": q}


@feature(
    "Query parameters: unknown and repeated names",
    get("/items", params={"q": "a", "other": 1}),
    get("/items?q=a&q=b"),
    get("/items?other"),
    get("/nothing?x=1"),
)
def unknown(app: FastAPI) -> None:
    @app.get("/items")
    async def read_items(q: str | None = None):
        return {"q": q}

    @app.get("/nothing")
    async def read_nothing():
        return {}


@feature(
    "Query parameters: types",
    get("/items", params={"flag": "on", "level": 2}),
    get("/items", params={"flag": "off", "price": "1e3", "level": 1}),
    get("/items", params={"flag": "maybe", "level": 3}),
    get("/items", params={"day": "2026-01-05", "level": 1, "flag": "1"}),
    get("/items", params={"day": "2026-13-05", "level": 1, "flag": "1"}),
    get("/items", params={"moment": "2026-01-05T12:00:00Z", "level": 1, "flag": "true"}),
    get("/items", params={"moment": "2026-01-05T12:00:00", "level": 1, "flag": "true"}),
    get("/items", params={"period": "PT90S", "level": 1, "flag": "TRUE"}),
    get("/items", params={"period": "90", "level": 1, "flag": "t"}),
)
def types(app: FastAPI) -> None:
    @app.get("/items")
    async def read_items(
        flag: bool,
        level: Level,
        price: float | None = None,
        day: date | None = None,
        moment: datetime | None = None,
        period: timedelta | None = None,
    ):
        return [flag, level, price, day, moment, period]


@feature(
    "Query parameters: unions",
    get("/items", params={"value": "3"}),
    get("/items", params={"value": "three"}),
    get("/items", params={"value": "3", "either": "2026-01-05"}),
    get("/items", params={"value": "3", "either": "x"}),
)
def unions(app: FastAPI) -> None:
    @app.get("/items")
    async def read_items(value: int | str, either: int | date | None = None):
        return {"value": value, "either": either}


@feature(
    "Query parameters: Query() with text validations",
    get("/items", params={"q": "fixedquery"}),
    get("/items", params={"q": "no"}),
    get("/items", params={"q": "x" * 11}),
    get("/items", params={"item-query": "a"}),
    get("/items", params={"item_query": "a"}),
    get("/items", params={"hidden": "a"}),
    get("/items", params={"book": "isbn-1"}),
    get("/items", params={"book": "imdb-1"}),
    get("/items", params={"old": "ab"}),
    get("/items", params={"old": "abcd"}),
)
def text_validations(app: FastAPI) -> None:
    @app.get("/items")
    async def read_items(
        q: Annotated[str | None, Query(min_length=3, max_length=10, pattern="^fixed")] = None,
        aliased: Annotated[str | None, Query(alias="item-query", deprecated=True)] = None,
        hidden: Annotated[str | None, Query(include_in_schema=False)] = None,
        book: Annotated[str | None, AfterValidator(starts_with_isbn)] = None,
        old: str | None = Query(default=None, max_length=3, title="Old style"),
    ):
        return [q, aliased, hidden, book, old]


@feature(
    "Query parameters: Query() with numeric validations",
    get("/items", params={"size": 5}),
    get("/items", params={"size": 0}),
    get("/items", params={"size": 10.5}),
    get("/items", params={"size": "inf"}),
    get("/items", params={"size": "nan"}),
    get("/items", params={"size": "1_0"}),
    get("/items"),
)
def numeric_validations(app: FastAPI) -> None:
    @app.get("/items")
    async def read_items(
        size: Annotated[float, Query(gt=0, lt=10.5, allow_inf_nan=False)] = 1.0,
    ):
        return size


@feature(
    "Query parameters: lists",
    get("/items?q=foo&q=bar"),
    get("/items?q=foo"),
    get("/items"),
    get("/items?n=1&n=x&n=3"),
    get("/items?n=1&n=2"),
    get("/items?short=1&short=2&short=3"),
    get("/items?maybe=a&maybe=b"),
    get("/items?q="),
    get("/items?q=a,b"),
)
def lists(app: FastAPI) -> None:
    @app.get("/items")
    async def read_items(
        q: Annotated[list[str], Query()] = ["a", "b"],
        n: Annotated[list[int], Query()] = [],
        short: Annotated[list[int], Query(max_length=2)] = [],
        maybe: Annotated[list[str] | None, Query(alias="maybe")] = None,
    ):
        return {"q": q, "n": n, "short": short, "maybe": maybe}


@feature(
    "Query parameters: sets, tuples and frozensets",
    get("/items?ids=1&ids=1"),
    get("/items?ids=x"),
    get("/items?pair=1&pair=a"),
    get("/items?pair=1"),
    get("/items?pair=1&pair=a&pair=b"),
    get("/items?all=1&all=2"),
    get("/items?frozen=a&frozen=a"),
    get("/items"),
)
def sets(app: FastAPI) -> None:
    @app.get("/items")
    async def read_items(
        ids: Annotated[set[int] | None, Query()] = None,
        pair: Annotated[tuple[int, str] | None, Query()] = None,
        all: Annotated[tuple[int, ...], Query()] = (),
        frozen: Annotated[frozenset[str], Query()] = frozenset(),
    ):
        return [ids, pair, all, frozen]


@feature(
    "Query parameters: a bare list without Query() is a body",
    get("/items?q=a"),
    get("/untyped?q=1&q=b"),
)
def bare_list(app: FastAPI) -> None:
    @app.get("/items")
    async def read_items(q: list[str] | None = None):
        return {"q": q}

    @app.get("/untyped")
    async def read_untyped(
        q: Annotated[list, Query()] = [],  # pyrefly: ignore[implicit-any-type-argument]
    ):
        return {"q": q}


@feature(
    "Query parameters: a model",
    get("/items"),
    get("/items?limit=5&order_by=updated_at&tags=a&tags=b"),
    get("/items?limit=0&order_by=name"),
    get("/items?limt=5"),
    get("/strict?searchFor=a&limit=1"),
    get("/strict?search_for=a"),
    get("/strict?searchFor=a&other=1"),
)
def model(app: FastAPI) -> None:
    @app.get("/items")
    async def read_items(filters: Annotated[Filters, Query()]):
        return filters

    @app.get("/strict")
    async def read_strict(filters: Annotated[StrictFilters, Query()]):
        return filters


@feature(
    "Query parameters: JSON in a parameter, and Any",
    get("/items", params={"data": "[1, 2]"}),
    get("/items", params={"data": "{"}),
    get("/items", params={"data": '["x"]'}),
    get("/items"),
    get("/anything", params={"value": "5"}),
)
def json_value(app: FastAPI) -> None:
    @app.get("/items")
    async def read_items(data: Annotated[Json[list[int]], Query()]):
        return {"data": data}

    @app.get("/anything")
    async def read_anything(value: Any = None):
        return {"value": value}


@feature(
    "Query parameters: default factory",
    get("/items"),
    get("/items?q=a"),
)
def default_factory(app: FastAPI) -> None:
    @app.get("/items")
    async def read_items(q: Annotated[list[str], Query(default_factory=lambda: ["made"])]):
        return q
