"""What types of values become in JSON, and the names of fields."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, IntEnum
from ipaddress import IPv4Address
from pathlib import PurePosixPath
from typing import Annotated, Any, NamedTuple, NotRequired
from uuid import UUID

from fastapi import FastAPI
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse
from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    SecretStr,
    SerializeAsAny,
    computed_field,
    field_serializer,
    field_validator,
    model_serializer,
)
from pydantic.dataclasses import dataclass as pydantic_dataclass
from typing_extensions import TypedDict

from tests.compatibility.feature import feature, get, post

MOMENT = datetime(2026, 1, 5, 12, 30, tzinfo=UTC)


class Color(Enum):
    RED = "red"


class Level(IntEnum):
    LOW = 1


class Values(BaseModel):
    moment: datetime = MOMENT
    day: date = MOMENT.date()
    hour: time = time(12, 30)
    period: timedelta = timedelta(days=1, seconds=1.5)
    id: UUID = UUID("0198f3c2-7b1e-7d30-8f11-0a5e4f0c1d2e")
    price: Decimal = Decimal("12.50")
    raw: bytes = b"raw"
    color: Color = Color.RED
    level: Level = Level.LOW
    secret: SecretStr = SecretStr("hidden")
    address: IPv4Address = IPv4Address("127.0.0.1")
    unique: frozenset[int] = frozenset({1})


class Aliased(BaseModel):
    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    name: str = Field(alias="fullName")
    size: int = Field(1, validation_alias="inSize", serialization_alias="outSize")


class Computed(BaseModel):
    width: float
    height: float

    @computed_field
    @property
    def area(self) -> float:
        return self.width * self.height


class Serialized(BaseModel):
    moment: datetime
    price: Annotated[Decimal, PlainSerializer(str)]

    @field_serializer("moment")
    def as_year(self, moment: datetime) -> int:
        return moment.year

    @field_validator("price")
    @classmethod
    def positive(cls, price: Decimal) -> Decimal:
        if price < 0:
            raise ValueError("may not be negative")
        return price


class Whole(BaseModel):
    name: str

    @model_serializer
    def as_text(self) -> str:
        return f"whole {self.name}"


class Extra(BaseModel):
    model_config = ConfigDict(extra="allow")

    name: str


class Base(BaseModel):
    name: str


class Derived(Base):
    more: int = 1


class Movie(TypedDict):
    title: str
    year: NotRequired[int]


class Point(NamedTuple):
    x: int
    y: int = 0


@dataclass
class Author:
    name: str
    books: list[str] = field(default_factory=list)


@pydantic_dataclass
class Strict:
    count: int


@feature(
    "JSON of values: dates, UUIDs, decimals, bytes, enums and more",
    get("/model"),
    get("/dict"),
    get("/encoder"),
    post("/model", json={"moment": "2026-01-05T12:00:00+01:00", "period": "P1D", "price": "1.10"}),
    post("/model", json={"id": "x", "raw": 1, "color": "blue", "level": 2, "address": "x"}),
    post("/aware", json={"moment": "2026-01-05T12:00:00"}),
)
def values(app: FastAPI) -> None:
    class Aware(BaseModel):
        moment: AwareDatetime

    @app.get("/model")
    async def model() -> Values:
        return Values()

    @app.get("/dict")
    async def dict_():
        return {
            **{name: getattr(Values(), name) for name in Values.model_fields},
            "path": PurePosixPath("a/b"),
            "queue": deque([1]),
            "generator": (each for each in (1, 2)),
            "keys": {1: "int", None: "none", Color.RED: "enum"},
        }

    @app.get("/encoder")
    async def encoder():
        return JSONResponse(jsonable_encoder(Values(), exclude={"raw"}))

    @app.post("/model")
    async def take(value: Values) -> Values:
        return value

    @app.post("/aware")
    async def aware(value: Aware) -> Aware:
        return value


@feature(
    "JSON of values: non-finite floats",
    get("/typed"),
    get("/untyped"),
    get("/response"),
    get("/constants"),
)
def non_finite(app: FastAPI) -> None:
    class Constants(BaseModel):
        model_config = ConfigDict(ser_json_inf_nan="constants")

        value: float

    @app.get("/typed")
    async def typed() -> list[float]:
        return [float("nan"), float("inf"), 1.0]

    @app.get("/untyped")
    async def untyped():
        return {"value": float("-inf")}

    @app.get("/response")
    async def response():
        return JSONResponse({"value": float("nan")})

    @app.get("/constants")
    async def constants() -> Constants:
        return Constants(value=float("nan"))


@feature(
    "JSON of values: bytes as base64",
    post("/", json={"data": "aGVsbG8="}),
    post("/", json={"data": "!"}),
    get("/openapi.json"),
)
def base64_bytes(app: FastAPI) -> None:
    class Data(BaseModel):
        model_config = ConfigDict(val_json_bytes="base64", ser_json_bytes="base64")

        data: bytes

    @app.post("/")
    async def take(value: Data) -> dict[str, Data | int]:
        return {"same": value, "size": len(value.data)}


@feature(
    "JSON of values: what cannot be serialized",
    get("/untyped"),
    get("/any"),
)
def not_serializable(app: FastAPI) -> None:
    class Opaque:
        __slots__ = ()

    @app.get("/untyped")
    async def untyped():
        return {"value": Opaque()}

    @app.get("/any")
    async def any_() -> dict[str, Any]:
        return {"value": object}


@feature(
    "Aliases of fields",
    get("/by-alias"),
    get("/by-name"),
    get("/untyped"),
    get("/list"),
    post("/", json={"fullName": "a", "inSize": 2}),
    post("/", json={"name": "a", "size": 2}),
    post("/", json={"fullName": "a", "outSize": 2}),
    post("/", json={}),
    get("/openapi.json"),
)
def aliases(app: FastAPI) -> None:
    @app.get("/by-alias")
    async def by_alias() -> Aliased:
        return Aliased(name="a")

    @app.get("/by-name", response_model_by_alias=False)
    async def by_name() -> Aliased:
        return Aliased(name="a")

    @app.get("/untyped")
    async def untyped():
        return {"value": Aliased(name="a")}

    @app.get("/list", response_model=list[Aliased])
    async def list_():
        return [{"fullName": "a", "inSize": 3}, Aliased(name="b")]

    @app.post("/")
    async def take(value: Aliased) -> Aliased:
        return value


@feature(
    "Computed fields and serializers",
    get("/computed"),
    post("/serialized", json={"moment": "2026-01-05T12:00:00Z", "price": 1.5}),
    post("/serialized", json={"moment": "2026-01-05T12:00:00Z", "price": -1}),
    get("/whole"),
    get("/whole-untyped"),
    post("/extra", json={"name": "a", "b": 1}),
    get("/openapi.json"),
)
def computed(app: FastAPI) -> None:
    @app.get("/computed")
    async def read_computed() -> Computed:
        return Computed(width=2, height=3)

    @app.post("/serialized")
    async def serialized(value: Serialized) -> Serialized:
        return value

    @app.get("/whole")
    async def whole() -> list[Whole]:
        return [Whole(name="a")]

    @app.get("/whole-untyped")
    async def whole_untyped():
        return {"whole": Whole(name="a"), "computed": Computed(width=1, height=1)}

    @app.post("/extra")
    async def extra(value: Extra) -> Extra:
        return value


@feature(
    "Subclasses of a response model",
    get("/declared"),
    get("/any"),
    get("/list"),
    get("/untyped"),
)
def subclasses(app: FastAPI) -> None:
    class Holder(BaseModel):
        one: Base
        any: SerializeAsAny[Base]

    @app.get("/declared")
    async def declared() -> Base:
        return Derived(name="a")

    @app.get("/any")
    async def any_() -> Holder:
        return Holder(one=Derived(name="a"), any=Derived(name="b"))

    @app.get("/list")
    async def list_() -> list[Base]:
        return [Derived(name="a"), Base(name="b")]

    @app.get("/untyped")
    async def untyped():
        return Derived(name="a")


@feature(
    "Dataclasses, TypedDict and NamedTuple",
    post("/author", json={"name": "a", "books": ["b"]}),
    post("/author", json={"books": [1]}),
    get("/authors"),
    get("/untyped"),
    post("/strict", json={"count": "1"}),
    post("/strict", json={"count": "x"}),
    post("/movie", json={"title": "a"}),
    post("/movie", json={"title": "a", "year": "x"}),
    get("/point"),
    post("/point", json=[1, 2]),
)
def other_models(app: FastAPI) -> None:
    @app.post("/author", response_model=Author)
    async def take_author(author: Author):
        return author

    @app.get("/authors", response_model=list[Author])
    async def authors():
        return [Author("a"), {"name": "b", "books": ["c"], "extra": 1}]

    @app.get("/untyped")
    async def untyped():
        return {"author": Author("a")}

    @app.post("/strict")
    async def take_strict(value: Strict) -> Strict:
        return value

    @app.post("/movie")
    async def take_movie(movie: Movie) -> Movie:
        return movie

    @app.get("/point")
    async def point() -> Point:
        return Point(1)

    @app.post("/point")
    async def take_point(point: Point):
        return {"x": point.x, "y": point.y}


@feature(
    "Tuples, sets and iterables in a response",
    get("/tuple"),
    get("/set"),
    get("/iterator"),
    get("/nested"),
)
def containers(app: FastAPI) -> None:
    @app.get("/tuple")
    async def tuple_() -> tuple[int, str]:
        return (1, "a")

    @app.get("/set")
    async def set_() -> set[int]:
        return {1}

    @app.get("/iterator", response_model=list[int])
    async def iterator() -> Any:
        def numbers() -> Iterator[int]:
            yield from (1, 2)

        return list(numbers())

    @app.get("/nested")
    async def nested() -> dict[str, list[tuple[int, Base]]]:
        return {"a": [(1, Base(name="b"))]}
