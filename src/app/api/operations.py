"""Runs an endpoint as one unit of work: solved, run, serialized, committed, and only then sent.

FastAPI declares the routes and documents them. What lies between a matched route and its response
is here, because that is where promises are kept: a 2xx after COMMIT, nothing left of a request that
failed, strict JSON, no parameter silently ignored.
"""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from inspect import iscoroutinefunction
from random import random
from typing import Any

from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import RouteContext
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.api.arguments import FastAPISolver, Plan, Solved
from app.api.json_body import JsonBody
from app.api.query_parameters import QueryParameters
from app.api.rendering import Renderer
from app.database import Database
from app.exception_handlers import answer
from app.exceptions import (
    BadRequest,
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
        self._query = QueryParameters(context.dependant)
        dependant: Dependant = replace(context.dependant, body_params=[])
        self._fastapi = FastAPISolver(dependant)
        self.solver = _plan(dependant) or self._fastapi
        if not iscoroutinefunction(context.endpoint):
            raise TypeError(f"{self.path}: write the endpoint as `async def`")
        self._endpoint = context.endpoint
        self._renderer = Renderer(context.response_model) if context.response_model else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["state"]["route"] = self.path
        request = Request(scope, receive, send)
        try:
            body = await self._receive(request) if self._body else b""
            response = await self._in_time(request, body)
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

    async def _in_time(self, request: Request, body: bytes) -> Response:
        try:
            async with asyncio.timeout(self._timeout):
                return await self._with_retries(request, body)
        except TimeoutError:
            raise ServiceUnavailable from None

    async def _with_retries(self, request: Request, body: bytes) -> Response:
        for retry in range(RETRIES):
            try:
                return await self._unit_of_work(request, body)
            except TransientFailure:
                await asyncio.sleep(FIRST_PAUSE * 2**retry * random())  # noqa: S311 - jitter
        return await self._unit_of_work(request, body)

    async def _unit_of_work(self, request: Request, body: bytes) -> Response:
        async with self._database.unit_of_work() as work:
            request.scope["state"]["work"] = work
            response = await self._run(request, body)
            if response.status_code < 400:
                await work.commit()
            return response

    async def _run(self, request: Request, body: bytes) -> Response:
        query, unknown = self._query.parse(request.scope["query_string"])
        if isinstance(self.solver, Plan) and not request.app.dependency_overrides:
            solved = await self.solver.solve(request, query)
            return await self._finish(request, body, solved, unknown)
        async with AsyncExitStack() as stack:
            solved = await self._fastapi.solve(request, stack)
            return await self._finish(request, body, solved, unknown)

    async def _finish(
        self, request: Request, body: bytes, solved: Solved, unknown: UnknownParameter | None
    ) -> Response:
        # After the dependencies: who is not signed in is told that, and nothing else.
        if unknown:
            raise unknown
        if self._body:
            value, wrong = self._body.parse(request.headers, body)
            solved.arguments[self._body.name] = value
            solved.errors += wrong
        if solved.errors:
            raise RequestValidationError(solved.errors)
        response = self._render(request, await self._endpoint(**solved.arguments))
        if solved.headers:
            response.headers.raw.extend(solved.headers.raw)
        if solved.background:
            response.background = solved.background
        return response

    def _render(self, request: Request, result: Any) -> Response:
        if isinstance(result, Response):
            return result
        if self._renderer is None:
            return Response(status_code=self._status or 204)
        content = self._renderer(result)
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


def _plan(dependant: Dependant) -> Plan | None:
    try:
        return Plan(dependant)
    except LookupError:
        return None


def _all_dependants(dependant: Dependant) -> Iterator[Dependant]:
    yield dependant
    for each in dependant.dependencies:
        yield from _all_dependants(each)
