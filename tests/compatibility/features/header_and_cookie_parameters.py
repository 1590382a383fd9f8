"""The user guide's pages on header and cookie parameters."""

from typing import Annotated

from fastapi import Cookie, FastAPI, Header, Response
from pydantic import BaseModel, Field

from tests.compatibility.feature import feature, get


class CommonHeaders(BaseModel):
    host: str
    save_data: bool
    if_modified_since: str | None = None
    x_tag: list[str] = []


class ExactHeaders(BaseModel):
    some_name: str = "none"


class Cookies(BaseModel):
    model_config = {"extra": "forbid"}

    session_id: str
    tracker: int | None = Field(None, alias="fatebook-tracker")


@feature(
    "Header parameters: names",
    get("/items", headers={"X-Token": "a"}),
    get("/items", headers={"x_token": "a"}),
    get("/items", headers={"strange_header": "a"}),
    get("/items", headers={"X-Aliased-As": "a"}),
    get("/items", headers={"User-Agent": "me"}),
    get("/items", headers={"X-Count": "3"}),
    get("/items", headers={"X-Count": "three"}),
    get("/items", headers={"X-Token": ""}),
)
def names(app: FastAPI) -> None:
    @app.get("/items")
    async def read_items(
        x_token: Annotated[str | None, Header()] = None,
        strange_header: Annotated[str | None, Header(convert_underscores=False)] = None,
        aliased: Annotated[str | None, Header(alias="X-Aliased-As")] = None,
        user_agent: Annotated[str | None, Header()] = None,
        x_count: int = Header(default=0, ge=1),
    ):
        return [x_token, strange_header, aliased, user_agent, x_count]


@feature(
    "Header parameters: required",
    get("/items", headers={"X-Token": "a"}),
    get("/items"),
)
def required_header(app: FastAPI) -> None:
    @app.get("/items")
    async def read_items(x_token: Annotated[str, Header(min_length=1)]):
        return x_token


@feature(
    "Header parameters: lists",
    get("/items", headers=[("X-Token", "foo"), ("X-Token", "bar")]),
    get("/items", headers=[("X-Token", "foo, bar")]),
    get("/items"),
    get("/items", headers=[("X-One", "foo"), ("X-One", "bar")]),
    get("/items", headers=[("X-Number", "1"), ("X-Number", "2")]),
    get("/items", headers=[("X-Number", "1"), ("X-Number", "x")]),
)
def header_lists(app: FastAPI) -> None:
    @app.get("/items")
    async def read_items(
        x_token: Annotated[list[str] | None, Header()] = None,
        x_one: Annotated[str | None, Header()] = None,
        x_number: Annotated[frozenset[int], Header()] = frozenset(),
    ):
        return {"tokens": x_token, "one": x_one, "numbers": sorted(x_number)}


@feature(
    "Header parameters: a model",
    get("/items", headers=[("Save-Data", "on"), ("X-Tag", "a"), ("X-Tag", "b")]),
    get("/items", headers={"save_data": "on"}),
    get("/items"),
    get("/exact", headers={"some_name": "a"}),
    get("/exact", headers={"Some-Name": "a"}),
)
def header_model(app: FastAPI) -> None:
    @app.get("/items")
    async def read_items(headers: Annotated[CommonHeaders, Header()]):
        return headers

    @app.get("/exact")
    async def read_exact(
        headers: Annotated[ExactHeaders, Header(convert_underscores=False)],
    ):
        return headers


@feature(
    "Cookie parameters",
    get("/items", headers={"Cookie": "ads_id=abc; count=3"}),
    get("/items", headers={"Cookie": "count=x"}),
    get("/items", headers={"Cookie": "ads_id=a; ads_id=b"}),
    get("/items", headers=[("Cookie", "ads_id=a"), ("Cookie", "count=5")]),
    get("/items", headers={"Cookie": 'ads_id="quoted value"'}),
    get("/items", headers={"Cookie": "other-name=a"}),
    get("/items", headers={"Cookie": "nonsense"}),
    get("/items"),
)
def cookies(app: FastAPI) -> None:
    @app.get("/items")
    async def read_items(
        ads_id: Annotated[str | None, Cookie()] = None,
        count: Annotated[int, Cookie(le=5)] = 0,
        aliased: str | None = Cookie(None, alias="other-name"),
    ):
        return [ads_id, count, aliased]


@feature(
    "Cookie parameters: required, and a model",
    get("/items", headers={"Cookie": "session_id=s; fatebook-tracker=1"}),
    get("/items", headers={"Cookie": "session_id=s; other=1"}),
    get("/items"),
    get("/one", headers={"Cookie": "session_id=s"}),
    get("/one"),
)
def cookie_model(app: FastAPI) -> None:
    @app.get("/items")
    async def read_items(cookies: Annotated[Cookies, Cookie()]):
        return cookies

    @app.get("/one")
    async def read_one(session_id: Annotated[str, Cookie()]):
        return session_id


@feature(
    "Headers: an ETag that the route sets itself, and If-None-Match",
    get("/fast", headers={"If-None-Match": '"a"'}),
    get("/cookie", headers={"If-None-Match": '"a"', "Cookie": "seen=1"}),
)
def own_tag(app: FastAPI) -> None:
    @app.get("/fast")
    async def fast(response: Response):
        response.headers["ETag"] = '"a"'
        return "whole"

    @app.get("/cookie")
    async def with_cookie(response: Response, seen: Annotated[str, Cookie()]):
        response.headers["ETag"] = '"a"'
        return seen
