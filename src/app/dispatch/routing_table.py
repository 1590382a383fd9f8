"""Finds the operation for a path in time that depends on the path, not on how many there are.

Starlette tries one route after the other, at each level of included routers, and names only the
first one's methods in a 405.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from app.dispatch.operations import Operation
from app.exception_handlers import answer
from app.exceptions import MethodNotAllowed


@dataclass(slots=True)
class Node:
    """What may come after a part of a path: a word of its own, or the value of a parameter."""

    words: dict[str, Node] = field(default_factory=dict)
    value: Node | None = None
    operations: dict[str, tuple[Operation, list[str]]] = field(default_factory=dict)


class RoutingTable:
    """ASGI middleware: runs an operation where there is one, and leaves the rest to the app."""

    def __init__(self, app: ASGIApp, operations: Iterable[Operation]) -> None:
        self.app = app
        self._root = Node()
        for operation in operations:
            self._add(operation)
        self._mark_members(self._root)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path: str = scope["path"].removeprefix(scope.get("root_path", ""))
        values: list[str] = []
        node = _find(self._root, path.split("/"), 1, values)
        if node is None:
            await self.app(scope, receive, send)
            return
        found = node.operations.get(scope["method"])
        if found is None:
            request = Request(scope, receive, send)
            response = await answer(request, MethodNotAllowed(list(node.operations)))
            await response(scope, receive, send)
            return
        operation, names = found
        scope["path_params"] = dict(zip(names, values, strict=True))
        await operation(scope, receive, send)

    def _add(self, operation: Operation) -> None:
        node = self._root
        names = []
        for part in operation.path.split("/")[1:]:
            if part.startswith("{"):
                names.append(part.strip("{}"))
                node.value = node.value or Node()
                node = node.value
            else:
                node = node.words.setdefault(part, Node())
        for method in operation.methods:
            node.operations[method] = operation, names

    def _mark_members(self, node: Node) -> None:
        if "POST" in node.operations and node.value and "GET" in node.value.operations:
            node.operations["POST"][0].has_member = True
        for child in (*node.words.values(), *filter(None, [node.value])):
            self._mark_members(child)


def _find(node: Node, parts: list[str], at: int, values: list[str]) -> Node | None:
    """The node at the end of the parts that has operations; `values` takes the parameters'."""
    while at < len(parts):
        part = parts[at]
        at += 1
        word, value = node.words.get(part), node.value if part else None
        if word is not None and value is not None:  # the value only if the word leads nowhere
            known = len(values)
            found = _find(word, parts, at, values)
            if found is not None:
                return found
            del values[known:]
        elif word is not None:
            node = word
            continue
        if value is None:
            return None
        values.append(part)
        node = value
    return node if node.operations else None
