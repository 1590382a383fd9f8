"""The user guide's pages on middleware and CORS."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Header, HTTPException, Request, Response
from fastapi.middleware.cors import CORSMiddleware
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.middleware.httpsredirect import HTTPSRedirectMiddleware
from fastapi.middleware.trustedhost import TrustedHostMiddleware
from fastapi.responses import PlainTextResponse, StreamingResponse
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tests.compatibility.feature import ask, feature, get, head, post

ORIGIN = {"Origin": "https://example.org"}
PREFLIGHT = ORIGIN | {"Access-Control-Request-Method": "POST"}


class Mark:
    """Pure ASGI: marks each answer, in the order that they leave in."""

    def __init__(self, app: ASGIApp, name: str = "asgi") -> None:
        self.app = app
        self.name = name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        scope.setdefault("marks", []).append(self.name)

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-mark", self.name.encode())]
            await send(message)

        await self.app(scope, receive, send_marked)


class Base(BaseHTTPMiddleware):
    async def dispatch(self, request: Request, call_next: Any) -> Response:
        request.scope.setdefault("marks", []).append("base")
        request.state.user = "of the middleware"
        if request.headers.get("x-stop"):
            return PlainTextResponse("stopped", 403)
        response: Response = await call_next(request)
        response.headers.append("X-Mark", "base")
        return response


@feature(
    "Middleware: @app.middleware, BaseHTTPMiddleware and pure ASGI, in their order",
    get("/"),
    get("/", headers={"X-Stop": "1"}),
    get("/error"),
    get("/nothing"),
    post("/"),
    get("/invalid?n=x"),
    get("/stream"),
)
def order(app: FastAPI) -> None:
    app.add_middleware(Mark, name="first")
    app.add_middleware(Base)

    @app.middleware("http")
    async def decorated(
        request: Request, call_next: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        request.scope.setdefault("marks", []).append("decorated")
        response = await call_next(request)
        response.headers.append("X-Mark", "decorated")
        return response

    app.add_middleware(Mark, name="last")

    @app.get("/")
    async def read(request: Request):
        return [request.scope["marks"], request.state.user]

    @app.get("/error")
    async def error():
        raise HTTPException(409, "conflict")

    @app.get("/invalid")
    async def invalid(n: int):
        return n

    @app.get("/stream")
    async def stream():
        return StreamingResponse(iter(["a", "b"]))


@feature(
    "Middleware: by the constructor",
    get("/"),
    get("/nothing"),
    middleware=[Middleware(Mark, name="a"), Middleware(Mark, name="b")],
)
def by_constructor(app: FastAPI) -> None:
    @app.get("/")
    def read(request: Request):
        return request.scope["marks"]


@feature(
    "Middleware: that reads the body, changes the request or answers itself",
    post("/echo", json={"a": 1}),
    post("/length", json={"a": 1}),
    get("/rewritten"),
    get("/answered"),
)
def changes(app: FastAPI) -> None:
    @app.middleware("http")
    async def read_body(request: Request, call_next: Any) -> Response:
        body = await request.body()
        if request.url.path == "/rewritten":
            request.scope["path"] = "/target"
        if request.url.path == "/answered":
            return PlainTextResponse("by the middleware", 202)
        response: Response = await call_next(request)
        response.headers["X-Body"] = str(len(body))
        return response

    @app.post("/echo")
    async def echo(value: dict[str, int]):
        return value

    @app.post("/length")
    async def length(request: Request):
        return len(await request.body())

    @app.get("/target")
    async def target():
        return "target"


@feature(
    "Middleware: errors within it and around it",
    get("/own"),
    get("/endpoint"),
    get("/after"),
    get("/fine"),
)
def errors(app: FastAPI) -> None:
    @app.exception_handler(KeyError)
    async def handle(_request: Request, _error: Exception) -> Response:
        return PlainTextResponse("handled", 400)

    @app.middleware("http")
    async def fails(request: Request, call_next: Any) -> Response:
        if request.url.path == "/own":
            raise KeyError("in the middleware")
        try:
            response: Response = await call_next(request)
        except ZeroDivisionError:
            return PlainTextResponse("caught", 503)
        if request.url.path == "/after":
            raise RuntimeError("after the endpoint")
        return response

    @app.get("/endpoint")
    async def endpoint():
        return 1 / 0

    @app.get("/after")
    async def after():
        return "after"

    @app.get("/fine")
    async def fine():
        raise KeyError("in the endpoint")


@feature(
    "CORS",
    get("/", headers=ORIGIN),
    get("/", headers={"Origin": "https://evil.example"}),
    get("/"),
    ask("OPTIONS", "/", headers=PREFLIGHT),
    ask("OPTIONS", "/", headers=PREFLIGHT | {"Access-Control-Request-Headers": "X-Own"}),
    ask("OPTIONS", "/", headers=PREFLIGHT | {"Access-Control-Request-Headers": "X-Other"}),
    ask("OPTIONS", "/", headers=PREFLIGHT | {"Access-Control-Request-Method": "DELETE"}),
    ask("OPTIONS", "/", headers=PREFLIGHT | {"Origin": "https://evil.example"}),
    ask("OPTIONS", "/"),
    get("/nothing", headers=ORIGIN),
    get("/error", headers=ORIGIN),
)
def cors(app: FastAPI) -> None:
    app.add_middleware(
        CORSMiddleware,
        allow_origins=["https://example.org"],
        allow_credentials=True,
        allow_methods=["GET", "POST"],
        allow_headers=["X-Own"],
        expose_headers=["X-Shown"],
        max_age=5,
    )

    @app.get("/")
    async def read(response: Response):
        response.headers["X-Shown"] = "1"
        return {}

    @app.get("/error")
    async def error():
        raise HTTPException(400, "no")


@feature(
    "CORS: any origin",
    get("/", headers=ORIGIN | {"Cookie": "a=1"}),
    ask("OPTIONS", "/", headers=PREFLIGHT),
)
def cors_any(app: FastAPI) -> None:
    app.add_middleware(CORSMiddleware, allow_origins=["*"], allow_methods=["*"])

    @app.get("/")
    async def read():
        return {}


@feature(
    "GZip",
    get("/big", headers={"Accept-Encoding": "gzip"}),
    get("/big", headers={"Accept-Encoding": "identity"}),
    get("/small", headers={"Accept-Encoding": "gzip"}),
    get("/stream", headers={"Accept-Encoding": "gzip"}),
    get("/encoded", headers={"Accept-Encoding": "gzip"}),
    head("/big", headers={"Accept-Encoding": "gzip"}),
)
def gzip(app: FastAPI) -> None:
    app.add_middleware(GZipMiddleware, minimum_size=100, compresslevel=5)

    @app.get("/big")
    async def big():
        return "x" * 200

    @app.get("/small")
    async def small():
        return "x"

    @app.get("/stream")
    async def stream():
        return StreamingResponse(iter(["a" * 100, "b" * 100]))

    @app.get("/encoded")
    async def encoded():
        return Response(b"\x00" * 200, headers={"Content-Encoding": "own"})


@feature(
    "TrustedHost",
    get("/", headers={"Host": "example.com"}),
    get("/", headers={"Host": "www.example.com"}),
    get("/", headers={"Host": "evil.example"}),
    get("/"),
)
def trusted_host(app: FastAPI) -> None:
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["example.com", "*.example.com"])

    @app.get("/")
    async def read():
        return "trusted"


@feature(
    "HTTPSRedirect",
    get("/a?b=1"),
    get("/nothing"),
)
def https_redirect(app: FastAPI) -> None:
    app.add_middleware(HTTPSRedirectMiddleware)

    @app.get("/a")
    async def read():
        return "never over http"


@feature(
    "Middleware: state for dependencies",
    get("/"),
)
def state(app: FastAPI) -> None:
    app.add_middleware(Base)

    def user(request: Request) -> str:
        return request.state.user

    @app.get("/")
    async def read(name: str = Depends(user)):
        return name


class Headers:
    """Pure ASGI: changes the headers of a request."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            dropped = {b"user-agent", b"x-many", b"content-type"}
            kept = [each for each in scope["headers"] if each[0] not in dropped]
            kept += [(b"x-tenant", b"acme"), (b"content-type", b"application/json")]
            scope["headers"] = kept
        await self.app(scope, receive, send)


@feature(
    "Middleware: one that changes the headers of a request",
    get("/", headers={"X-Many": "a"}),
    post("/", content=b'{"a": 1}', headers={"Content-Type": "text/plain"}),
)
def changed_headers(app: FastAPI) -> None:
    app.add_middleware(Headers)

    @app.get("/")
    async def read(
        x_tenant: Annotated[str, Header()],
        user_agent: Annotated[str, Header()] = "none",
        x_many: Annotated[list[str], Header()] = ["none"],
    ):
        return [x_tenant, user_agent, x_many]

    @app.post("/")
    async def write(body: dict[str, int]):
        return body
