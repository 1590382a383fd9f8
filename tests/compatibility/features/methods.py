"""HTTP methods, and paths and methods that are not there."""

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import PlainTextResponse
from starlette.routing import Host, Route, Router

from tests.compatibility.feature import ask, delete, feature, get, head, patch, post, put


@feature(
    "Methods: GET, POST, PUT, PATCH, DELETE, OPTIONS, HEAD and TRACE",
    get("/"),
    post("/"),
    put("/"),
    patch("/"),
    delete("/"),
    ask("OPTIONS", "/"),
    head("/"),
    ask("TRACE", "/"),
    ask("PROPFIND", "/"),
    get("/openapi.json"),
)
def methods(app: FastAPI) -> None:
    @app.get("/")
    async def get_():
        return "get"

    @app.post("/")
    async def post_():
        return "post"

    @app.put("/")
    async def put_():
        return "put"

    @app.patch("/")
    async def patch_():
        return "patch"

    @app.delete("/")
    async def delete_():
        return "delete"

    @app.options("/")
    async def options_():
        return "options"

    @app.head("/")
    async def head_(response: Response):
        response.headers["X-Own"] = "head"

    @app.trace("/")
    async def trace_():
        return "trace"


@feature(
    "Methods: HEAD on a GET",
    head("/items"),
    head("/items/3"),
    head("/text"),
    head("/headers"),
    head("/created"),
    head("/nothing"),
    head("/posted"),
)
def head_on_get(app: FastAPI) -> None:
    @app.get("/items")
    async def items() -> list[int]:
        return [1, 2]

    @app.get("/items/{item_id}")
    def item(item_id: int):
        return item_id

    @app.get("/text", response_class=PlainTextResponse)
    async def text():
        return "text"

    @app.get("/headers")
    async def headers(response: Response):
        response.headers["X-Own"] = "1"
        return {}

    @app.get("/created", status_code=201)
    async def created():
        return "created"

    @app.post("/posted")
    async def posted():
        return "posted"


@feature(
    "Methods: wrong ones, and unknown paths",
    post("/items"),
    delete("/items"),
    ask("OPTIONS", "/items"),
    put("/items/3"),
    get("/only-post"),
    get("/"),
    get("/itemss"),
    get("//items"),
    get("/items/3/more"),
    get("/openapi.yaml"),
)
def wrong(app: FastAPI) -> None:
    @app.get("/items")
    async def items():
        return []

    @app.put("/items")
    async def replace():
        return []

    @app.get("/items/{item_id}")
    async def item(item_id: int):
        return item_id

    @app.post("/only-post")
    async def only_post():
        return "posted"


@feature(
    "Methods: api_route and add_api_route",
    get("/both"),
    post("/both"),
    put("/both"),
    ask("PROPFIND", "/webdav"),
    get("/added"),
    get("/router/added"),
    get("/openapi.json"),
)
def api_route(app: FastAPI) -> None:
    router = APIRouter(prefix="/router")

    @app.api_route("/both", methods=["GET", "POST"], include_in_schema=False)
    async def both(request: Request):
        return request.method

    @app.api_route("/webdav", methods=["PROPFIND"], include_in_schema=False)
    async def webdav():
        return "properties"

    async def added():
        return {"added": True}

    app.add_api_route("/added", added, status_code=201)
    router.add_api_route("/added", added, methods=["GET"], tags=["router"])
    app.include_router(router)


@feature(
    "Starlette routes: add_route, Route and Host",
    get("/plain"),
    head("/plain"),
    post("/plain"),
    get("/decorated/3"),
    get("/constructor"),
    get("/", headers={"Host": "api.example.org"}),
    get("/", headers={"Host": "test"}),
    routes=[Route("/constructor", lambda _request: PlainTextResponse("constructor"))],
)
def starlette_routes(app: FastAPI) -> None:
    async def plain(request: Request) -> Response:
        return PlainTextResponse(request.url.path)

    def decorated(request: Request) -> Response:
        return PlainTextResponse(str(request.path_params))

    async def on_host(_request: Request) -> Response:
        return PlainTextResponse("host")

    app.add_route("/plain", plain)
    app.add_route("/decorated/{number:int}", decorated, ["GET"])
    app.router.routes.append(Host("api.example.org", Router([Route("/", on_host)])))


@feature(
    "Trailing slashes: redirect_slashes",
    get("/items"),
    get("/items/"),
    get("/items/?q=1"),
    post("/items/"),
    get("/users"),
    get("/users/"),
    get("/nothing/"),
)
def redirect_slashes(app: FastAPI) -> None:
    @app.get("/items")
    async def items():
        return "items"

    @app.get("/users/")
    async def users():
        return "users"


@feature(
    "Trailing slashes: redirect_slashes=False",
    get("/items/"),
    get("/users"),
    redirect_slashes=False,
)
def no_redirects(app: FastAPI) -> None:
    @app.get("/items")
    async def items():
        return "items"

    @app.get("/users/")
    async def users():
        return "users"
