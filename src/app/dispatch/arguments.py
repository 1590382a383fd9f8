"""Fills in an endpoint's arguments by a plan that is made once.

FastAPI's solver walks the tree of dependencies anew for each request, which is the largest part of
what a small one costs. A plan calls the same dependencies in the same order with the same values.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from fastapi import BackgroundTasks, Response
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from app.dispatch.routes import Dependency, Parameter
from app.request_state import RequestState


@dataclass(slots=True)
class Solved:
    """An endpoint's arguments, what is wrong with the request, and what goes with the answer."""

    arguments: dict[str, Any]
    errors: list[Any] = field(default_factory=list)
    response: Response | None = None
    background: BackgroundTasks | None = None


def _read(
    parameter: Parameter, value: Any, loc: tuple[str, ...], into: dict[str, Any], errors: list[Any]
) -> None:
    try:
        into[parameter.name] = parameter.read(value)
    except ValidationError:
        errors += parameter.errors(value, loc)


def _read_optional(
    parameter: Parameter, value: Any, loc: tuple[str, ...], into: dict[str, Any], errors: list[Any]
) -> None:
    if value is not None:
        _read(parameter, value, loc, into, errors)
    elif parameter.required:
        errors.append({"type": "missing", "loc": loc, "msg": "Field required", "input": None})
    else:
        into[parameter.name] = parameter.default()


class Step:
    """One call: `needs` names its arguments that earlier steps return, by their position."""

    __slots__ = (
        "_dependency",
        "_headers",
        "_needs",
        "_path",
        "_plain",
        "_query",
        "_query_models",
        "_requests",
        "call",
        "needs",
    )

    def __init__(self, dependency: Dependency, needs: list[tuple[str | None, int]]) -> None:
        self._dependency = dependency
        self.needs = [position for _, position in needs]
        self._needs = [(name, position) for name, position in needs if name is not None]
        self._path = dependency.path
        self._query = [each for each in dependency.query if each.model is None]
        self._query_models = [each for each in dependency.query if each.model is not None]
        self._headers = dependency.header
        self._requests = dependency.requests
        self._plain = not any(
            (dependency.path, dependency.query, dependency.header, dependency.response,
             dependency.background)
        )  # fmt: skip
        self.call: Callable[..., Awaitable[Any]] = dependency.call
        if dependency.in_thread:
            self.call = partial(run_in_threadpool, dependency.call)

    def arguments(
        self, request: Request, state: RequestState, query: Mapping[str, Any],
        results: list[Any], solved: Solved,
    ) -> dict[str, Any]:  # fmt: skip
        """Those that are right; what is wrong with the others is added to the errors."""
        arguments = {name: results[source] for name, source in self._needs}
        for name in self._requests:
            arguments[name] = request
        if self._plain:
            return arguments
        errors = solved.errors
        for each in self._path:
            value = request.scope["path_params"][each.alias]
            _read(each, value, ("path", each.alias), arguments, errors)
        for each in self._query_models:
            _read(each, query, ("query",), arguments, errors)
        for each in self._query:
            _read_optional(each, query.get(each.alias), ("query", each.alias), arguments, errors)
        for each in self._headers:
            value = None
            if each.header in state.headers:
                found = request.headers.getlist(each.alias)
                value = found if each.many else found[0]
            _read_optional(each, value, ("header", each.alias), arguments, errors)
        if self._dependency.response is not None:
            arguments[self._dependency.response] = _response(solved)
        if self._dependency.background is not None:
            solved.background = solved.background or BackgroundTasks()
            arguments[self._dependency.background] = solved.background
        return arguments


class ArgumentPlan:
    """`without` is a dependency that need not be called: what it does is done elsewhere."""

    def __init__(self, endpoint: Dependency, *, without: Callable[..., Any] | None = None) -> None:
        self._steps: list[Step] = []
        self._without = without
        self._add(endpoint, {})
        self._endpoint = self._steps.pop()
        self.call = self._endpoint.call  # in a thread, if it is no coroutine

    async def solve(
        self, request: Request, state: RequestState, query: Mapping[str, Any]
    ) -> Solved:
        """Call the dependencies; one whose parameters are wrong is not called."""
        results: list[Any] = []
        solved = Solved({})
        errors = solved.errors
        failed: set[int] = set()
        for step in self._steps:
            known = len(errors)
            arguments = step.arguments(request, state, query, results, solved)
            if errors and (len(errors) > known or not failed.isdisjoint(step.needs)):
                failed.add(len(results))
                results.append(None)
            else:
                results.append(await step.call(**arguments))
        solved.arguments = self._endpoint.arguments(request, state, query, results, solved)
        return solved

    def _add(self, dependency: Dependency, known: dict[Any, int]) -> int:
        """Add what the dependency needs and then itself, and return its position.

        As in FastAPI, one whose result is known already has its own dependencies solved again, of
        which some may want a call of their own.
        """
        needs = [
            (each.name, self._add(each, known))
            for each in dependency.dependencies
            if each.call is not self._without or each.name is not None
        ]
        key = dependency.cache_key
        if dependency.use_cache and key in known:
            return known[key]
        self._steps.append(Step(dependency, needs))
        position = len(self._steps) - 1
        known.setdefault(key, position)
        return position


def _response(solved: Solved) -> Response:
    """FastAPI's own, for status, headers and cookies alone."""
    if solved.response is None:
        solved.response = Response()
        del solved.response.headers["content-length"]
        solved.response.status_code = None  # pyrefly: ignore[bad-assignment]  # until it is set
    return solved.response
