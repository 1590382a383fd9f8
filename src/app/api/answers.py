"""What a route answers, from what it has: its dependencies, its body, its parameters, its result.

All of it is written into the route's `responses`, where FastAPI looks for it. What the route says
there itself is not changed; only an error without a content gets the one that it will have.
"""

from collections.abc import Iterable, Mapping
from inspect import signature
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError

from app.api.entity_errors import entity_errors
from app.api.operation_ids import Place
from app.dispatch.query_parameters import strict
from app.dispatch.routes import Route
from app.exception_handlers import USUAL_HEADERS, on_app_error, on_invalid, problem, renderer
from app.exceptions import AppError
from app.middleware.correlation_id import ACCEPTED

type Responses = dict[int | str, dict[str, Any]]

PROBLEM_SCHEMAS = "#/problem/"  # until they have names among all others
CONTENT = {"application/problem+json": {"schema": {"$ref": f"{PROBLEM_SCHEMAS}Problem"}}}

EVERY = ("X-Correlation-ID",)
# Those of errors that are ours; an HTTPException has the usual ones, and its own.
ERROR_HEADERS = {401: ["WWW-Authenticate"], 429: ["Retry-After"], 503: ["Retry-After"]}
HEADERS = {
    "ETag": ("The version, quoted: for If-Match and If-None-Match.", r'^"\d+"$'),
    "Link": ("The first, prev, next and, where it is known, last page (RFC 8288).", "^</.*>"),
    "Location": ("Where it can be read.", "^/"),
    "Retry-After": ("Seconds to wait before the next attempt.", r"^\d+$"),
    "WWW-Authenticate": ("What to send, and whether a token that came was refused.", "^Bearer"),
    "X-Correlation-ID": (
        "The request's own, or one made for it.",
        f"^{ACCEPTED.pattern.decode()}$",
    ),
}


def header_components() -> dict[str, Any]:
    return {
        name: {
            "description": description,
            "required": True,
            "schema": {"type": "string", "pattern": pattern},
        }
        for name, (description, pattern) in HEADERS.items()
    }


class Answers:
    """Those of one application's routes."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        handlers = app.exception_handlers
        self._has_problems = handlers.get(AppError) is on_app_error
        self._has_422 = handlers.get(RequestValidationError) is on_invalid

    def of(self, place: Place, headers: list[str]) -> Responses:
        """`headers` are those that come with a success."""
        route = place.route
        found: Responses = {}
        for key, response in route.context.responses.items():
            found[key] = self._declared(route, str(key).upper(), response)
        known = {str(each).upper(): each for each in found}
        success = _success(route)
        key = known.setdefault(success, int(success))
        found[key] = _with_headers(found.get(key, {}), headers)
        if "ETag" in headers and place.method == "GET" and "304" not in known:
            found[304] = _with_headers({"description": "Not changed since that ETag"}, ["ETag"])
        for status, words in self._errors(route).items():
            if str(status) not in known:
                response = {"description": words}
                found[status] = self._error(route, response, ERROR_HEADERS.get(status, ()))
        return dict(sorted(found.items(), key=lambda each: str(each[0])))

    def _declared(self, route: Route, status: str, response: dict[str, Any]) -> dict[str, Any]:
        if "$ref" in response:
            return response
        if status < "4" or status == "DEFAULT" or {"content", "model"} & response.keys():
            return _with_headers(response)
        usual = USUAL_HEADERS.get(int(status), {}) if status.isdigit() else {}
        return self._error(route, response, usual)

    def _error(
        self, route: Route, response: dict[str, Any], headers: Iterable[str]
    ) -> dict[str, Any]:
        """With the content and the headers that it will have, as far as they are ours."""
        if not self._has_problems or renderer(self._app, route.path) is not problem:
            return _with_headers(response)
        return _with_headers({**response, "content": CONTENT}, headers)

    def _errors(self, route: Route) -> dict[int, str]:
        """All that our own parts of the application raise, in words."""
        found: dict[int, list[str]] = {}
        if not self._has_problems:
            return {}
        for status, words in _reasons(route):
            if status != 422 or self._has_422:
                found.setdefault(status, []).append(words)
        return {status: "; ".join(dict.fromkeys(words)) for status, words in found.items()}


def _reasons(route: Route) -> list[tuple[int, str]]:
    is_strict = strict in route.calls()
    found = [*entity_errors(route), (503, "Try again shortly")]
    if route.takes_body:
        found.append((422, "A parameter or a field is not acceptable"))
    elif is_strict or any(route.parameters()):
        found.append((422, "A parameter is not acceptable"))
    for call in route.calls():
        errors: Mapping[int, str] = getattr(call, "documented_errors", {})
        found += errors.items()
    if not route.takes_body:
        return found
    found.append((413, "The body is too large"))
    if route.takes_form:
        found.append((400, "The form cannot be read"))
    elif is_strict:
        found.append((400, "The body is not JSON"))
        found.append((415, "The body is not application/json"))
    else:
        found.append((400, "The body cannot be read"))
    return found


def _success(route: Route) -> str:
    """The status of a route that does not choose another, as FastAPI finds it."""
    if (status := route.context.status_code) is not None:
        return str(int(status))
    kind = route.answer().response_class
    chosen = signature(kind.__init__).parameters.get("status_code") if kind else None
    return str(chosen.default) if chosen and isinstance(chosen.default, int) else "200"


def _with_headers(response: dict[str, Any], names: Iterable[str] = ()) -> dict[str, Any]:
    """These, and those of every response, unless the route has declared one itself."""
    if "$ref" in response:
        return response
    declared: dict[str, Any] = response.get("headers", {})
    own = {each.lower() for each in declared}
    added = {
        name: {"$ref": f"#/components/headers/{name}"}
        for name in (*names, *EVERY)
        if name.lower() not in own
    }
    return {**response, "headers": added | declared}
