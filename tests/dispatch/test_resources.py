"""What a read with a tag varies by."""

from typing import Annotated, Any

import pytest
from fastapi import Cookie, FastAPI, Security
from fastapi.security import APIKeyCookie, APIKeyHeader, APIKeyQuery, HTTPBasic

from app.auth.dependencies import authenticate
from app.core.schemas import ReadSchema
from app.dispatch.resources import Resource
from app.dispatch.routes import routes


class Thing(ReadSchema):
    version: int


def varies_by(app: FastAPI) -> bytes | None:
    [route] = [each for each in routes(app.router) if each.path == "/things"]
    headers = Resource(route, ["a secret"]).after({"method": "GET"}, {}, Thing(version=3))
    assert (b"etag", b'"3"') in headers
    return dict(headers).get(b"vary")


@pytest.mark.parametrize(
    ("schemes", "expected"),
    [
        ([authenticate], b"Authorization"),
        ([HTTPBasic()], b"Authorization"),
        ([APIKeyCookie(name="session")], b"Cookie"),
        ([APIKeyHeader(name="X-Key")], b"X-Key"),
        ([APIKeyQuery(name="key")], None),
        ([APIKeyCookie(name="session"), authenticate, HTTPBasic()], b"Authorization, Cookie"),
        ([], None),
    ],
)
def test_by_how_the_route_knows_its_caller(schemes: list[Any], expected: bytes | None) -> None:
    app = FastAPI()

    @app.get("/things", dependencies=[Security(each) for each in schemes])
    async def read_thing() -> Thing:
        return Thing(version=3)

    assert varies_by(app) == expected


def test_by_a_cookie_that_it_reads_itself() -> None:
    app = FastAPI()

    @app.get("/things")
    async def read_thing(session: Annotated[str | None, Cookie()] = None) -> Thing:
        assert session
        return Thing(version=3)

    assert varies_by(app) == b"Cookie"
