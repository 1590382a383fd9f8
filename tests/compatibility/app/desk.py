"""A help desk beside `/api/v1`: what people build first, as they know it from FastAPI."""

from collections.abc import Awaitable, Callable

from fastapi import Depends, Request, Response
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from app.config import Settings
from app.dispatch.mounting import API
from app.exceptions import AppError
from app.main import Application, create_app
from tests.compatibility.app import chat, news, payments, people, tickets, uploads

PREFIX = "/desk"


class CountRequests:
    """Middleware as ASGI knows it, around all routes of the application."""

    def __init__(self, app: ASGIApp, counted: dict[str, int]) -> None:
        self.app = app
        self.counted = counted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            path = scope["path"]
            self.counted[path] = self.counted.get(path, 0) + 1
        await self.app(scope, receive, send)


def desk_error(error: AppError, correlation_id: str) -> Response:
    """The shape that this API's clients know."""
    content = {
        "error": error.error_code.lower(),
        "message": error.detail,
        "fields": [".".join(map(str, each.loc)) for each in error.errors],
        "reference": correlation_id,
    }
    return JSONResponse(content, error.status, error.headers)


def make_app(settings: Settings) -> Application:
    app = create_app(settings)
    assert isinstance(app, Application)
    app.mount_api(
        API(
            prefix=PREFIX,
            routers=[each.router for each in (chat, news, payments, people, tickets, uploads)],
            requires=[Depends(people.require_person)],
            public=frozenset({"POST /login", "POST /hooks/payments", "POST /hooks/anything"}),
            render=desk_error,
        )
    )
    app.state.news, app.state.room, app.state.counted = news.News(), chat.Room(), {}
    app.add_middleware(GZipMiddleware, minimum_size=500)
    app.add_middleware(CountRequests, counted=app.state.counted)

    @app.middleware("http")
    async def add_version(
        request: Request, call_next: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        response = await call_next(request)
        response.headers["X-Desk"] = "1"
        return response

    return app
