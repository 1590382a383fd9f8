"""Fills in an endpoint's arguments by a plan that is made once.

FastAPI's solver walks the tree of dependencies anew for each request, which is the largest part of
what a small one costs. A plan calls the same dependencies in the same order with the same values; a
route that uses more of FastAPI than a plan knows is left to FastAPI's solver.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from inspect import iscoroutinefunction
from typing import Annotated, Any, get_origin

from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import solve_dependencies
from pydantic import BaseModel, TypeAdapter, ValidationError
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


class Parameter:
    """One of FastAPI's, read by pydantic without the hands between the two."""

    def __init__(self, field: Any) -> None:
        self.name: str = field.name
        self.alias: str = field.alias
        self.header = self.alias.lower().encode()
        self.required = field.field_info.is_required()
        self._field = field
        info = field.field_info
        annotation: Any = Annotated[info.annotation, info]
        self._read = TypeAdapter(annotation).validator.validate_python

    def read(
        self, value: Any, loc: tuple[str, ...], arguments: dict[str, Any], errors: list[Any]
    ) -> None:
        """Fill in the argument, or say what is wrong with the value."""
        try:
            arguments[self.name] = self._read(value)
        except ValidationError:
            errors += self._field.validate(value, {}, loc=loc)[1]

    def read_optional(
        self, value: Any, loc: tuple[str, ...], arguments: dict[str, Any], errors: list[Any]
    ) -> None:
        if value is not None:
            self.read(value, loc, arguments, errors)
        elif self.required:
            errors.append({"type": "missing", "loc": loc, "msg": "Parameter required"})
        else:
            arguments[self.name] = self._field.get_default()


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
        self.takes_parameters = any((self.path, self.query, self.query_model, self.headers))

    def arguments(
        self, request: Request, query: Mapping[str, Any], results: list[Any], errors: list[Any]
    ) -> dict[str, Any]:
        """Those that are right; what is wrong with the others is added to the errors."""
        arguments = {name: results[source] for name, source in self.needs}
        if self.request is not None:
            arguments[self.request] = request
        if not self.takes_parameters:
            return arguments
        scope = request.scope
        for each in self.path:
            value = scope["path_params"][each.alias]
            each.read(value, ("path", each.alias), arguments, errors)
        if self.query_model is not None:
            self.query_model.read(query, ("query",), arguments, errors)
        for each in self.query:
            value = query.get(each.alias)
            each.read_optional(value, ("query", each.alias), arguments, errors)
        for each in self.headers:
            value = None
            if each.header in scope["state"]["headers"]:
                # Lines of one name are one list (RFC 9110, section 5.3).
                value = ", ".join(request.headers.getlist(each.alias))
            each.read_optional(value, ("header", each.alias), arguments, errors)
        return arguments


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
            known = len(errors)
            arguments = step.arguments(request, query, results, errors)
            if errors and (
                len(errors) > known or any(source in failed for _, source in step.needs)
            ):
                failed.add(len(results))
                results.append(None)
            else:
                results.append(await step.call(**arguments))
        return Solved(self._endpoint.arguments(request, query, results, errors), errors)

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
        models = [Parameter(each) for each in dependant.query_params if _is_model(each)]
        if len(models) > 1:
            raise LookupError("more than one model of query parameters")
        call: Any = dependant.call
        self._steps.append(
            Step(
                call,
                needs,
                path=[Parameter(each) for each in dependant.path_params],
                query=[Parameter(each) for each in dependant.query_params if not _is_model(each)],
                query_model=models[0] if models else None,
                headers=[Parameter(each) for each in dependant.header_params],
                request=dependant.request_param_name,
            )
        )
        return len(self._steps) - 1


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
