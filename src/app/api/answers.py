"""What a route answers, from what it has: its dependencies, its body, its parameters, its result.

What the route declares itself is not changed; only an error without a content gets the one that it
will have.
"""

from collections.abc import Iterable, Sequence
from inspect import signature
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError

from app.api.entity_errors import Reason
from app.api.operation_ids import Place
from app.api.problems import CORRELATION_ID, ProblemExamples, example
from app.api.refusals import reasons
from app.api.samples import ID, NONE, Samples
from app.config import Settings
from app.dependencies import Refusal, Responses
from app.dispatch.query_parameters import strict
from app.dispatch.routes import Route
from app.exception_handlers import USUAL_HEADERS, on_app_error, on_invalid, problem, renderer
from app.exceptions import AppError
from app.middleware.correlation_id import ACCEPTED
from app.middleware.request_limits import MAX_HEAD

EVERY = ("X-Correlation-ID",)
# Those of errors that are ours; an HTTPException has the usual ones, and its own.
RATES = ("RateLimit", "RateLimit-Policy")
ERROR_HEADERS = {401: ["WWW-Authenticate"], 429: ["Retry-After", *RATES], 503: ["Retry-After"]}
HEADERS = {
    "ETag": ("The version, quoted: for `If-Match` and `If-None-Match`.", r'^"\d+"$', '"3"'),
    "Link": (
        "The `first`, `prev`, `next` and, where it is known, `last` page (RFC 8288).",
        "^</.*>",
        '</api/v1/items?page=2>; rel="next"',
    ),
    "Location": ("The path at which it can be read.", "^/", f"/api/v1/items/{ID}"),
    "RateLimit": (
        "Which limit it is, how many requests remain, and in how many seconds there are more.",
        '^"',
        '"user";r=0;t=12',
    ),
    "RateLimit-Policy": (
        "How many requests the limit allows, and in how many seconds.",
        '^"',
        '"user";q=300000;w=60',
    ),
    "Retry-After": ("Seconds to wait before the next attempt.", r"^\d+$", "12"),
    "WWW-Authenticate": (
        "What to send, and whether a token that was sent is not valid.",
        "^Bearer",
        'Bearer error="invalid_token"',
    ),
    "X-Correlation-ID": (
        "The id of the request, which the log has too: the one that was sent, or a new one.",
        f"^{ACCEPTED.pattern.decode()}$",
        CORRELATION_ID,
    ),
}

FASTAPIS_WORDS = "Successful Response"
SUCCESSES = {
    "200": "Done",
    "201": "Created",
    "202": "Accepted: it is done soon",
    "204": "Done, without an answer",
}

# Pages whose links would be too long have none.
# Other limits than that of requests a minute have none of these.
OPTIONAL = {"Link", *RATES}


def header_components() -> dict[str, Any]:
    return {
        name: {
            "description": description,
            "required": name not in OPTIONAL,
            "schema": {"type": "string", "pattern": pattern, "maxLength": MAX_HEAD},
            "example": shown,
        }
        for name, (description, pattern, shown) in HEADERS.items()
    }


class Answers:
    """Those of one operation; `headers` are the names of those that come with its success."""

    def __init__(
        self, app: FastAPI, place: Place, headers: Sequence[str], settings: Settings
    ) -> None:
        handlers = app.exception_handlers
        self._place = place
        self._headers = headers
        self._declared = {
            _name(status): each for status, each in place.route.context.responses.items()
        }
        self._extra = (place.route.context.openapi_extra or {}).get("responses", {})
        self._is_ours = handlers.get(AppError) is on_app_error
        self._has_problems = self._is_ours and renderer(app, place.route.path) is problem
        self._is_strict = strict in place.route.calls()
        self._errors: dict[str, list[Reason]] = {}
        if self._is_ours:
            for each in reasons(place.route, settings):
                if each.status != 422 or handlers.get(RequestValidationError) is on_invalid:
                    self._errors.setdefault(str(each.status), []).append(each)

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

    def add_to(
        self, found: dict[str, Any], problems: ProblemExamples, samples: Samples
    ) -> dict[str, Any]:
        """All responses, of which FastAPI has `found` those that are declared."""
        self._problems = problems
        success = _success(self._place.route)
        completed: dict[str, Any] = {}
        for status, response in found.items():
            if status in self._extra or "$ref" in response:
                completed[status] = response
            elif status == success:
                shown = self._with_words(status, _with_example(response, samples))
                completed[status] = _with_headers(shown, self._headers)
            else:
                completed[status] = self._complete(status, response)
        if self.is_conditional:
            unchanged = {"description": "Not changed since that ETag"}
            completed.setdefault("304", _with_headers(unchanged, ["ETag"]))
        for status, found_reasons in self._errors.items():
            if self._has_new(status):
                words = dict.fromkeys(each.words for each in found_reasons)
                errors = [error for each in found_reasons for error in each.examples]
                response = {"description": "; ".join(words)}
                completed[status] = self._error(int(status), response, errors)
        return dict(sorted(completed.items()))

    def _with_words(self, status: str, response: dict[str, Any]) -> dict[str, Any]:
        """In place of those that FastAPI has for every success of a route."""
        words = SUCCESSES.get(status)
        if words is None or self._place.route.context.response_description != FASTAPIS_WORDS:
            return response
        return {**response, "description": words} if self._is_strict else response

    def _complete(self, status: str, response: dict[str, Any]) -> dict[str, Any]:
        is_error = status.startswith(("4", "5"))
        if not is_error or "content" in response or status not in self._declared:
            return _with_headers(response)
        if not status.isdigit():
            return self._error(None, response, [])
        declared = self._declared[status]
        errors = declared.errors if isinstance(declared, Refusal) else ()
        usual = () if errors else USUAL_HEADERS.get(int(status), ())
        return self._error(
            int(status), response, errors or [example(int(status), response["description"])], usual
        )

    def _error(
        self,
        status: int | None,
        response: dict[str, Any],
        errors: Sequence[AppError],
        headers: Iterable[str] | None = None,
    ) -> dict[str, Any]:
        """With the content and the headers that it will have, as far as they are ours."""
        if not self._has_problems:
            return _with_headers(response)
        content: dict[str, Any] = {"schema": {"$ref": self._problems.schema}}
        if status is not None:
            content["examples"] = self._problems.of(errors or [example(status)])
            if not headers:
                headers = ERROR_HEADERS.get(status, ())
        response = {**response, "content": {"application/problem+json": content}}
        return _with_headers(response, headers or ())

    def _has_new(self, status: str) -> bool:
        known = self._declared.keys() | self._extra.keys()
        return status in self._errors and status not in known


def _name(status: int | str) -> str:
    """As FastAPI writes it."""
    return str(status).upper().replace("DEFAULT", "default")


def _with_example(response: dict[str, Any], samples: Samples) -> dict[str, Any]:
    """Each JSON content with an example, unless the route has declared one."""
    content = dict(response.get("content", {}))
    for media_type, each in content.items():
        is_shown = {"example", "examples"} & each.keys()
        if media_type == "application/json" and not is_shown and "schema" in each:
            value = samples.of(each["schema"])
            if value is not NONE:
                content[media_type] = {**each, "example": value}
    return {**response, "content": content} if content else response


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
