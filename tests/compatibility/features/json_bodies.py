"""The user guide's pages on request bodies."""

from typing import Annotated, Any

from fastapi import Body, FastAPI, Query
from pydantic import BaseModel, ConfigDict, Field, HttpUrl

from tests.compatibility.feature import feature, get, post, put

TEXT = {"Content-Type": "text/plain"}
JSON = {"Content-Type": "application/json"}


class Image(BaseModel):
    url: HttpUrl
    name: str


class Item(BaseModel):
    name: str
    price: float = Field(gt=0)
    description: str | None = None
    tags: set[str] = set()
    images: list[Image] | None = None


class User(BaseModel):
    username: str
    full_name: str | None = None


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    count: int


class Tree(BaseModel):
    value: int
    children: list["Tree"] = []


FOO = {"name": "Foo", "price": 42.5}


@feature(
    "Request body: a model",
    post("/items", json=FOO),
    post("/items", json=FOO | {"extra": 1}),
    post("/items", json=FOO | {"price": "42.5", "tags": ["a", "a"]}),
    post("/items", json=FOO | {"price": -1, "name": None}),
    post("/items", json={"name": "Foo"}),
    post("/items", json=[FOO]),
    post("/items", json=None),
    post("/items", json="text"),
    post("/items", json=FOO | {"images": [{"url": "http://example.com/a", "name": "a"}]}),
    post("/items", json=FOO | {"images": [{"url": "a"}]}),
    post("/items"),
    get("/items"),
)
def model(app: FastAPI) -> None:
    @app.post("/items")
    async def create_item(item: Item):
        return {"name": item.name, "price": item.price, "tags": sorted(item.tags), "all": item}


@feature(
    "Request body: not JSON, and other media types",
    post("/items", content=b'{"name": "Foo", "price": 1'),
    post("/items", content=b'{"name": "Foo", "price": 1', headers=JSON),
    post("/items", content=b"", headers=JSON),
    post("/items", content=b"\xff", headers=JSON),
    post("/items", content=b'{"name": "Foo", "price": 1}', headers=JSON),
    post("/items", content=b'{"name": "Foo", "price": 1}', headers=TEXT),
    post("/items", content=b'{"name": "Foo", "price": 1}'),
    post("/items", content=b'{"name": "a", "name": "b", "price": 1}', headers=JSON),
    post("/items", content=b'{"name": "F\xc3\xbc", "price": NaN}', headers=JSON),
    post("/items", content=FOO["name"].encode(), headers={"Content-Type": "application/xml"}),
    post(
        "/items",
        content=b'{"name": "Foo", "price": 1}',
        headers={"Content-Type": "application/vnd.api+json"},
    ),
    post(
        "/items",
        content='{"name": "é", "price": 1}'.encode(),
        headers={"Content-Type": "application/json; charset=utf-8"},
    ),
    post("/items", data={"name": "Foo", "price": 1}),
)
def not_json(app: FastAPI) -> None:
    @app.post("/items")
    async def create_item(item: Item):
        return item


@feature(
    "Request body: strict_content_type=False",
    post("/items", content=b'{"name": "Foo", "price": 1}'),
    post("/items", content=b'{"name": "Foo", "price": 1}', headers=TEXT),
    strict_content_type=False,
)
def lenient_media_type(app: FastAPI) -> None:
    @app.post("/items")
    async def create_item(item: Item):
        return item


@feature(
    "Request body: with path and query parameters",
    put("/items/3", params={"q": "x"}, json=FOO),
    put("/items/x", json={"name": "Foo"}),
    put("/items/3", json=FOO),
)
def with_parameters(app: FastAPI) -> None:
    @app.put("/items/{item_id}")
    async def update_item(item_id: int, item: Item, q: str | None = None):
        return {"item_id": item_id, **item.model_dump(), "q": q}


@feature(
    "Request body: several",
    put("/items", json={"item": FOO, "user": {"username": "dave"}}),
    put("/items", json={"item": FOO, "user": {"username": "dave"}, "importance": 5}),
    put("/items", json={"item": FOO, "user": {"username": "dave"}, "other": 1}),
    put("/items", json={"item": FOO}),
    put("/items", json={"item": {"name": 1}, "user": {}, "importance": 0}),
    put("/items", json=FOO),
    put("/items", json=[1]),
    put("/items"),
)
def several(app: FastAPI) -> None:
    @app.put("/items")
    async def update_items(
        item: Item, user: User, importance: Annotated[int, Body(gt=0)] = 1, q: str | None = None
    ):
        return {"item": item, "user": user, "importance": importance, "q": q}


@feature(
    "Request body: Body(embed=True)",
    put("/items", json={"item": FOO}),
    put("/items", json=FOO),
    put("/items"),
    put("/scalar", json={"importance": 3}),
    put("/scalar", json=3),
)
def embed(app: FastAPI) -> None:
    @app.put("/items")
    async def update_item(item: Annotated[Item, Body(embed=True)]):
        return item

    @app.put("/scalar")
    async def update_scalar(importance: Annotated[int, Body(embed=True, title="How much")]):
        return importance


