"""Runs an endpoint as one unit of work: solved, run, serialized, committed, and only then sent.

FastAPI declares the routes, documents them and solves their dependencies. What lies between a
matched route and its response is here, because that is where promises are kept: a 2xx after
COMMIT, nothing left of a request that failed, strict JSON, no parameter silently ignored.
"""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from difflib import get_close_matches
from inspect import iscoroutinefunction
from random import random
from types import UnionType
from typing import Any, Union, get_args, get_origin

from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import solve_dependencies
from fastapi.exceptions import RequestValidationError
from fastapi.routing import RouteContext
from pydantic import BaseModel, TypeAdapter, ValidationError
from starlette.datastructures import QueryParams
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.api.json_body import JsonBody
from app.database import Database
from app.exception_handlers import answer
from app.exceptions import (
    BadRequest,
    FieldError,
    ServiceUnavailable,
    TransientFailure,
    UnknownParameter,
)

BODY_DEADLINE = 30.0  # seconds that a client has to send a body
RETRIES = 3
FIRST_PAUSE = 0.05  # seconds at most before the first retry, doubled with each one after it


class Operation:
    """One route, ready to answer requests. `timeout`: seconds for all but reading the body."""

    def __init__(self, context: RouteContext, database: Database, timeout: float) -> None:
        self.path = context.path_format or ""
        self.methods = context.methods or set()
        # What is created here can be read at `{path}/{id}`; the table knows whether it can.
        self.has_member = False
        self._database = database
        self._timeout = timeout
        self._status: int | None = context.status_code
        self._body = _json_body(context.dependant, self.path)
        self._dependant: Dependant = replace(context.dependant, body_params=[])
        if not iscoroutinefunction(context.endpoint):
            raise TypeError(f"{self.path}: write the endpoint as `async def`")
        self._declared = dict(_query_parameters(context.dependant))
        self._answer = TypeAdapter[Any](context.response_model) if context.response_model else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["state"]["route"] = self.path
        request = Request(scope, receive, send)
        try:
            body = await self._receive(request) if self._body else b""
            response = await self._with_retries(request, body)
        except ClientDisconnect:
            return
        except Exception as error:  # noqa: BLE001 - each becomes the response it stands for
            response = await answer(request, error)
        await response(scope, receive, send)

    async def _receive(self, request: Request) -> bytes:
        # Before any connection is taken: a slow client may not hold one.
        try:
            async with asyncio.timeout(BODY_DEADLINE):
                return await request.body()
        except TimeoutError:
            raise BadRequest("The body did not arrive in time") from None

    async def _with_retries(self, request: Request, body: bytes) -> Response:
        for retry in range(RETRIES):
            try:
                return await self._unit_of_work(request, body)
            except TransientFailure:
                await asyncio.sleep(FIRST_PAUSE * 2**retry * random())  # noqa: S311 - jitter
        return await self._unit_of_work(request, body)

    async def _unit_of_work(self, request: Request, body: bytes) -> Response:
        try:
            async with asyncio.timeout(self._timeout), self._database.unit_of_work() as work:
                request.state.work = work
                response = await self._run(request, body)
                if response.status_code < 400:
                    await work.commit()
                return response
        except TimeoutError:
            raise ServiceUnavailable from None

    async def _run(self, request: Request, body: bytes) -> Response:
        async with AsyncExitStack() as stack:
            request.scope["fastapi_inner_astack"] = stack
            request.scope["fastapi_function_astack"] = stack
            solved = await solve_dependencies(
                request=request,
                dependant=self._dependant,
                dependency_overrides_provider=request.app,
                async_exit_stack=stack,
                embed_body_fields=False,
            )
            self._refuse_undeclared(request.query_params)
            arguments, errors = solved.values, list(solved.errors)
            if self._body:
                value, body_errors = self._body.parse(request.headers, body)
                arguments[self._body.name] = value
                errors += body_errors
            if errors:
                raise RequestValidationError(errors)
            result = await self._dependant.call(**arguments)  # type: ignore[misc]  # an endpoint
            response = self._render(request, result)
        response.headers.raw.extend(solved.response.headers.raw)
        response.background = response.background or solved.background_tasks
        return response

    def _refuse_undeclared(self, sent: QueryParams) -> None:
        """Raise UnknownParameter for what the route does not take, or takes only once."""
        errors = []
        seen = set[str]()
        for name, _ in sent.multi_items():
            if name not in self._declared:
                near = get_close_matches(name, self._declared, n=1, cutoff=0.5)
                hint = f": did you mean {near[0]}?" if near else ""
                message = f"Unknown parameter {name[:100]}{hint}"
                errors.append(FieldError(("query", name[:100]), message, "unknown_parameter"))
            elif name in seen and not self._declared[name]:
                message = f"Parameter {name} may be given once"
                errors.append(FieldError(("query", name), message, "repeated_parameter"))
            seen.add(name)
        if errors:
            raise UnknownParameter(errors[0].message, errors=errors)

    def _render(self, request: Request, result: Any) -> Response:
        if isinstance(result, Response):
            return result
        if self._answer is None:
            return Response(status_code=self._status or 204)
        try:
            content = self._answer.dump_json(self._answer.validate_python(result))
        except ValidationError as error:  # its message would repeat the values
            fields = [each["loc"] for each in error.errors(include_input=False)]
            raise RuntimeError(f"{self.path} returned what it does not declare: {fields}") from None
        response = Response(content, self._status or 200, media_type="application/json")
        if self.has_member and self._status == 201:
            response.headers["Location"] = f"{request.url.path}/{result.id}"
        return response


def _json_body(dependant: Dependant, path: str) -> JsonBody | None:
    params = dependant.body_params
    nested = any(each.body_params for each in _all_dependants(dependant) if each is not dependant)
    if nested or len(params) > 1:
        raise TypeError(f"{path}: a route takes one body, as an argument of its own")
    return JsonBody(params[0].name, params[0].field_info.annotation) if params else None


def _query_parameters(dependant: Dependant) -> Iterator[tuple[str, bool]]:
    """Each declared name, and whether it may be repeated; a model stands for its fields."""
    for each in _all_dependants(dependant):
        for field in each.query_params:
            model = field.field_info.annotation
            if isinstance(model, type) and issubclass(model, BaseModel):
                for name, info in model.model_fields.items():
                    yield info.alias or name, _is_list(info.annotation)
            else:
                yield field.alias, _is_list(model)


def _is_list(annotation: Any) -> bool:
    if get_origin(annotation) in {Union, UnionType}:
        return any(_is_list(each) for each in get_args(annotation))
    return annotation is list or get_origin(annotation) is list


def _all_dependants(dependant: Dependant) -> Iterator[Dependant]:
    yield dependant
    for each in dependant.dependencies:
        yield from _all_dependants(each)
