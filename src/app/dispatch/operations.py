"""Runs an endpoint as one unit of work: solved, run, serialized, committed, and only then sent.

FastAPI declares the routes and documents them. What lies between a matched route and its response
is here, because that is where promises are kept: a 2xx after COMMIT, nothing left of a request that
failed, strict JSON, no parameter silently ignored.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from inspect import iscoroutinefunction
from random import random
from typing import Any
from urllib.parse import quote

from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import RouteContext
from starlette.background import BackgroundTask, BackgroundTasks
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.config import Settings
from app.core.entity_tags import entity_tag, names
from app.database.connections import Database
from app.database.unit_of_work import UnitOfWork
from app.dispatch.arguments import FastAPISolver, Plan, Solved
from app.dispatch.json_body import JsonBody, receive
from app.dispatch.lists import List, filters_of
from app.dispatch.query_parameters import QueryParameters
from app.dispatch.rendering import Renderer
from app.dispatch.run_once import run_once
from app.exception_handlers import answer
from app.exceptions import (
    BadRequest,
    NotFound,
    ServiceUnavailable,
    TransientFailure,
    UnknownParameter,
)
from app.idempotency.dependencies import idempotency_key

type Headers = list[tuple[bytes, bytes]]

BODY_DEADLINE = 30.0  # seconds that a client has to send a body
RETRIES = 3
FIRST_PAUSE = 0.05  # seconds at most before the first retry, doubled with each one after it


class Operation:
    """One route, ready to answer requests."""

    def __init__(self, context: RouteContext, database: Database, settings: Settings) -> None:
        self.path = context.path_format or ""
        self.methods = context.methods or set()
        # What is created here can be read at `{path}/{id}`; the table knows whether it can.
        self.has_member = False
        self._database = database
        self._timeout = settings.request_timeout
        self._status: int | None = context.status_code
        self._body = _json_body(context.dependant, self.path, settings)
        self._query = QueryParameters(context.dependant)
        dependant: Dependant = replace(context.dependant, body_params=[])
        self._fastapi = FastAPISolver(dependant)
        self.plan = _plan(dependant)
        if not iscoroutinefunction(context.endpoint):
            raise TypeError(f"{self.path}: write the endpoint as `async def`")
        self._endpoint = context.endpoint
        self._repeatable = any(each.call is idempotency_key for each in _all_dependants(dependant))
        self._max_body_size = self._body.limit if self._body else settings.max_body_size
        self._renderer = Renderer(context.response_model) if context.response_model else None
        self._versioned = "version" in getattr(context.response_model, "model_fields", ())
        filters = filters_of(dependant)
        self._list = List(filters, settings.secret_key.get_secret_value()) if filters else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["state"]["route"] = self.path
        request = Request(scope, receive, send)
        try:
            response = await self._in_time(request)
        except ClientDisconnect:
            return
        except Exception as error:  # noqa: BLE001 - each becomes the response it stands for
            response = await answer(request, error)
        await response(scope, receive, send)

    async def _in_time(self, request: Request) -> Response:
        body = b""
        if self._body is not None or "declared" in request.scope["state"]:
            # Before any connection is taken: a slow client may not hold one.
            body = await self._receive(request)
        try:
            async with asyncio.timeout(self._timeout):
                for retry in range(RETRIES):
                    try:
                        return await self._unit_of_work(request, body)
                    except TransientFailure:
                        await asyncio.sleep(FIRST_PAUSE * 2**retry * random())  # noqa: S311 - jitter
                return await self._unit_of_work(request, body)
        except TimeoutError:
            raise ServiceUnavailable from None

    async def _receive(self, request: Request) -> bytes:
        try:
            async with asyncio.timeout(BODY_DEADLINE):
                return await receive(request, self._max_body_size)
        except TimeoutError:
            raise BadRequest("The body did not arrive in time") from None

    async def _unit_of_work(self, request: Request, body: bytes) -> Response:
        state = request.scope["state"]
        async with UnitOfWork(self._database) as work:
            state["work"], state["body"] = work, body
            if self._repeatable and b"idempotency-key" in state["headers"]:
                response = await run_once(work, request, lambda: self._solve(work, request, body))
            else:
                response = await self._solve(work, request, body)
            if work.in_transaction:
                await work.commit()
        if work.after_commit:
            response.background = _followed_by(response.background, work.after_commit)
        return response

    async def _solve(self, work: UnitOfWork, request: Request, body: bytes) -> Response:
        query, unknown = self._query.parse(request.scope["query_string"])
        try:
            if self.plan and not request.scope["app"].dependency_overrides:
                solved = await self.plan.solve(request, query)
                return await self._answer(work, request, body, solved, unknown)
            async with AsyncExitStack() as stack:
                solved = await self._fastapi.solve(request, stack)
                return await self._answer(work, request, body, solved, unknown)
        except NotFound:
            if unknown:  # which says more than that there is nothing
                raise unknown from None
            raise

    async def _answer(
        self,
        work: UnitOfWork,
        request: Request,
        body: bytes,
        solved: Solved,
        unknown: UnknownParameter | None,
    ) -> Response:
        # After the dependencies: who is not signed in is told that, and nothing else.
        if unknown:
            raise unknown
        if self._body:
            content_type = request.scope["state"]["headers"].get(b"content-type", b"")
            value, wrong = self._body.parse(content_type, body)
            solved.arguments[self._body.name] = value
            solved.errors += wrong
        if solved.errors:
            raise RequestValidationError(solved.errors)
        headers: Headers = []
        if self._list:
            result, link = await self._list.run(request, solved.arguments, self._endpoint)
            headers.append((b"link", link.encode("latin-1")))
        else:
            result = await self._endpoint(**solved.arguments)
        response = self._respond(request, result, headers)
        if solved.headers:
            response.raw_headers.extend(solved.headers.raw)
        if solved.background:
            response.background = solved.background
        if response.status_code >= 400:
            await work.rollback()
        return response

    def _respond(self, request: Request, result: Any, headers: Headers) -> Response:
        if isinstance(result, Response):
            return result
        if self._renderer is None:
            return Response(status_code=self._status or 204)
        if self._versioned:
            tag = entity_tag(result.version)
            headers.append((b"etag", tag.encode()))
            if request.scope["method"] == "GET":
                headers.append((b"cache-control", b"private, no-cache"))
                if_none_match = b"if-none-match" in request.scope["state"]["headers"]
                if if_none_match and names(
                    ", ".join(request.headers.getlist("if-none-match")), tag
                ):
                    return BytesResponse(None, 304, headers)
        if self.has_member and self._status == 201:
            location = f"{quote(request.scope['path'])}/{result.id}"
            headers.append((b"location", location.encode()))
        return BytesResponse(self._renderer(result), self._status or 200, headers)


class BytesResponse(Response):
    """JSON that is bytes already, or no body at all, with headers as they are sent."""

    def __init__(self, content: bytes | None, status: int, headers: Headers) -> None:
        self.status_code = status
        self.body = content or b""
        self.background = None
        self.raw_headers = headers
        if content is not None:
            headers.append((b"content-type", b"application/json"))
            headers.append((b"content-length", b"%d" % len(content)))


def _followed_by(
    first: BackgroundTask | None, rest: Sequence[Callable[[], Awaitable[None]]]
) -> BackgroundTasks:
    return BackgroundTasks([*filter(None, [first]), *map(BackgroundTask, rest)])


def _json_body(dependant: Dependant, path: str, settings: Settings) -> JsonBody | None:
    params = dependant.body_params
    nested = any(each.body_params for each in _all_dependants(dependant) if each is not dependant)
    if nested or len(params) > 1:
        raise TypeError(f"{path}: a route takes one body, as an argument of its own")
    if not params:
        return None
    return JsonBody(params[0].name, params[0].field_info.annotation, settings)


def _plan(dependant: Dependant) -> Plan | None:
    try:
        return Plan(dependant)
    except LookupError:
        return None


def _all_dependants(dependant: Dependant) -> Iterator[Dependant]:
    yield dependant
    for each in dependant.dependencies:
        yield from _all_dependants(each)
