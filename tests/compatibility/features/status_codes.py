"""The user guide's pages on status codes."""

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Response, status
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from tests.compatibility.feature import delete, feature, get, post, put

AS_DICT: Any = {"version": 2}


class Item(BaseModel):
    name: str


@feature(
    "Status codes: of the decorator",
    post("/items"),
    post("/accepted"),
    get("/early"),
    get("/teapot"),
    get("/enum"),
)
def of_the_decorator(app: FastAPI) -> None:
    @app.post("/items", status_code=201)
    async def create() -> Item:
        return Item(name="a")

    @app.post("/accepted", status_code=status.HTTP_202_ACCEPTED)
    def accept():
        return {"accepted": True}

    @app.get("/early", status_code=203)
    async def early() -> None:
        return None

    @app.get("/teapot", status_code=418)
    async def teapot():
        return {"error": "of our own"}

    @app.get("/enum", status_code=HTTPStatus.PARTIAL_CONTENT)
    async def enum():
        return 1


@feature(
    "Status codes: without a body",
    delete("/items"),
    delete("/nothing"),
    delete("/response"),
    get("/not-modified"),
    get("/reset"),
    delete("/returns"),
    get("/openapi.json"),
)
def without_a_body(app: FastAPI) -> None:
    @app.delete("/items", status_code=204)
    async def delete_item() -> None:
        return None

    @app.delete("/nothing", status_code=204)
    async def delete_nothing():
        pass

    @app.delete("/response", status_code=204)
    async def delete_response() -> Response:
        return Response(status_code=204)

    @app.get("/not-modified", status_code=304)
    async def not_modified() -> None:
        return None

    @app.get("/reset", status_code=205)
    async def reset() -> None:
        return None

    @app.delete("/returns", status_code=204, response_model=None)
    async def returns():
        return {"never": "sent"}


@feature(
    "Status codes: additional ones, returned directly",
    put("/items/old"),
    put("/items/new"),
)
def additional(app: FastAPI) -> None:
    @app.put("/items/{name}")
    async def upsert(name: str):
        if name == "new":
            return JSONResponse({"name": name}, status.HTTP_201_CREATED)
        return {"name": name}


@feature(
    "Status codes: 201 beside a GET of the member",
    post("/items", json={"name": "a"}),
    get("/items/a"),
    post("/dicts", json={"name": "a"}),
)
def created_beside_member(app: FastAPI) -> None:
    @app.post("/items", status_code=201)
    async def create(item: Item) -> Item:
        return item

    @app.get("/items/{name}")
    async def read(name: str) -> Item:
        return Item(name=name)

    @app.post("/dicts", status_code=201)
    async def create_dict(item: Item) -> dict[str, str]:
        return item.model_dump()

    @app.get("/dicts/{name}")
    async def read_dict(name: str) -> dict[str, str]:
        return {"name": name}


@feature(
    "Models with a field `version` or `next_cursor`",
    get("/model"),
    get("/dict"),
    get("/page"),
    get("/openapi.json"),
)
def fields_of_ours(app: FastAPI) -> None:
    class Versioned(BaseModel):
        version: int

    class Release(BaseModel):
        version: str
        next_cursor: str | None = None

    @app.get("/model")
    async def model() -> Versioned:
        return Versioned(version=1)

    @app.get("/dict")
    async def dict_() -> Versioned:
        return AS_DICT

    @app.get("/page")
    async def page() -> Release:
        return Release(version="1.2")