@feature(
    "Request body: optional and defaulted",
    put("/optional", json=FOO),
    put("/optional"),
    put("/optional", json=None),
    put("/optional", json={}),
    put("/defaulted"),
    put("/defaulted", json={"username": "a"}),
    put("/embedded"),
    put("/embedded", json={}),
    put("/embedded", json={"user": None}),
    put("/both", json={}),
    put("/both"),
)
def optional(app: FastAPI) -> None:
    @app.put("/optional")
    async def optional_body(item: Item | None = None):
        return {"item": item}

    @app.put("/defaulted")
    async def defaulted(user: User = User(username="nobody")):  # noqa: B008
        return user

    @app.put("/embedded")
    async def embedded(user: Annotated[User | None, Body(embed=True)] = None):
        return {"user": user}

    @app.put("/both")
    async def both(item: Item | None = None, user: User | None = None):
        return [item, user]


@feature(
    "Request body: scalars",
    post("/int", json=3),
    post("/int", json="3"),
    post("/int", json="x"),
    post("/int", json={"value": 3}),
    post("/text", json="a"),
    post("/text", json=1),
    post("/bool", json=True),
    post("/none", json=None),
    post("/none", json=5),
    post("/bytes", content=b"raw"),
    post("/bytes", json="text"),
)
def scalars(app: FastAPI) -> None:
    @app.post("/int")
    async def take_int(value: Annotated[int, Body()]):
        return value

    @app.post("/text")
    async def take_text(value: Annotated[str, Body(min_length=1)]):
        return value

    @app.post("/bool")
    async def take_bool(value: bool = Body()):
        return value

    @app.post("/none")
    async def take_none(value: Annotated[int | None, Body()] = 7):
        return value

    @app.post("/bytes")
    async def take_bytes(value: Annotated[bytes, Body()]):
        return value.decode()


@feature(
    "Request body: lists and dicts",
    post("/images", json=[{"url": "http://example.com/a", "name": "a"}]),
    post("/images", json=[{"url": "x", "name": "a"}, {}]),
    post("/images", json={}),
    post("/weights", json={"1": 1.5, "2": 2}),
    post("/weights", json={"a": 1}),
    post("/any", json={"a": [1, None, {"b": 2.0}]}),
    post("/any", json=[1]),
    post("/bare", json=[1, "a"]),
    post("/whatever", json=[1, {"a": None}]),
    post("/whatever", json="x"),
    post("/whatever"),
)
def containers(app: FastAPI) -> None:
    @app.post("/images")
    async def create_images(images: list[Image]):
        return [each.name for each in images]

    @app.post("/weights")
    async def create_weights(weights: dict[int, float]):
        return weights

    @app.post("/any")
    async def take_dict(value: dict[str, Any]):
        return value

    @app.post("/bare")
    async def take_list(value: list):  # pyrefly: ignore[implicit-any-type-argument]
        return value

    @app.post("/whatever")
    async def take_any(value: Annotated[Any, Body()]):
        return value


@feature(
    "Request body: nested, recursive and strict models",
    post("/tree", json={"value": 1, "children": [{"value": 2, "children": [{"value": 3}]}]}),
    post("/tree", json={"value": 1, "children": [{"value": "x"}]}),
    post("/strict", json={"count": 1}),
    post("/strict", json={"count": "1"}),
    post("/strict", json={"count": 1, "other": 2}),
)
def nested(app: FastAPI) -> None:
    @app.post("/tree")
    async def take_tree(tree: Tree):
        return tree

    @app.post("/strict")
    async def take_strict(strict: Strict):
        return strict


@feature(
    "Request body: partial updates with exclude_unset",
    put("/items", json=FOO | {"description": None}),
    put("/items", json=FOO),
)
def partial_update(app: FastAPI) -> None:
    @app.put("/items")
    async def update_item(item: Item):
        return {
            "sent": item.model_dump(exclude_unset=True),
            "fields": sorted(item.model_fields_set),
        }


@feature(
    "Request body: a custom media type and examples",
    post("/items", content=b'{"name": "Foo", "price": 1}', headers=JSON),
    get("/openapi.json"),
)
def media_type(app: FastAPI) -> None:
    @app.post("/items")
    async def create_item(
        item: Annotated[
            Item,
            Body(
                media_type="application/vnd.api+json",
                openapi_examples={"normal": {"summary": "One", "value": FOO}},
            ),
        ],
    ):
        return item


@feature(
    "Request body: with GET, and with DELETE",
    get("/items"),
    post("/remove", json=[1, 2]),
)
def with_get(app: FastAPI) -> None:
    @app.get("/items")
    async def read_items(item: Item | None = None, q: Annotated[str, Query()] = "none"):
        return {"item": item, "q": q}

    @app.api_route("/remove", methods=["DELETE", "POST"])
    async def remove(ids: list[int]):
        return ids
