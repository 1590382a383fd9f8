"""The user guide's page on response models."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse, RedirectResponse
from pydantic import BaseModel, EmailStr, Field, RootModel

from tests.compatibility.feature import feature, get, post


class UserOut(BaseModel):
    username: str
    email: EmailStr


class UserIn(UserOut):
    password: str


class Item(BaseModel):
    name: str
    description: str | None = None
    price: float
    tax: float = 10.5
    tags: list[str] = []


class Cat(BaseModel):
    kind: Literal["cat"] = "cat"
    lives: int


class Dog(BaseModel):
    kind: Literal["dog"] = "dog"
    name: str


type Pet = Annotated[Cat | Dog, Field(discriminator="kind")]


class Page[T](BaseModel):
    items: list[T]
    total: int


class Ids(RootModel[list[int]]):
    pass


class Row:
    """What an ORM returns."""

    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)


ITEMS: dict[str, dict[str, Any]] = {
    "foo": {"name": "Foo", "price": 50.2},
    "bar": {"name": "Bar", "description": None, "price": 62, "tax": 20.2, "tags": []},
    "baz": {"name": "Baz", "description": "B", "price": 5, "tax": 10.5, "tags": ["a"]},
}
ROW: Any = Row(name="Foo", price=2, hidden=True)
TEXT: Any = "x"
LISTED: Any = ["name", "tags"]  # a set is what the types ask for
NAMES = list(ITEMS)
USER = {"username": "ada", "email": "ada@example.com", "password": "secret"}


@feature(
    "Response model: return annotation",
    get("/model"),
    get("/list"),
    get("/dict"),
    get("/number"),
    get("/text"),
    get("/optional"),
    get("/optional?there=true"),
    get("/none"),
    get("/union"),
    get("/mapping"),
    get("/root"),
    get("/sync"),
    get("/openapi.json"),
)
def return_annotation(app: FastAPI) -> None:
    @app.get("/model")
    async def model() -> Item:
        return Item(name="Foo", price=1)

    @app.get("/list")
    async def list_() -> list[Item]:
        return [Item(name="Foo", price=1), Item(name="Bar", price=2)]

    @app.get("/dict")
    async def dict_() -> dict[str, float]:
        return {"a": 1}

    @app.get("/number")
    async def number() -> int:
        return 1

    @app.get("/text")
    async def text() -> str:
        return "é"

    @app.get("/optional")
    async def optional(*, there: bool = False) -> Item | None:
        return Item(name="Foo", price=1) if there else None

    @app.get("/none")
    async def none() -> None:
        return None

    @app.get("/union")
    async def union() -> Cat | Dog:
        return Dog(name="Rex")

    @app.get("/mapping")
    async def mapping() -> Mapping[str, Item]:
        return {"a": Item(name="Foo", price=1)}

    @app.get("/root")
    async def root() -> Ids:
        return Ids([1, 2])

    @app.get("/sync")
    def sync() -> Item:
        return Item(name="Foo", price=1)


@feature(
    "Response model: no return annotation, and Any",
    get("/dict"),
    get("/model"),
    get("/none"),
    get("/nothing"),
    get("/list"),
    get("/any"),
    get("/text"),
    get("/null-model"),
    post("/dict"),
)
def no_annotation(app: FastAPI) -> None:
    @app.api_route("/dict", methods=["GET", "POST"])
    async def dict_():
        return {"a": 1}

    @app.get("/model")
    async def model():
        return Item(name="Foo", price=1)

    @app.get("/none")
    async def none():
        return None

    @app.get("/nothing")
    async def nothing():
        pass

    @app.get("/list")
    async def list_():
        return [Cat(lives=9), {"x": Dog(name="Rex")}, (1, 2)]

    @app.get("/any")
    async def any_() -> Any:
        return {"cat": Cat(lives=9)}

    @app.get("/text")
    async def text() -> Any:
        return "text"

    @app.get("/null-model", response_model=None)
    async def null_model() -> Item:
        return Item(name="Foo", price=1)


@feature(
    "Response model: filters what is returned",
    post("/user", json=USER),
    post("/base", json=USER),
    post("/dict", json=USER),
    post("/list", json=USER),
    post("/user", json=USER | {"email": "no"}),
)
def filtering(app: FastAPI) -> None:
    @app.post("/user", response_model=UserOut)
    async def create_user(user: UserIn) -> Any:
        return user

    @app.post("/base")
    async def create_base(user: UserIn) -> UserOut:
        return user

    @app.post("/dict", response_model=UserOut)
    async def create_dict(user: UserIn) -> Any:
        return user.model_dump()

    @app.post("/list", response_model=list[UserOut])
    async def create_list(user: UserIn) -> Any:
        return [user, user.model_dump(), {**USER, "more": 1}]


@feature(
    "Response model: a dict, an object and a model of another class",
    get("/dict"),
    get("/object"),
    get("/other"),
    get("/objects"),
)
def from_others(app: FastAPI) -> None:
    class FromAttributes(BaseModel):
        model_config = {"from_attributes": True}

        name: str
        price: float

    @app.get("/dict", response_model=Item)
    async def dict_():
        return {"name": "Foo", "price": "1.5", "unknown": 1}

    @app.get("/object")
    async def object_() -> FromAttributes:
        return ROW

    @app.get("/other", response_model=FromAttributes)
    async def other():
        return Item(name="Foo", price=3)

    @app.get("/objects", response_model=Page[FromAttributes])
    async def objects():
        return {"items": [ROW], "total": 1}


@feature(
    "Response model: an answer that does not fit it",
    get("/missing"),
    get("/type"),
    get("/none"),
    get("/scalar"),
)
def invalid(app: FastAPI) -> None:
    @app.get("/missing", response_model=Item)
    async def missing():
        return {"name": "Foo"}

    @app.get("/type", response_model=list[Item])
    async def type_():
        return [{"name": "Foo", "price": "x"}]

    @app.get("/none", response_model=Item)
    async def none():
        return None

    @app.get("/scalar")
    async def scalar() -> int:
        return TEXT


@feature(
    "Response model: exclude_unset, exclude_defaults and exclude_none",
    *[get(f"/{way}/{name}") for way in ("unset", "defaults", "none") for name in NAMES],
    get("/list"),
    get("/both"),
    get("/untyped"),
)
def excluding(app: FastAPI) -> None:
    @app.get("/unset/{name}", response_model=Item, response_model_exclude_unset=True)
    async def unset(name: str):
        return ITEMS[name]

    @app.get("/defaults/{name}", response_model=Item, response_model_exclude_defaults=True)
    async def defaults(name: str):
        return ITEMS[name]

    @app.get("/none/{name}", response_model_exclude_none=True)
    async def none(name: str) -> Item:
        return Item(**ITEMS[name])

    @app.get("/list", response_model_exclude_unset=True)
    async def list_() -> list[Item]:
        return [Item(**each) for each in ITEMS.values()]

    @app.get("/both", response_model_exclude_unset=True, response_model_exclude_none=True)
    def both() -> dict[str, Item]:
        return {name: Item(**each) for name, each in ITEMS.items()}

    @app.get("/untyped", response_model_exclude_none=True)
    async def untyped():
        return {"a": None, "item": Item(name="Foo", price=1)}


@feature(
    "Response model: include and exclude",
    get("/include"),
    get("/exclude"),
    get("/list"),
    get("/deep"),
)
def include(app: FastAPI) -> None:
    @app.get("/include", response_model_include={"name", "price"})
    async def included() -> Item:
        return Item(name="Foo", price=1)

    @app.get("/exclude", response_model=Item, response_model_exclude={"tax"})
    async def excluded():
        return ITEMS["bar"]

    @app.get("/list", response_model_include=LISTED)
    async def listed() -> Item:
        return Item(name="Foo", price=1)

    @app.get("/deep", response_model_exclude={"items": {"__all__": {"tags"}}})
    async def deep() -> Page[Item]:
        return Page(items=[Item(name="Foo", price=1)], total=1)


@feature(
    "Response model: unions and discriminated unions",
    get("/either/cat"),
    get("/either/dog"),
    get("/either/dict"),
    get("/tagged/cat"),
    get("/tagged/dog"),
    get("/list"),
    post("/tagged", json={"kind": "cat", "lives": 3}),
    post("/tagged", json={"kind": "cow", "lives": 3}),
    post("/tagged", json={"lives": 3}),
    post("/either", json={"lives": 3}),
    post("/either", json={}),
)
def unions(app: FastAPI) -> None:
    pets: dict[str, Any] = {
        "cat": Cat(lives=9),
        "dog": Dog(name="Rex"),
        "dict": {"kind": "dog", "name": "Rex", "extra": 1},
    }

    @app.get("/either/{name}", response_model=Cat | Dog)
    async def either(name: str):
        return pets[name]

    @app.get("/tagged/{name}")
    async def tagged(name: str) -> Pet:
        return pets[name]

    @app.get("/list", response_model=list[Pet])
    async def list_():
        return list(pets.values())

    @app.post("/tagged")
    async def take_tagged(pet: Annotated[Cat | Dog, Field(discriminator="kind")]):
        return type(pet).__name__

    @app.post("/either")
    async def take_either(pet: Cat | Dog):
        return type(pet).__name__


@feature(
    "Response model: generics",
    get("/page"),
    post("/page", json={"items": [{"name": "a", "price": 1}], "total": 1}),
    post("/page", json={"items": [{"name": "a"}], "total": 1}),
    get("/openapi.json"),
)
def generics(app: FastAPI) -> None:
    @app.get("/page")
    async def page() -> Page[int]:
        return Page(items=[1, 2], total=2)

    @app.post("/page")
    async def take(page: Page[Item]) -> Page[str]:
        return Page(items=[each.name for each in page.items], total=page.total)


@feature(
    "Response model: a response as return annotation",
    get("/json"),
    get("/redirect"),
    get("/either?raw=true"),
    get("/either"),
    get("/mixed"),
)
def response_annotation(app: FastAPI) -> None:
    @app.get("/json")
    async def json() -> JSONResponse:
        return JSONResponse({"a": 1}, 203, {"X-Own": "1"})

    @app.get("/redirect")
    async def redirect() -> RedirectResponse:
        return RedirectResponse("/json")

    @app.get("/either", response_model=None)
    async def either(*, raw: bool = False) -> Response | dict[str, int]:
        return Response("raw", media_type="text/x-raw") if raw else {"a": 1}

    @app.get("/mixed", response_model=Item)
    async def mixed() -> Any:
        return JSONResponse({"not": "an item"})
