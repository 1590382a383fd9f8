"""The user guide's pages on bigger applications and custom route classes."""

import gzip
import time
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, FastAPI, Header, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse
from fastapi.routing import APIRoute

from tests.compatibility.feature import feature, get, post


class TimedRoute(APIRoute):
    def get_route_handler(self) -> Callable[[Request], Any]:
        original = super().get_route_handler()

        async def handler(request: Request) -> Response:
            before = time.monotonic()
            response = await original(request)
            response.headers["X-Timed"] = str(time.monotonic() >= before)
            return response

        return handler


class GzipRequest(Request):
    async def body(self) -> bytes:
        if not hasattr(self, "_body"):
            body = await super().body()
            if "gzip" in self.headers.getlist("Content-Encoding"):
                body = gzip.decompress(body)
            self._body = body
        return self._body


class GzipRoute(APIRoute):
    def get_route_handler(self) -> Callable[[Request], Any]:
        original = super().get_route_handler()

        async def handler(request: Request) -> Response:
            return await original(GzipRequest(request.scope, request.receive))

        return handler


class ErrorsRoute(APIRoute):
    def get_route_handler(self) -> Callable[[Request], Any]:
        original = super().get_route_handler()

        async def handler(request: Request) -> Response:
            try:
                return await original(request)
            except RequestValidationError as error:
                body = await request.body()
                raise HTTPException(
                    422, {"count": len(error.errors()), "body": body.decode()}
                ) from error

        return handler


@feature(
    "Routers: prefix, tags, dependencies and responses",
    get("/items"),
    get("/items", headers={"X-Token": "wrong"}),
    get("/items", headers={"X-Token": "secret"}),
    get("/items/3", headers={"X-Token": "secret"}),
    get("/api/items", headers={"X-Token": "secret"}),
    get("/users/me"),
    get("/openapi.json"),
)
def routers(app: FastAPI) -> None:
    async def token(x_token: Annotated[str, Header()]) -> None:
        if x_token != "secret":
            raise HTTPException(400, "X-Token header invalid")

    items = APIRouter(
        prefix="/items",
        tags=["items"],
        dependencies=[Depends(token)],
        responses={404: {"description": "Not found"}},
    )
    users = APIRouter()

    @items.get("")
    async def read_items():
        return ["a"]

    @items.get("/{item_id}", tags=["one"], responses={403: {"description": "Forbidden"}})
    async def read_item(item_id: int):
        raise HTTPException(404, f"No item {item_id}")

    @users.get("/me", deprecated=True)
    async def read_me():
        return "me"

    app.include_router(items)
    app.include_router(items, prefix="/api", tags=["again"], include_in_schema=False)
    app.include_router(users, prefix="/users")


@feature(
    "Routers within routers",
    get("/v1/teams/3/members"),
    get("/v1/teams/x/members"),
    get("/v1/teams/3"),
    get("/v2/teams/3/members"),
    post("/v1/teams/3/members"),
    get("/teams/3/members"),
    get("/openapi.json"),
)
def nested(app: FastAPI) -> None:
    order: list[str] = []

    def mark(name: str) -> Callable[[], None]:
        return lambda: order.append(name)

    v1 = APIRouter(prefix="/v1", dependencies=[Depends(mark("v1"))])
    teams = APIRouter(prefix="/teams/{team_id}", dependencies=[Depends(mark("teams"))])
    members = APIRouter(prefix="/members", dependencies=[Depends(mark("members"))])

    @members.get("", dependencies=[Depends(mark("route"))])
    async def read_members(team_id: int):
        seen = order.copy()
        order.clear()
        return [team_id, seen]

    @teams.get("")
    async def read_team(team_id: str):
        order.clear()
        return team_id

    teams.include_router(members)
    v1.include_router(teams)
    app.include_router(v1)
    app.include_router(teams, prefix="/v2", include_in_schema=False)


@feature(
    "Routers: routes added after include_router, and the same function twice",
    get("/a/late"),
    get("/a/same"),
    get("/b/same"),
)
def late(app: FastAPI) -> None:
    a, b = APIRouter(prefix="/a"), APIRouter(prefix="/b")

    async def same(request: Request):
        return request.url.path

    a.add_api_route("/same", same)
    b.add_api_route("/same", same)
    app.include_router(a)
    app.include_router(b)

    @a.get("/late")
    async def late_route():
        return "late"


@feature(
    "Routers: defaults of include_router",
    get("/text/hello"),
    get("/json/hello"),
    get("/openapi.json"),
)
def include_defaults(app: FastAPI) -> None:
    router = APIRouter()

    @router.get("/hello")
    async def hello():
        return "hello"

    app.include_router(
        router,
        prefix="/text",
        default_response_class=PlainTextResponse,
        deprecated=True,
        generate_unique_id_function=lambda route: f"text-{route.name}",
    )
    app.include_router(router, prefix="/json", default_response_class=JSONResponse)


@feature(
    "Route classes: custom APIRoute",
    get("/timed"),
    get("/fails"),
    get("/plain"),
    get("/sub/timed"),
    get("/app/timed"),
)
def route_class(app: FastAPI) -> None:
    router = APIRouter(route_class=TimedRoute)
    sub = APIRouter(prefix="/sub")

    @router.get("/timed")
    async def timed():
        return "timed"

    @router.get("/fails")
    async def fails():
        raise HTTPException(400, "no")

    @app.get("/plain")
    async def plain():
        return "plain"

    @sub.get("/timed")
    def sub_timed():
        return "sub"

    router.include_router(sub)
    app.include_router(router)
    app.router.route_class = TimedRoute

    @app.get("/app/timed")
    async def app_timed():
        return "app"


@feature(
    "Route classes: another Request, and errors with the body",
    post(
        "/sum",
        content=gzip.compress(b"[1, 2]"),
        headers={"Content-Encoding": "gzip", "Content-Type": "application/json"},
    ),
    post("/sum", json=[3, 4]),
    post("/sum", json=["x"]),
    post("/errors", json=["x"]),
    post("/errors", json=[1]),
)
def request_class(app: FastAPI) -> None:
    gzipped = APIRouter(route_class=GzipRoute)
    errors = APIRouter(route_class=ErrorsRoute)

    @gzipped.post("/sum")
    async def total(numbers: Annotated[list[int], Body()]):
        return {"sum": sum(numbers)}

    @errors.post("/errors")
    async def with_errors(numbers: Annotated[list[int], Body()]):
        return sum(numbers)

    app.include_router(gzipped)
    app.include_router(errors)
