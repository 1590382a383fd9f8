"""The user guide's page on response models: what they let through."""

from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel, EmailStr

from tests.compatibility.feature import feature, get, post
from tests.compatibility.features.response_models.models import ITEMS, Item, Page


class UserOut(BaseModel):
    username: str
    email: EmailStr


class UserIn(UserOut):
    password: str


class Row:
    """What an ORM returns."""

    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)


ROW: Any = Row(name="Foo", price=2, hidden=True)
TEXT: Any = "x"
LISTED: Any = ["name", "tags"]  # a set is what the types ask for
NAMES = list(ITEMS)
USER = {"username": "ada", "email": "ada@example.com", "password": "secret"}


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
