"""Every error in the one shape: an RFC 9457 problem that never echoes what was sent."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from inspect import iscoroutinefunction
from typing import Annotated, Any, Literal

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError, WebSocketRequestValidationError
from pydantic import BaseModel, Field
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, Response

from app.database.errors import translate_sqlalchemy
from app.exceptions import (
    AppError,
    BadRequest,
    Conflict,
    FieldError,
    Forbidden,
    Invalid,
    MethodNotAllowed,
    NotFound,
    PayloadTooLarge,
    PreconditionFailed,
    PreconditionRequired,
    RateLimited,
    ServiceUnavailable,
    Unauthorized,
    UnsupportedMediaType,
)
from app.logging import log_defect
from app.request_state import request_state

MAX_REPORTED = 100  # wrong fields of one request
DEFECT = 500
BODILESS = {204, 304}
# The classes of what is usual: an HTTPException of another status is called HTTP_<status>.
USUAL: dict[int, type[AppError]] = {
    each.status: each
    for each in (
        BadRequest,
        Unauthorized,
        Forbidden,
        NotFound,
        MethodNotAllowed,
        Conflict,
        PreconditionFailed,
        PayloadTooLarge,
        UnsupportedMediaType,
        Invalid,
        PreconditionRequired,
        RateLimited,
        AppError,
        ServiceUnavailable,
    )
}
# What the contract promises with a status, where a route says nothing else.
USUAL_HEADERS = {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": "1"}}

type Headers = Mapping[str, str]
type ErrorRenderer = Callable[[AppError, str], Response]
"""Makes the response to an error; the text is the correlation id."""

type Handler = Callable[[Any, Any], Any]
"""`def` or `async def`, as FastAPI takes them; it returns a Response."""


class Problem(BaseModel):
    """An error, as every route answers it (RFC 9457)."""

    type: Literal["about:blank"]
    title: str
    status: int
    detail: str
    error_code: str
    correlation_id: str
    timestamp: datetime
    errors: Annotated[
        tuple[FieldError, ...], Field(description="What is wrong with single fields, if that is it")
    ] = ()


def problem(error: AppError, correlation_id: str) -> Response:
    body = Problem.model_construct(
        type="about:blank",
        title=_phrase(error.status),
        status=error.status,
        detail=error.detail,
        error_code=error.error_code,
        correlation_id=correlation_id,
        timestamp=datetime.now(UTC),
        errors=tuple(error.errors[:MAX_REPORTED]),
    )
    return Response(
        # An HTTPException's detail may be any JSON, which the usual text is not.
        body.model_dump_json(exclude=None if error.errors else {"errors"}, warnings=False),
        status_code=error.status,
        headers=error.headers,
        media_type="application/problem+json",
    )


def render(connection: HTTPConnection, error: AppError) -> Response:
    """The response as the API of the path has it; elsewhere a problem."""
    path = connection.scope["path"].removeprefix(connection.scope.get("root_path", ""))
    made_by = renderer(connection.app, path)
    return made_by(error, request_state(connection.scope).correlation_id)


def renderer(app: Starlette, path: str) -> ErrorRenderer:
    """What makes the responses to errors below the path."""
    found: ErrorRenderer = problem
    for api in getattr(app.state, "apis", ()):
        if path == api.prefix or path.startswith(f"{api.prefix}/"):
            found = api.render
    return found


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:  # a route may have a status of its own
        return "Error"


def field_errors(errors: list[Any]) -> list[FieldError]:
    """What pydantic found, without the input that it repeats."""
    return [
        FieldError(tuple(each["loc"]), each["msg"].removeprefix("Value error, "), each["type"])
        for each in errors[:MAX_REPORTED]
    ]


async def answer(connection: HTTPConnection, error: Exception) -> Response:
    """The response to what an endpoint raised, by the handlers that its app has.

    They are found as Starlette finds them. Raises what has none, which the outermost middleware
    answers.
    """
    handlers: dict[Any, Handler] = connection.scope["app"].exception_handlers
    handler = None
    if isinstance(error, HTTPException) and error.status_code != DEFECT:
        handler = handlers.get(error.status_code)
    if handler is None:
        kinds = (kind for kind in type(error).__mro__ if kind is not Exception)
        handler = next((handlers[kind] for kind in kinds if kind in handlers), None)
    if handler is None:
        raise error
    return await run_handler(handler, connection, error)


async def answer_defect(connection: HTTPConnection, error: Exception) -> Response:
    """The response to what no handler is for, as Starlette's outermost middleware makes it."""
    handlers: dict[Any, Handler] = connection.scope["app"].exception_handlers
    handler = handlers.get(DEFECT) or handlers.get(Exception)
    if handler is None:
        return PlainTextResponse("Internal Server Error", status_code=DEFECT)
    return await run_handler(handler, connection, error)


async def run_handler(handler: Handler, connection: HTTPConnection, error: Exception) -> Response:
    found: Any = handler
    call = getattr(found, "__call__", None)  # noqa: B004 - the method, to look at it
    if iscoroutinefunction(found) or iscoroutinefunction(call):
        response = await found(connection, error)
    else:
        response = await run_in_threadpool(found, connection, error)
    return response if response is not None else Response(status_code=DEFECT)


async def on_app_error(connection: HTTPConnection, error: AppError) -> Response:
    return render(connection, error)


async def on_invalid(
    connection: HTTPConnection, error: RequestValidationError | WebSocketRequestValidationError
) -> Response:
    return await on_app_error(connection, Invalid(errors=field_errors(list(error.errors()))))


class HTTPError(AppError):
    """An HTTPException, as an error of ours; its status and code are its own."""

    def __init__(self, error: HTTPException) -> None:
        headers = dict(error.headers or {})
        usual = USUAL.get(error.status_code)
        detail = error.detail
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED and "Allow" in headers:
            detail = MethodNotAllowed(headers["Allow"].split(", ")).detail
        elif usual and detail == _phrase(error.status_code):  # without a word of the route's own
            detail = getattr(usual, "default_detail", detail)
        super().__init__(detail)
        self.detail = detail
        self.status = error.status_code
        self.error_code = usual.error_code if usual else f"HTTP_{error.status_code}"
        self.headers = USUAL_HEADERS.get(error.status_code, {}) | headers


async def on_http_exception(connection: HTTPConnection, error: HTTPException) -> Response:
    """A route's own, with its status, detail and headers, and those that Starlette raises."""
    if error.status_code in BODILESS:
        return Response(status_code=error.status_code, headers=error.headers)
    return render(connection, HTTPError(error))


async def on_database_error(connection: HTTPConnection, error: SQLAlchemyError) -> Response:
    """What an ORM session raised, as if the unit of work itself had run the statement."""
    translated = translate_sqlalchemy(error)
    return (
        await on_defect(connection, error) if translated is None else render(connection, translated)
    )


async def on_defect(connection: HTTPConnection, error: Exception) -> Response:
    log_defect("unhandled_exception", error)
    return await on_app_error(connection, AppError())


def add_exception_handlers(app: FastAPI) -> None:
    handlers: dict[type[Exception], Handler] = {
        AppError: on_app_error,
        RequestValidationError: on_invalid,
        WebSocketRequestValidationError: on_invalid,
        HTTPException: on_http_exception,
        SQLAlchemyError: on_database_error,
        Exception: on_defect,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)
