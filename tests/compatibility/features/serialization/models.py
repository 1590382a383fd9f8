"""What kinds of models become in JSON, and the names of their fields."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, NamedTuple, NotRequired

from fastapi import FastAPI
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    SerializeAsAny,
    computed_field,
    field_serializer,
    field_validator,
    model_serializer,
)
from pydantic.dataclasses import dataclass as pydantic_dataclass
from typing_extensions import TypedDict

from tests.compatibility.feature import feature, get, post


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
