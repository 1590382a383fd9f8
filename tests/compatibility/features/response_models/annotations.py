"""The user guide's page on response models: how a route declares one."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse, RedirectResponse
from pydantic import Field, RootModel

from tests.compatibility.feature import feature, get, post
from tests.compatibility.features.response_models.models import Cat, Dog, Item, Page

type Pet = Annotated[Cat | Dog, Field(discriminator="kind")]


class Ids(RootModel[list[int]]):
    pass


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
