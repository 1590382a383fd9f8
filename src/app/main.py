"""The application factory: settings in, a FastAPI application out. Nothing happens at import."""

import gc
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import cached_property, partial
from importlib.util import find_spec
from typing import Any

from fastapi import Depends, FastAPI
from fastapi.telemetry import TelemetryConfig
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from app.api import health
from app.api.docs import add_docs
from app.api.openapi import DESCRIPTION, openapi
from app.api.openapi_document import serve_document
from app.api.operation_ids import require_own_ids
from app.api.v1.router import v1
from app.auth.dependencies import live_tokens
from app.config import Settings, SettingsError, load_settings
from app.core.rate_limits import RateLimits
from app.database.connections import Database
from app.dispatch.fastapi_way import FastAPIWay
from app.dispatch.large_bodies import BodyBudget
from app.dispatch.mounting import API
from app.dispatch.open_connections import DRAIN, SETTINGS, OpenConnections
from app.dispatch.operation import Operation, operations
from app.dispatch.query_parameters import strict
from app.dispatch.routes import routes, routes_version
from app.dispatch.routing_table import Dispatcher, RoutingTable
from app.exception_handlers import add_exception_handlers
from app.logging import configure_logging
from app.mail import Mailer, mailer
from app.middleware.access_log import AccessLogMiddleware
from app.middleware.correlation_id import CorrelationIdMiddleware
from app.middleware.cors import ProblemCORSMiddleware
from app.middleware.request_limits import RememberPeer, RequestLimitsMiddleware
from app.middleware.response_headers import ResponseHeadersMiddleware

TRACED = find_spec("opentelemetry.sdk") is not None
# Without an SDK there is nobody to tell, but each request would ask.
NO_TELEMETRY: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False}


class Application(FastAPI):
    """FastAPI with a fast way for the routes that are understood, and middleware outside of all."""

    settings: Settings
    database: Database
    mailer: Mailer
    _operations: tuple[int, list[Operation]] | None = None
    _documented_version: int | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self.middleware_stack is None or TRACED or self.root_path:
            await super().__call__(scope, receive, send)
            return
        scope["app"] = self  # all that FastAPI and Starlette would do in three calls
        await self.middleware_stack(scope, receive, send)

    @cached_property
    def body_budget(self) -> BodyBudget:
        return BodyBudget(self.settings.max_body_memory)

    @cached_property
    def rate_limits(self) -> RateLimits:
        return RateLimits(self.settings)

    @cached_property
    def open_connections(self) -> OpenConnections:
        return OpenConnections(self.database, self.settings, partial(live_tokens, self.settings))

    def mount_api(self, api: API) -> None:
        """Include all routes of an API. Raises what `API.router` does."""
        self.include_router(api.router(), prefix=api.prefix)
        self.state.apis = [*getattr(self.state, "apis", ()), api]

    def setup(self) -> None:
        super().setup()
        serve_document(self)

    def openapi(self) -> dict[str, Any]:
        version = routes_version(self.router)
        if not self.openapi_schema or self._documented_version != version:
            self.openapi_schema = openapi(self, self.settings)
            self._documented_version = version
        return self.openapi_schema

    def operations(self) -> list[Operation]:
        """Each route, in the order in which they are tried, with the way that it takes."""
        version = routes_version(self.router)
        if self._operations is None or self._operations[0] != version:
            made_with = self.database, self.settings, self.open_connections
            self._operations = version, operations(routes(self.router), *made_with)
        return self._operations[1]

    def build_middleware_stack(self) -> ASGIApp:
        require_own_ids(routes(self.router))
        way = FastAPIWay(self.router.app, self.database, self.settings, self.open_connections)

        def dispatcher(app: ASGIApp, *, outside: bool) -> Dispatcher:
            return Dispatcher(
                app,
                lambda: RoutingTable(self.operations()),
                lambda: routes_version(self.router),
                is_outside=outside,
            )

        if self.user_middleware or self.debug or TRACED:
            # The application's own middleware has every request, as it would in FastAPI.
            self.router.middleware_stack = dispatcher(way, outside=False)
            app = super().build_middleware_stack()
        else:
            self.router.middleware_stack = way
            app = dispatcher(super().build_middleware_stack(), outside=True)
        outer: ASGIApp = RequestLimitsMiddleware(app, self.rate_limits.per_address)
        if self.settings.cors_origins:
            outer = ProblemCORSMiddleware(outer, self.settings)
        outer = ResponseHeadersMiddleware(AccessLogMiddleware(outer), self.settings.hsts_max_age)
        outer = CorrelationIdMiddleware(outer)
        if self.settings.trusted_proxies:
            trusted = self.settings.trusted_proxies
            # Its types of ASGI are its own.
            outer = ProxyHeadersMiddleware(outer, trusted)  # pyrefly: ignore[bad-assignment, bad-argument-type]
            outer = RememberPeer(outer)
        return outer


def create_app(settings: Settings | None = None) -> FastAPI:
    """Build the application; without settings, from those of the environment.

    Raises SettingsError when they are not safe to start with.
    """
    settings = settings or load_settings()
    if settings.database_url is None:
        raise SettingsError("DATABASE_URL: is required; `app dev` brings a database of its own")
    app = Application(
        title=settings.app_name,
        version="1",
        description=DESCRIPTION,
        contact={"name": "The maintainers of Plinth"},
        license_info={"name": "MIT", "identifier": "MIT"},
        openapi_url="/openapi.json" if settings.show_docs else None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=_lifespan,
        telemetry=None if TRACED else NO_TELEMETRY,
    )
    app.settings = app.state.settings = settings
    app.database = Database(settings.database_url.get_secret_value(), settings)
    app.mailer = mailer(settings)
    add_exception_handlers(app)
    app.mount_api(v1())
    app.include_router(health.router, dependencies=[Depends(strict)])
    if settings.show_docs:
        add_docs(app)
    return app


@asynccontextmanager
async def _lifespan(app: Application) -> AsyncGenerator[dict[str, Any]]:
    configure_logging(app.settings)
    collect_less_garbage()
    yield {DRAIN: app.open_connections.drain, SETTINGS: app.settings}
    await app.database.close()


def collect_less_garbage() -> None:
    """What lives as long as the process is not looked through any more, and the rest less often.

    A request leaves little behind, as it has few objects that refer to each other.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
