"""Fills in an endpoint's arguments by a plan that is made once.

FastAPI's solver walks the tree of dependencies anew for each request, which is the largest part of
what a small one costs. A plan calls the same dependencies in the same order with the same values; a
route that uses more of FastAPI than a plan knows is left to FastAPI's solver.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from inspect import iscoroutinefunction
from typing import Any, Protocol, get_origin

from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import solve_dependencies
from pydantic import BaseModel
from starlette.background import BackgroundTasks
from starlette.datastructures import Headers
from starlette.requests import Request


@dataclass(slots=True)
class Solved:
    """An endpoint's arguments, what is wrong with the request, and what goes with the answer."""

    arguments: dict[str, Any]
    errors: list[Any] = field(default_factory=list)
    headers: Headers | None = None
    background: BackgroundTasks | None = None


class Parameter(Protocol):
    """What is used of FastAPI's description of a parameter."""

    name: str
    alias: str
    field_info: Any

    def validate(
        self, value: Any, values: dict[str, Any], *, loc: tuple[str, ...]
    ) -> tuple[Any, list[Any]]: ...

    def get_default(self) -> Any: ...


@dataclass(slots=True)
class Step:
    """One call: `needs` names its arguments that earlier steps return, by their position."""

    call: Callable[..., Awaitable[Any]]
    needs: list[tuple[str, int]]
    path: list[Parameter]
    query: list[Parameter]
    query_model: Parameter | None
    headers: list[Parameter]
    request: str | None
    takes_parameters: bool = field(init=False)

    def __post_init__(self) -> None:
        parameters = (self.path, self.query, self.query_model, self.headers, self.request)
        self.takes_parameters = any(parameters)


class Plan:
    def __init__(self, dependant: Dependant) -> None:
        """Raises LookupError for a route that needs FastAPI's own solver."""
        self._steps: list[Step] = []
        self._add(dependant, {})
        self._endpoint = self._steps.pop()

    async def solve(self, request: Request, query: Mapping[str, Any]) -> Solved:
        """Call the dependencies; one whose parameters are wrong is not called."""
        results: list[Any] = []
        errors: list[Any] = []
        failed: set[int] = set()
        for step in self._steps:
            arguments = {name: results[source] for name, source in step.needs}
            wrong = (
                self._parameters(step, request, query, arguments) if step.takes_parameters else ()
            )
            if wrong or (failed and any(source in failed for _, source in step.needs)):
                errors += wrong
                failed.add(len(results))
                results.append(None)
            else:
                results.append(await step.call(**arguments))
        step = self._endpoint
        arguments = {name: results[source] for name, source in step.needs}
        if step.takes_parameters:
            errors += self._parameters(step, request, query, arguments)
        return Solved(arguments, errors)

    def _parameters(
        self, step: Step, request: Request, query: Mapping[str, Any], arguments: dict[str, Any]
    ) -> list[Any]:
        errors: list[Any] = []
        if step.request is not None:
            arguments[step.request] = request
        for each in step.path:
            value, wrong = each.validate(
                request.scope["path_params"][each.alias], {}, loc=("path", each.alias)
            )
            arguments[each.name] = value
            errors += wrong
        if step.query_model is not None:
            value, wrong = step.query_model.validate(query, {}, loc=("query",))
            arguments[step.query_model.name] = value
            errors += wrong
        for each in step.query:
            errors += _optional(each, ("query", each.alias), query.get(each.alias), arguments)
        for each in step.headers:
            # Lines of one name are one list (RFC 9110, section 5.3).
            lines = request.headers.getlist(each.alias)
            value = ", ".join(lines) if lines else None
            errors += _optional(each, ("header", each.alias), value, arguments)
        return errors

    def _add(self, dependant: Dependant, known: dict[Any, int]) -> int:
        """Add what the dependant needs and then itself, and return its position."""
        _require_supported(dependant)
        needs = []
        for each in dependant.dependencies:
            position = known.get(each.call) if each.use_cache else None
            if position is None:
                position = self._add(each, known)
                known[each.call] = position
            if each.name is not None:
                needs.append((each.name, position))
        models = [each for each in dependant.query_params if _is_model(each)]
        query: list[Any] = [each for each in dependant.query_params if not _is_model(each)]
        if len(models) > 1:
            raise LookupError("more than one model of query parameters")
        call: Any = dependant.call
        model: Any = models[0] if models else None
        path: Any = dependant.path_params
        headers: Any = dependant.header_params
        request = dependant.request_param_name
        self._steps.append(Step(call, needs, path, query, model, headers, request))
        return len(self._steps) - 1


def _optional(
    parameter: Parameter, loc: tuple[str, ...], value: Any, arguments: dict[str, Any]
) -> list[Any]:
    """Fill in a value that may be absent, and return what is wrong with it."""
    errors: list[Any] = []
    if value is not None:
        arguments[parameter.name], errors = parameter.validate(value, {}, loc=loc)
    elif parameter.field_info.is_required():
        errors = [{"type": "missing", "loc": loc, "msg": "Parameter required"}]
    else:
        arguments[parameter.name] = parameter.get_default()
    return errors


class FastAPISolver:
    """Everything that FastAPI's dependencies can do, at FastAPI's price."""

    def __init__(self, dependant: Dependant) -> None:
        self._dependant = dependant

    async def solve(self, request: Request, stack: AsyncExitStack) -> Solved:
        """Dependencies with `yield` end with the stack."""
        request.scope["fastapi_inner_astack"] = stack
        request.scope["fastapi_function_astack"] = stack
        solved = await solve_dependencies(
            request=request,
            dependant=self._dependant,
            dependency_overrides_provider=request.app,
            async_exit_stack=stack,
            embed_body_fields=False,
        )
        background = solved.background_tasks
        assert background is None or isinstance(background, BackgroundTasks)
        return Solved(solved.values, solved.errors, solved.response.headers, background)


def _is_model(parameter: Any) -> bool:
    annotation = parameter.field_info.annotation
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _require_supported(dependant: Dependant) -> None:
    beyond = (
        *dependant.cookie_params,
        *dependant.body_params,
        dependant.websocket_param_name,
        dependant.http_connection_param_name,
        dependant.response_param_name,
        dependant.background_tasks_param_name,
        dependant.security_scopes_param_name,
        dependant.own_oauth_scopes,
        dependant.concurrency,
    )
    call = dependant.call
    lists = any(get_origin(each.field_info.annotation) is list for each in dependant.header_params)
    if (
        any(beyond)
        or lists
        or not (iscoroutinefunction(call) or iscoroutinefunction(_dunder_call(call)))
    ):
        raise LookupError("more than a plan knows")


def _dunder_call(call: Any) -> Any:
    return getattr(call, "__call__", None)  # noqa: B004 - the method, to look at it
