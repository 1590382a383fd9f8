"""Finds the operation for a path in time that depends on the path, not on how many there are.

Starlette tries one route after the other, at each level of included routers. The first that fits
wins, and so it does here; but a 405 names the methods of all that fit, and where an API is strict,
a word in a path is never taken for a parameter's value.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from starlette._utils import get_route_path
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from app.dispatch.operation import Operation
from app.dispatch.routes import WEBSOCKET
from app.exception_handlers import answer, answer_defect
from app.request_state import first_of_each, request_state


class Entry(NamedTuple):
    """An operation, its place among all routes, and the names of the parameters in its path."""

    place: int
    operation: Operation
    names: tuple[str, ...]


@dataclass(slots=True)
class Node:
    """What may come after a part of a path: a word of its own, or the value of a parameter."""

    words: dict[str, Node] = field(default_factory=dict)
    value: Node | None = None
    entries: dict[str, Entry] = field(default_factory=dict)

    @property
    def is_strict(self) -> bool:
        return all(each.operation.is_strict for each in self.entries.values())


type Candidates = list[tuple[Node, list[str]]]


class RoutingTable:
    """The operations, in the order of their routes.

    One whose path is more than words and values cannot stand in the table. Where such a route comes
    first and may fit as well, it is for FastAPI's router to decide.
    """

    def __init__(self, operations: Sequence[Operation]) -> None:
        self._root = Node()
        self._others: list[tuple[int, Operation]] = []
        for place, operation in enumerate(operations):
            self._add(place, operation)

    def find(self, path: str) -> Candidates:
        """The places in the table that fit, each with the values of its path's parameters."""
        found: Candidates = []
        _find(self._root, path.split("/"), 1, [], found)
        if len(found) > 1 and found[0][0].is_strict:
            return found[:1]  # such as /items/bulk, which is no item
        return found

    def is_sure(self, path: str) -> bool:
        """Whether no route that is not in the table may fit the path."""
        return not any(path.startswith(each.route.fixed_path) for _, each in self._others)

    def other(self, method: str, path: str, before: int | None = None) -> Operation | None:
        """The first operation that is not in the table and takes such a request.

        `before`: only one whose route is tried before that place.
        """
        for place, operation in self._others:
            if (before is None or place < before) and operation.route.takes(method, path):
                return operation
        return None

    def _add(self, place: int, operation: Operation) -> None:
        route = operation.route
        if route.words is None:
            self._others.append((place, operation))
            return
        node = self._root
        for word in route.words:
            if word is None:
                node.value = node.value or Node()
                node = node.value
            else:
                node = node.words.setdefault(word, Node())
        for method in route.methods:
            node.entries.setdefault(method, Entry(place, operation, route.path_names))


class Dispatcher:
    """ASGI middleware: runs an operation that goes the fast way, and leaves the rest to `app`.

    `make_table` is asked anew when nothing is found and routes have been added since. `is_outside`
    says that FastAPI's own middleware is within.
    """

    def __init__(
        self,
        app: ASGIApp,
        make_table: Callable[[], RoutingTable],
        routes_version: Callable[[], int],
        *,
        is_outside: bool,
    ) -> None:
        self._app = app
        self._is_outside = is_outside
        self._make_table = make_table
        self._routes_version = routes_version
        self._version = routes_version()
        self._table = make_table()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        path: str = get_route_path(scope) if scope.get("root_path") else scope["path"]
        if not self._is_outside:  # the application's own middleware may have changed them
            request_state(scope).headers = first_of_each(scope)
        method = WEBSOCKET if scope["type"] == "websocket" else scope["method"]
        candidates = self._table.find(path) or self._find_new(path)
        if not candidates and not path.endswith("\n"):  # which Starlette's patterns see past
            await self._leave(self._table.other(method, path), scope, receive, send)
            return
        if not candidates or _hides_a_slash(scope, candidates):
            await self._refuse(HTTPException(404), scope, receive, send)
            return
        found = _first(candidates, method)
        if found is None and method == "HEAD":
            found = _first(candidates, "GET")
        if found is None:
            await self._no_method(candidates, path, scope, receive, send)
            return
        entry, values = found
        operation = entry.operation
        if overrides := scope["app"].dependency_overrides:
            operation = operation.overridden(overrides)
        if operation.obstacles:
            other = self._table.other(method, path, entry.place)
            await self._leave(other or operation, scope, receive, send)
            return
        parameters = dict(zip(entry.names, values, strict=True))
        await self._run(operation, parameters, scope, receive, send)

    async def _run(
        self,
        operation: Operation,
        parameters: dict[str, str],
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        request_state(scope).operation = operation
        outer = scope.get("path_params")  # of a mount
        scope["path_params"] = outer | parameters if outer else parameters
        scope.update(operation.route.scope)
        try:
            await operation(scope, receive, send)
        except Exception as error:
            # Right around FastAPI's router, it is FastAPI's own middleware that answers.
            if self._is_outside and request_state(scope).status is None:
                response = await answer_defect(Request(scope), error)
                await response(scope, receive, send)
            raise

    async def _leave(
        self, operation: Operation | None, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """To FastAPI's router, which will come to the same operation."""
        request_state(scope).operation = operation
        await self._app(scope, receive, send)

    def _find_new(self, path: str) -> Candidates:
        version = self._routes_version()
        if version == self._version:
            return []
        self._version, self._table = version, self._make_table()
        return self._table.find(path)

    async def _no_method(
        self, candidates: Candidates, path: str, scope: Scope, receive: Receive, send: Send
    ) -> None:
        if self._find_new(path):
            await self(scope, receive, send)
            return
        allowed = {method for node, _ in candidates for method in node.entries} - {WEBSOCKET}
        if "GET" in allowed:
            allowed.add("HEAD")
        if scope["type"] == "websocket" or not allowed or not self._table.is_sure(path):
            await self._app(scope, receive, send)
            return
        error = HTTPException(405, headers={"Allow": ", ".join(sorted(allowed))})
        await self._refuse(error, scope, receive, send)

    async def _refuse(
        self, error: HTTPException, scope: Scope, receive: Receive, send: Send
    ) -> None:
        kind = Request if scope["type"] == "http" else WebSocket
        response = await answer(kind(scope, receive, send), error)
        await response(scope, receive, send)


def _hides_a_slash(scope: Scope, candidates: Candidates) -> bool:
    """Whether a strict API is asked for a value with a slash, as if it were two."""
    sent: bytes | None = scope.get("raw_path")
    return (
        sent is not None and b"%" in sent and b"%2f" in sent.lower() and candidates[0][0].is_strict
    )


def _first(candidates: Candidates, method: str) -> tuple[Entry, list[str]] | None:
    """The one that was declared first."""
    found = None
    for node, values in candidates:
        entry = node.entries.get(method)
        if entry is not None and (found is None or entry.place < found[0].place):
            found = entry, values
    return found


def _find(node: Node, parts: list[str], at: int, values: list[str], found: Candidates) -> None:
    """Add the nodes at the end of the parts that have operations, words before values."""
    others: list[tuple[Node, int, list[str]]] = []
    while at < len(parts):
        part = parts[at]
        at += 1
        word, value = node.words.get(part), node.value if part else None
        if word is not None:
            if value is not None:
                others.append((value, at, [*values, part]))
            node = word
        elif value is not None:
            values.append(part)
            node = value
        else:
            break
    else:
        if node.entries:
            found.append((node, values))
    for other, rest, known in reversed(others):
        _find(other, parts, rest, known, found)
