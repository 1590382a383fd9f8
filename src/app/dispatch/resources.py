"""What the contract adds to the answers of resources: ETag, Location, and the pages of a list."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any
from urllib.parse import quote

from fastapi.openapi.models import APIKey, APIKeyIn
from fastapi.params import Cookie
from fastapi.security.base import SecurityBase
from starlette.types import Scope

from app.core.entity_tags import entity_tag, names
from app.core.schemas import ReadSchema
from app.dispatch.lists import List, filter_argument
from app.dispatch.routes import Route
from app.request_state import HeaderPairs, RequestState, request_state

READS = {"GET", "HEAD"}

scope_of_context: ContextVar[Scope] = ContextVar("scope")
"""That of a request which goes FastAPI's way, where an endpoint is called without it."""


class Resource:
    """One route of a resource: it answers a `ReadSchema` with a version, or it lists.

    `has_member`: what is created here can be read at `{path}/{id}`; the table knows whether it can.
    `is_plain`: nothing is added to an answer.
    """

    def __init__(self, route: Route, secrets: Sequence[str]) -> None:
        model = route.response_model
        fields = model.model_fields if _is_read_schema(model) else {}
        self.is_versioned = "version" in fields
        self._creates = "id" in fields and route.answer().status == 201
        self.has_member = False
        argument = filter_argument(route)
        self._list = List(argument, secrets) if argument else None
        self._varies_by = ", ".join(sorted({*_who_asks(route)})).encode()
        self.is_plain = not (self.is_versioned or self._creates or self._list)

    @property
    def headers(self) -> list[str]:
        """The names of those that come with the result."""
        brought = {
            "ETag": self.is_versioned,
            "Link": self._list is not None,
            "Location": self._creates and self.has_member,
        }
        return [name for name, is_brought in brought.items() if is_brought]

    def before(self, scope: Scope, state: RequestState, arguments: dict[str, Any]) -> None:
        """Have a list begin where its cursor says; raises InvalidCursor."""
        if self._list is not None:
            self._list.serve(scope, state, arguments)

    def after(self, scope: Scope, arguments: dict[str, Any], result: Any) -> HeaderPairs:
        """The headers that come with the result."""
        headers: HeaderPairs = []
        if self._list is not None:
            headers += self._list.link(scope, arguments, result)
        if self.is_versioned and (version := _get(result, "version")) is not None:
            headers.append((b"etag", entity_tag(version).encode()))
            if scope["method"] in READS:
                headers.append((b"cache-control", b"private, no-cache"))
                if self._varies_by:
                    headers.append((b"vary", self._varies_by))
        if self._creates and self.has_member:
            id = _get(result, "id")
            if id is not None:
                headers.append((b"location", f"{quote(scope['path'])}/{id}".encode()))
        return headers

    def wrapped(self, endpoint: Callable[..., Any]) -> Callable[..., Any]:
        """The endpoint for FastAPI's handler: its headers are left in the request's state."""

        def begin(arguments: dict[str, Any]) -> tuple[Scope, RequestState]:
            scope = scope_of_context.get()
            state = request_state(scope)
            self.before(scope, state, arguments)
            return scope, state

        @wraps(endpoint)
        async def run(**arguments: Any) -> Any:
            scope, state = begin(arguments)
            result = await endpoint(**arguments)
            state.answer_headers = self.after(scope, arguments, result)
            return result

        @wraps(endpoint)
        def run_in_thread(**arguments: Any) -> Any:
            scope, state = begin(arguments)
            result = endpoint(**arguments)
            state.answer_headers = self.after(scope, arguments, result)
            return result

        return run if iscoroutinefunction(endpoint) else run_in_thread


def with_members(routes: Iterable[Route]) -> set[tuple[str | None, ...]]:
    """The paths, by their words, below which one thing can be read by its id."""
    readable = {each.words for each in routes if each.words and "GET" in each.methods}
    return {words[:-1] for words in readable if words[-1] is None}


def is_unchanged(scope: Scope, state: RequestState, headers: HeaderPairs) -> bool:
    """Whether the client has what would be sent: a 304 is the answer (RFC 9110, 13.1.2)."""
    if scope["method"] not in READS or b"if-none-match" not in state.headers:
        return False
    tag = dict(headers).get(b"etag")
    sent = [value for name, value in scope["headers"] if name == b"if-none-match"]
    return tag is not None and names(b", ".join(sent).decode("latin-1"), tag.decode("latin-1"))


def _who_asks(route: Route) -> Iterator[str]:
    """The headers by which the route knows its caller."""
    if any(isinstance(each, Cookie) for each in route.parameters()):
        yield "Cookie"
    for call in route.calls():
        scheme = getattr(call, "model", None) if isinstance(call, SecurityBase) else None
        if isinstance(scheme, APIKey):
            if scheme.in_ is not APIKeyIn.query:
                yield "Cookie" if scheme.in_ is APIKeyIn.cookie else scheme.name
        elif scheme is not None:
            yield "Authorization"


def _is_read_schema(model: Any) -> bool:
    return isinstance(model, type) and issubclass(model, ReadSchema)


def _get(result: Any, name: str) -> Any:
    value = getattr(result, name, None)
    return result.get(name) if value is None and isinstance(result, Mapping) else value
