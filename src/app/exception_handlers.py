"""Every error in the one shape: an RFC 9457 problem that never echoes what was sent."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any, Literal

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.exceptions import (
    AppError,
    BadRequest,
    FieldError,
    Forbidden,
    Invalid,
    MethodNotAllowed,
    NotFound,
    Unauthorized,
)

_log = structlog.get_logger(__name__)

MAX_REPORTED = 100  # wrong fields of one request

type Handler = Callable[[Request, Any], Awaitable[Response]]


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
    body = Problem(
        type="about:blank",
        title=HTTPStatus(error.status).phrase,
        status=error.status,
        detail=error.detail,
        error_code=error.error_code,
        correlation_id=correlation_id,
        timestamp=datetime.now(UTC),
        errors=error.errors[:MAX_REPORTED],
    )
    return Response(
        body.model_dump_json(exclude=None if error.errors else {"errors"}),
        status_code=error.status,
        headers=error.headers,
        media_type="application/problem+json",
    )


def field_errors(errors: list[Any]) -> list[FieldError]:
    """What pydantic found, without the input that it repeats."""
    return [
        FieldError(tuple(each["loc"]), each["msg"].removeprefix("Value error, "), each["type"])
        for each in errors[:MAX_REPORTED]
    ]


async def answer(request: Request, error: Exception) -> Response:
    """The response to whatever an endpoint raised, by the handlers that its app has."""
    handlers: dict[Any, Handler] = request.app.exception_handlers
    for kind in type(error).__mro__:
        if kind in handlers:
            return await handlers[kind](request, error)
    raise error


async def on_app_error(request: Request, error: AppError) -> Response:
    return problem(error, request.state.correlation_id)


async def on_invalid(request: Request, error: RequestValidationError) -> Response:
    return await on_app_error(request, Invalid(errors=field_errors(list(error.errors()))))


async def on_http_exception(request: Request, error: HTTPException) -> Response:
    """What Starlette and FastAPI raise themselves."""
    known: dict[int, AppError] = {
        400: BadRequest(),
        401: Unauthorized(),
        403: Forbidden(),
        404: NotFound(),
    }
    translated = known.get(error.status_code)
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        translated = MethodNotAllowed((error.headers or {}).get("Allow", "").split(", "))
    if translated is None:
        return await on_defect(request, error)
    return await on_app_error(request, translated)


async def on_defect(request: Request, error: Exception) -> Response:
    _log.error("unhandled_exception", exc_info=error)
    return await on_app_error(request, AppError())


def add_exception_handlers(app: FastAPI) -> None:
    handlers: dict[type[Exception], Handler] = {
        AppError: on_app_error,
        RequestValidationError: on_invalid,
        HTTPException: on_http_exception,
        Exception: on_defect,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)
