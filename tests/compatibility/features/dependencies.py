"""The user guide's pages on dependencies."""

from collections.abc import Callable
from contextvars import ContextVar
from functools import partial
from itertools import count
from typing import Annotated, Any

from fastapi import APIRouter, Body, Cookie, Depends, FastAPI, Header, HTTPException, Query, Request
from pydantic import BaseModel

from tests.compatibility.feature import feature, get, post


class CommonParams:
    def __init__(self, q: str | None = None, skip: int = 0) -> None:
        self.q = q
        self.skip = skip


class Checker:
    def __init__(self, fixed: str) -> None:
        self.fixed = fixed

    def __call__(self, q: str = "") -> bool:
        return self.fixed in q


class AsyncChecker:
    def __init__(self, fixed: str) -> None:
        self.fixed = fixed

    async def __call__(self, q: str = "") -> bool:
        return self.fixed in q

    async def named(self, q: str = "") -> str:
        return f"{self.fixed} {q}"


class Page(BaseModel):
    size: int = 10


def common(q: str | None = None, limit: Annotated[int, Query(le=100)] = 10) -> dict[str, Any]:
    return {"q": q, "limit": limit}


async def query_or_cookie(
    params: Annotated[dict[str, Any], Depends(common)],
    last_query: Annotated[str | None, Cookie()] = None,
) -> str | None:
    return params["q"] or last_query


def verify_token(x_token: Annotated[str, Header()]) -> str:
    if x_token != "secret":
        raise HTTPException(400, "X-Token header invalid")
    return x_token


async def verify_key(x_key: Annotated[str, Header()]) -> None:
    if not x_key:
        raise HTTPException(401, "X-Key header invalid")


type TypedCommonDep = Annotated[dict[str, Any], Depends(common)]
CommonDep = Annotated[dict[str, Any], Depends(common)]


@feature(
    "Dependencies: async and def functions",
    get("/items", params={"q": "a", "limit": 5}),
    get("/items", params={"limit": 500}),
    get("/items", params={"other": 1}),
    get("/users"),
    get("/sync"),
)
def functions(app: FastAPI) -> None:
    async def double(limit: int = 1) -> int:
        return limit * 2

    @app.get("/items")
    async def read_items(params: Annotated[dict[str, Any], Depends(common)]):
        return params

    @app.get("/users")
    async def read_users(params: CommonDep, doubled: int = Depends(double)):
        return [params, doubled]

    @app.get("/sync")
    def sync(params: CommonDep, doubled: Annotated[int, Depends(double)]):
        return [params, doubled]


@feature(
    "def endpoints",
    get("/items/3", params={"q": "x"}),
    get("/items/x"),
    post("/items", json={"size": 3}),
    post("/items", json={"size": "x"}),
    get("/fails"),
)
def sync_endpoints(app: FastAPI) -> None:
    @app.get("/items/{item_id}")
    def read_item(item_id: int, q: str | None = None) -> dict[str, Any]:
        return {"item_id": item_id, "q": q}

    @app.post("/items", status_code=201)
    def create(page: Page) -> Page:
        return page

    @app.get("/fails")
    def fails():
        raise HTTPException(418, "teapot")


@feature(
    "Dependencies: classes",
    get("/items", params={"q": "a", "skip": 3}),
    get("/items", params={"skip": "x"}),
    get("/short", params={"q": "b"}),
    get("/model", params={"size": 3}),
)
def classes(app: FastAPI) -> None:
    @app.get("/items")
    async def read_items(commons: Annotated[CommonParams, Depends(CommonParams)]):
        return {"q": commons.q, "skip": commons.skip}

    @app.get("/short")
    async def read_short(commons: Annotated[CommonParams, Depends()]):
        return commons.q

    @app.get("/model")
    async def read_model(page: Annotated[Page, Depends()]):
        return page


@feature(
    "Dependencies: callable instances, methods, lambdas and partials",
    get("/callable", params={"q": "the bar"}),
    get("/callable"),
    get("/async", params={"q": "the bar"}),
    get("/method", params={"q": "x"}),
    get("/lambda"),
    get("/partial", params={"q": "x"}),
)
def callables(app: FastAPI) -> None:
    @app.get("/callable")
    async def read_callable(found: Annotated[bool, Depends(Checker("bar"))]):
        return found

    @app.get("/async")
    async def read_async(found: Annotated[bool, Depends(AsyncChecker("bar"))]):
        return found

    @app.get("/method")
    async def read_method(found: Annotated[str, Depends(AsyncChecker("bar").named)]):
        return found

    @app.get("/lambda")
    async def read_lambda(value: Annotated[int, Depends(lambda: 42)]):
        return value

    @app.get("/partial")
    async def read_partial(params: Annotated[dict[str, Any], Depends(partial(common, limit=3))]):
        return params


@feature(
    "Dependencies: sub-dependencies",
    get("/items", params={"q": "a"}),
    get("/items", headers={"Cookie": "last_query=before"}),
    get("/items"),
    get("/items", params={"limit": 101}),
)
def sub_dependencies(app: FastAPI) -> None:
    @app.get("/items")
    async def read_items(query: Annotated[str | None, Depends(query_or_cookie)]):
        return {"query": query}


