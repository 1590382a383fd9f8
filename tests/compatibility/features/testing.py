"""The user guide's pages on testing."""

from typing import Annotated, Any

import httpx2 as httpx
from fastapi import Cookie, Depends, FastAPI, Header, HTTPException, Response
from fastapi.testclient import TestClient

from tests.compatibility.feature import feature, get


async def common(q: str | None = None) -> dict[str, Any]:
    return {"q": q}


async def override(q: str | None = None, skip: int = 5) -> dict[str, Any]:
    return {"q": q, "skip": skip}


def requests(client: TestClient) -> list[httpx.Response]:
    return [
        client.get("/items", params={"q": "a"}),
        client.get("/items"),
        client.post("/login"),
        client.get("/me"),
        client.get("/redirect/"),
        client.get("/redirect/", follow_redirects=False),
    ]


def with_context(client: TestClient) -> list[httpx.Response]:
    with client:
        return requests(client)


def raising(client: TestClient) -> Any:
    client = TestClient(client.app)  # raises what the application does
    answers: list[Any] = [client.get("/items")]
    for path in ("/crash", "/handled"):
        try:
            answers.append(client.get(path))
        except RuntimeError as error:
            answers.append(f"raised {error}")
    return answers


async def with_httpx(client: httpx.AsyncClient) -> list[httpx.Response]:
    return [
        await client.get("/items"),
        await client.post("/login"),
        await client.get("/me"),
        await client.get("/crash"),
    ]


async def streamed(client: httpx.AsyncClient) -> Any:
    async with client.stream("GET", "/items") as response:
        return [response.status_code, [chunk.decode() async for chunk in response.aiter_bytes()]]


@feature(
    "Testing: TestClient, with and without `with`, and httpx",
    requests,
    requests,
    with_context,
    requests,
    raising,
    with_httpx,
    streamed,
)
def clients(app: FastAPI) -> None:
    @app.exception_handler(KeyError)
    async def handle(_request: Any, _error: KeyError) -> Response:
        return Response("handled", 400)

    @app.get("/items")
    async def items(q: str | None = None):
        return {"q": q}

    @app.post("/login")
    def login(response: Response):
        response.set_cookie("user", "ada")
        return "logged in"

    @app.get("/me")
    async def me(user: Annotated[str | None, Cookie()] = None):
        return user

    @app.get("/redirect")
    async def redirected():
        return "redirected"

    @app.get("/crash")
    async def crash():
        raise RuntimeError("crash")

    @app.get("/handled")
    async def handled():
        raise KeyError("handled")


def overridden(client: TestClient) -> list[httpx.Response]:
    app: Any = client.app
    before = client.get("/items", params={"q": "a"})
    app.dependency_overrides[common] = override
    during = [client.get("/items", params={"q": "a", "skip": 1}), client.get("/items?skip=x")]
    app.dependency_overrides = {}
    return [before, *during, client.get("/items", params={"q": "a"})]


@feature("Testing: dependency_overrides", overridden)
def overrides(app: FastAPI) -> None:
    @app.get("/items")
    async def items(params: Annotated[dict[str, Any], Depends(common)]):
        return params


@feature(
    "Testing: dependency_overrides of sub-dependencies and dependencies in a decorator",
    get("/sub"),
    get("/decorated"),
    get("/yield"),
    get("/sync"),
)
def deep_overrides(app: FastAPI) -> None:
    def token(x_token: Annotated[str, Header()]) -> str:
        return x_token

    def user(value: Annotated[str, Depends(token)]) -> str:
        return f"user {value}"

    def refuse() -> None:
        raise HTTPException(403, "never")

    async def replaced():
        yield "replaced"

    app.dependency_overrides |= {
        token: lambda: "fake",
        refuse: lambda: None,
        common: replaced,
    }

    @app.get("/sub")
    async def sub(name: Annotated[str, Depends(user)]):
        return name

    @app.get("/decorated", dependencies=[Depends(refuse)])
    async def decorated():
        return "in"

    @app.get("/yield")
    async def yielded(value: Annotated[Any, Depends(common)]):
        return value

    @app.get("/sync")
    def sync(name: Annotated[str, Depends(user)]):
        return name
