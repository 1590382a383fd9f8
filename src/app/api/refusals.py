"""Why a route may answer an error, from what it has: its dependencies, body and parameters."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from app.api.entity_errors import Reason, entity_errors, is_row_id
from app.config import Settings
from app.core.bulk import BulkBody
from app.dispatch.lists import filter_argument
from app.dispatch.query_parameters import strict
from app.dispatch.routes import Route
from app.exceptions import (
    AppError,
    BadRequest,
    FieldError,
    Invalid,
    InvalidCursor,
    PayloadTooLarge,
    RateLimited,
    UnknownParameter,
)
from app.middleware.request_limits import PROBES


def reasons(route: Route, settings: Settings) -> Iterator[Reason]:
    is_strict = strict in route.calls()
    yield from entity_errors(route)
    yield Reason(500, "A defect on our side, which is logged with the correlation id")
    yield Reason(503, "The service is overloaded or its database cannot be reached; try again")
    if route.path not in PROBES:
        error = RateLimited(12, "Too many requests: try again in 12 s")
        yield Reason(429, "Too many requests", (error,))
    wrong = tuple(_invalid(route, is_strict=is_strict))
    if route.takes_body:
        yield Reason(422, "A parameter or a field is not acceptable", wrong)
        yield from _of_body(route, settings, is_strict=is_strict)
    elif is_strict or any(route.parameters()):
        yield Reason(422, "A parameter is not acceptable", wrong)
    for call in route.calls():
        words: Mapping[int, str] = getattr(call, "documented_errors", {})
        examples: Sequence[AppError] = getattr(call, "error_examples", ())
        for status, each in words.items():
            yield Reason(status, each, tuple(one for one in examples if one.status == status))


def _of_body(route: Route, settings: Settings, *, is_strict: bool) -> Iterator[Reason]:
    is_bulk = _is_a(route.body.annotation, BulkBody) if route.body else False
    limit = settings.max_bulk_body_size if is_bulk else settings.max_body_size
    yield Reason(413, "The body is too large", (PayloadTooLarge(limit),))
    if route.takes_form:
        yield Reason(400, "The form cannot be read", (BadRequest("The form cannot be read"),))
    elif is_strict:
        yield Reason(400, "The body is not JSON")
        yield Reason(415, "The body is not application/json")
    else:
        words = "The body cannot be read"
        yield Reason(400, words, (BadRequest("There was an error parsing the body"),))


def _invalid(route: Route, *, is_strict: bool) -> Iterator[AppError]:
    """One of each kind that the route has."""
    if (found := _wrong_field(route)) is not None:
        yield Invalid(errors=[found])
    if is_strict:
        names = route.query()
        near = next((each for each in names if len(each) > len("id")), None)
        wrong = f"{near[:-2]}{near[-1]}{near[-2]}" if near else "debug"
        hint = f": did you mean {near}?" if near else ""
        message = f"Unknown parameter {wrong}{hint}"
        yield UnknownParameter(
            message, errors=[FieldError(("query", wrong), message, "unknown_parameter")]
        )
    if filter_argument(route) is not None:
        yield InvalidCursor()


def _wrong_field(route: Route) -> FieldError | None:
    """The first field of the body is missing, or the id in the path or the size is none."""
    model = route.body.annotation if route.body else None
    if isinstance(model, type) and issubclass(model, BaseModel):
        for name, field in model.model_fields.items():
            if field.is_required():
                return FieldError(("body", name), "Field required", "missing")
    for each in route.parameters():
        if is_row_id(each):
            message = "must be a UUID in its hyphenated form"
            return FieldError(("path", each.alias or ""), message, "value_error")
    if "size" in route.query():
        message = "Input should be less than or equal to 100"
        return FieldError(("query", "size"), message, "less_than_equal")
    return None


def _is_a(kind: Any, base: type) -> bool:
    return isinstance(kind, type) and issubclass(kind, base)