@feature(
    "Dependencies: one call per request, unless use_cache=False",
    get("/cached"),
    get("/uncached"),
    get("/first"),
    get("/below"),
    get("/cached"),
)
def cache(app: FastAPI) -> None:
    numbers = count()

    async def number() -> int:
        return next(numbers)

    async def one(value: Annotated[int, Depends(number)]) -> int:
        return value

    async def fresh(value: Annotated[int, Depends(number, use_cache=False)]) -> int:
        return value

    @app.get("/cached")
    async def cached(a: Annotated[int, Depends(number)], b: Annotated[int, Depends(one)]):
        return [a, b]

    @app.get("/uncached")
    async def uncached(a: Annotated[int, Depends(number)], b: Annotated[int, Depends(fresh)]):
        return [a, b]

    @app.get("/first")
    async def first(
        a: Annotated[int, Depends(number, use_cache=False)], b: Annotated[int, Depends(number)]
    ):
        return [a, b]

    @app.get("/below")
    async def below(
        a: Annotated[int, Depends(fresh)],
        b: Annotated[int, Depends(fresh)],
        c: Annotated[int, Depends(number, use_cache=False)],
    ):
        return [a, b, c]


@feature(
    "Dependencies: in the decorator, the router and the application",
    get("/items", headers={"X-Token": "secret", "X-Key": "k"}),
    get("/items", headers={"X-Token": "wrong", "X-Key": "k"}),
    get("/items"),
    get("/admin/stats", headers={"X-Key": "k"}),
    get("/admin/stats", headers={"X-Key": "k", "X-Token": "secret"}),
    get("/seen"),
    get("/seen", headers={"X-Key": "k"}),
    dependencies=[Depends(verify_key)],
)
def placed(app: FastAPI) -> None:
    router = APIRouter(prefix="/admin", dependencies=[Depends(verify_token)])

    @app.get("/items", dependencies=[Depends(verify_token)])
    async def read_items():
        return "items"

    @router.get("/stats")
    async def read_stats(x_token: Annotated[str, Depends(verify_token)]):
        return x_token

    @app.get("/seen")
    async def read_seen():
        return "seen"

    app.include_router(router)


@feature(
    "Dependencies: with a body, a request and parameters of their own",
    post("/items/3", json={"size": 5}, params={"q": "a"}),
    post("/items/3", json={"size": "x"}),
    post("/items/x", json={"size": 1}),
    post("/two", json={"page": {"size": 1}, "number": 2}),
    post("/two", json={"page": {"size": 1}}),
    post("/two", json={"size": 1}),
)
def parameters(app: FastAPI) -> None:
    async def take(item_id: int, page: Page, request: Request, q: str = "") -> list[Any]:
        return [item_id, page.size, request.method, q]

    async def take_page(page: Page) -> Page:
        return page

    @app.post("/items/{item_id}")
    async def create(taken: Annotated[list[Any], Depends(take)]):
        return taken

    @app.post("/two")
    async def two(taken: Annotated[Page, Depends(take_page)], number: Annotated[int, Body()] = 1):
        return [taken, number]


@feature(
    "Dependencies: what they raise, and which errors come first",
    get("/items", params={"limit": 500}),
    get("/items", headers={"X-Token": "wrong"}, params={"limit": 500}),
    get("/items", headers={"X-Token": "secret"}, params={"limit": 5}),
    get("/gate", params={"n": "x"}),
)
def errors(app: FastAPI) -> None:
    def refuse() -> None:
        raise HTTPException(403, {"reason": "never"}, headers={"X-Why": "closed"})

    @app.get("/items")
    async def read_items(token: Annotated[str, Depends(verify_token)], params: CommonDep):
        return [token, params]

    @app.get("/gate", dependencies=[Depends(refuse)])
    async def gate(n: int):
        return n


@feature(
    "Dependencies: context variables",
    get("/async", headers={"X-User": "ada"}),
    get("/sync", headers={"X-User": "bob"}),
)
def context_variables(app: FastAPI) -> None:
    user: ContextVar[str] = ContextVar("user", default="nobody")

    async def set_user(x_user: Annotated[str, Header()]) -> None:
        user.set(x_user)

    @app.get("/async", dependencies=[Depends(set_user)])
    async def read_async():
        return user.get()

    @app.get("/sync", dependencies=[Depends(set_user)])
    def read_sync():
        return user.get()


@feature(
    "Dependencies: factories and type aliases",
    get("/roles/admin", headers={"X-Role": "admin"}),
    get("/roles/admin", headers={"X-Role": "user"}),
    get("/roles/user", headers={"X-Role": "user"}),
    get("/alias", params={"limit": 3}),
)
def factories(app: FastAPI) -> None:
    def role(*allowed: str) -> Callable[..., Any]:
        async def check(x_role: Annotated[str, Header()]) -> str:
            if x_role not in allowed:
                raise HTTPException(403, f"Not one of {', '.join(allowed)}")
            return x_role

        return check

    @app.get("/roles/admin")
    async def for_admins(name: Annotated[str, Depends(role("admin"))]):
        return name

    @app.get("/alias")
    async def by_alias(params: TypedCommonDep):
        return params

    @app.get("/roles/user")
    async def for_users(name: Annotated[str, Depends(role("user", "admin"))]):
        return name
