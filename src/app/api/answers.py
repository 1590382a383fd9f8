"""What a route answers, from what it has: its dependencies, its body, its parameters, its result.

What the route declares itself is not changed; only an error without a content gets the one that it
will have.
"""

from collections.abc import Iterable, Mapping, Sequence
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
from app.middleware.request_limits import PROBES

type Responses = dict[int | str, dict[str, Any]]


EVERY = ("X-Correlation-ID",)
# Those of errors that are ours; an HTTPException has the usual ones, and its own.
RATES = ("RateLimit", "RateLimit-Policy")
ERROR_HEADERS = {401: ["WWW-Authenticate"], 429: ["Retry-After", *RATES], 503: ["Retry-After"]}
HEADERS = {
    "ETag": ("The version, quoted: for If-Match and If-None-Match.", r'^"\d+"$'),
    "Link": ("The first, prev, next and, where it is known, last page (RFC 8288).", "^</.*>"),
    "Location": ("Where it can be read.", "^/"),
    "RateLimit": ("Which limit it is, and in how many seconds there is more.", '^"'),
    "RateLimit-Policy": ("How many requests a limit allows, and in how many seconds.", '^"'),
    "Retry-After": ("Seconds to wait before the next attempt.", r"^\d+$"),
    "WWW-Authenticate": ("What to send, and whether a token that came was refused.", "^Bearer"),
    "X-Correlation-ID": (
        "The request's own, or one made for it.",
        f"^{ACCEPTED.pattern.decode()}$",
    ),
}

# Pages whose links would be too long have none.
# Other limits than that of requests a minute have none of these.
OPTIONAL = {"Link", *RATES}


def header_components() -> dict[str, Any]:
    return {
        name: {
            "description": description,
            "required": name not in OPTIONAL,
            "schema": {"type": "string", "pattern": pattern},
        }
        for name, (description, pattern) in HEADERS.items()
    }


class Answers:
    """Those of one operation; `headers` are the names of those that come with its success."""

    def __init__(self, app: FastAPI, place: Place, headers: Sequence[str]) -> None:
        handlers = app.exception_handlers
        self._place = place
        self._headers = headers
        self._declared = {_name(each): each for each in place.route.context.responses}
        self._extra = (place.route.context.openapi_extra or {}).get("responses", {})
        self._is_ours = handlers.get(AppError) is on_app_error
        self._has_problems = self._is_ours and renderer(app, place.route.path) is problem
        self._errors: dict[str, list[str]] = {}
        if self._is_ours:
            for status, words in _reasons(place.route):
                if status != 422 or handlers.get(RequestValidationError) is on_invalid:
                    self._errors.setdefault(str(status), []).append(words)

    @property
    def declared(self) -> Responses:
        """What the route declares, and where there is a 422 of ours, that it has one.

        So FastAPI adds none of its own.
        """
        declared: Responses = self._place.route.context.responses
        return declared | {422: {}} if self._has_new("422") else declared

    @property
    def is_conditional(self) -> bool:
        """Whether it heeds If-None-Match."""
        return "ETag" in self._headers and self._place.method == "GET"

    def add_to(self, found: dict[str, Any], problem_schema: str) -> dict[str, Any]:
        """All responses, of which FastAPI has `found` those that are declared."""
        success = _success(self._place.route)
        completed: dict[str, Any] = {}
        for status, response in found.items():
            if status in self._extra or "$ref" in response:
                completed[status] = response
            elif status == success:
                completed[status] = _with_headers(response, self._headers)
            else:
                completed[status] = self._complete(status, response, problem_schema)
        if self.is_conditional:
            unchanged = {"description": "Not changed since that ETag"}
            completed.setdefault("304", _with_headers(unchanged, ["ETag"]))
        for status, words in self._errors.items():
            if self._has_new(status):
                response = {"description": "; ".join(dict.fromkeys(words))}
                headers = ERROR_HEADERS.get(int(status), ())
                completed[status] = self._error(response, headers, problem_schema)
        return dict(sorted(completed.items()))

    def _complete(
        self, status: str, response: dict[str, Any], problem_schema: str
    ) -> dict[str, Any]:
        is_error = status.startswith(("4", "5"))
        if not is_error or "content" in response or status not in self._declared:
            return _with_headers(response)
        usual = USUAL_HEADERS.get(int(status), {}) if status.isdigit() else {}
        return self._error(response, usual, problem_schema)

    def _error(
        self, response: dict[str, Any], headers: Iterable[str], problem_schema: str
    ) -> dict[str, Any]:
        """With the content and the headers that it will have, as far as they are ours."""
        if not self._has_problems:
            return _with_headers(response)
        content = {"application/problem+json": {"schema": {"$ref": problem_schema}}}
        return _with_headers({**response, "content": content}, headers)

    def _has_new(self, status: str) -> bool:
        known = self._declared.keys() | self._extra.keys()
        return status in self._errors and status not in known


def _name(status: int | str) -> str:
    """As FastAPI writes it."""
    return str(status).upper().replace("DEFAULT", "default")


def _reasons(route: Route) -> list[tuple[int, str]]:
    is_strict = strict in route.calls()
    found = [*entity_errors(route), (503, "Try again shortly")]
    if route.path not in PROBES:
        found.append((429, "Too many requests"))
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
    declared: dict[str, Any] = response.get("headers", {})
    own = {each.lower() for each in declared}
    added = {
        name: {"$ref": f"#/components/headers/{name}"}
        for name in (*names, *EVERY)
        if name.lower() not in own
    }
    return {**response, "headers": added | declared}
