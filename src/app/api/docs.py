"""The interactive documentation, from files of our own: it works without the internet."""

import base64
import re
from collections.abc import Awaitable, Callable
from functools import lru_cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from urllib.parse import quote

from fastapi import FastAPI
from fastapi.openapi.docs import get_redoc_html, get_swagger_ui_html
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.dispatch.query_parameters import QueryParameters
from app.exceptions import MethodNotAllowed

ASSETS = "/docs/assets"
FAVICON = f"{ASSETS}/favicon.png"
REDOC_LOGO = "https://cdn.redoc.ly/redoc/logo-mini.svg"  # the one thing it would fetch
READS = ("GET", "HEAD")
MAX_PREFIXES = 16  # that pages are kept for; most applications have one


def add_docs(app: FastAPI) -> None:
    """Serve /docs and /redoc for the app's schema, also behind the prefix of a proxy.

    `/` leads to /docs unless the application has a route for it.
    """
    for path, make in {"/docs": _swagger, "/redoc": _redoc}.items():
        app.add_route(path, _serve(_page(app, make)), include_in_schema=False)
    for route in app.routes:
        if isinstance(route, Route) and route.path in {"/docs", "/redoc", app.openapi_url}:
            route.app = _without_parameters(route.app)
    folder = Path(str(files("fastapi_offline") / "static"))
    # From the page's own place, which is right behind any prefix.
    logo = FAVICON.removeprefix("/")
    script = (folder / "redoc.standalone.js").read_text().replace(REDOC_LOGO, logo)
    redoc_script = Response(script, media_type="text/javascript")
    app.add_route(
        f"{ASSETS}/redoc.standalone.js", _serve(lambda _: redoc_script), include_in_schema=False
    )
    app.mount(ASSETS, Assets(directory=folder))
    app.router.default = _leading_to_docs(app.router.default)


def _swagger(app: FastAPI, prefix: str) -> Response:
    own = app.swagger_ui_parameters or {}
    return get_swagger_ui_html(
        openapi_url=f"{prefix}{app.openapi_url}",
        title=app.title,
        swagger_js_url=f"{prefix}{ASSETS}/swagger-ui-bundle.js",
        swagger_css_url=f"{prefix}{ASSETS}/swagger-ui.css",
        swagger_favicon_url=f"{prefix}{FAVICON}",
        init_oauth=app.swagger_ui_init_oauth,
        swagger_ui_parameters={
            "persistAuthorization": True,
            "tryItOutEnabled": True,
            "defaultModelsExpandDepth": 0,  # the schemas at the foot are closed
            "validatorUrl": None,  # by default a service on the internet
            **own,
        },
    )


def _redoc(app: FastAPI, prefix: str) -> Response:
    return get_redoc_html(
        openapi_url=f"{prefix}{app.openapi_url}",
        title=app.title,
        redoc_js_url=f"{prefix}{ASSETS}/redoc.standalone.js",
        redoc_favicon_url=f"{prefix}{FAVICON}",
        with_google_fonts=False,
    )


def _page(app: FastAPI, make: Callable[[FastAPI, str], Response]) -> Callable[[str], Response]:
    """The page below a prefix, with its policy."""

    @lru_cache(MAX_PREFIXES)
    def page(prefix: str) -> Response:
        made = make(app, quote(prefix))
        made.headers["Content-Security-Policy"] = _policy(bytes(made.body).decode())
        return made

    return page


class Assets(StaticFiles):
    """Whole files only: a range that cannot be had would be refused in another shape."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [header for header in scope["headers"] if header[0] != b"range"]

        async def send_revalidated(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["Cache-Control"] = "private, no-cache"
            await send(message)

        await super().__call__({**scope, "headers": headers}, receive, send_revalidated)


def _serve(page: Callable[[str], Response]) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        return page(request.scope.get("root_path", "").rstrip("/"))

    return endpoint


def _without_parameters(app: ASGIApp) -> ASGIApp:
    """Refuse unknown parameters here too, where there is no operation that would."""
    query = QueryParameters({})

    async def closed(scope: Scope, receive: Receive, send: Send) -> None:
        query.require_known(scope["query_string"])
        await app(scope, receive, send)

    return closed


def _leading_to_docs(not_found: ASGIApp) -> ASGIApp:
    """Answers what no route is for: `/` with a redirect."""
    query = QueryParameters({})

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        prefix = scope.get("root_path", "").rstrip("/")
        if scope["type"] != "http" or scope["path"] not in {f"{prefix}/", prefix or "/"}:
            await not_found(scope, receive, send)
            return
        if scope["method"] not in READS:
            raise MethodNotAllowed(READS)
        query.require_known(scope["query_string"])
        await RedirectResponse(f"{quote(prefix)}/docs")(scope, receive, send)

    return answer


def _policy(html: str) -> str:
    """Just loose enough: the page's inline scripts by their hash, and nothing from elsewhere."""
    scripts = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    hashes = [base64.b64encode(sha256(each.encode()).digest()).decode() for each in scripts]
    allowed = " ".join(["'self'", *(f"'sha256-{each}'" for each in hashes)])
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data:; connect-src 'self'; worker-src blob:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
