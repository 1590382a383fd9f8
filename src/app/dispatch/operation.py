"""The fast way: an endpoint as one unit of work, solved, run, written, committed, and then sent.

A promise is kept in one place: a 2xx comes after COMMIT, nothing is left of a request that failed,
JSON is strict and no parameter is silently ignored where the route says so.
"""

import asyncio
from collections.abc import Callable, Sequence
from random import random
from typing import Any

from fastapi.exceptions import EndpointContext, RequestValidationError, ResponseValidationError
from sqlalchemy.exc import SQLAlchemyError
from starlette.background import BackgroundTask, BackgroundTasks
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from app.config import Settings
from app.database.connections import Database
from app.database.errors import translate_sqlalchemy
from app.database.unit_of_work import UnitOfWork
from app.dispatch.arguments import ArgumentPlan, Solved
from app.dispatch.json_body import JsonBody, body_again, receive_body
from app.dispatch.large_bodies import identifying, require_caller
from app.dispatch.open_connections import OpenConnections
from app.dispatch.query_parameters import QueryParameters, strict
from app.dispatch.rendering import Renderer
from app.dispatch.resources import Resource, is_unchanged, with_members
from app.dispatch.responses import BODILESS, SIZE, BytesResponse, answer_once_more, send_response
from app.dispatch.routes import Overrides, Route
from app.dispatch.run_once import run_once
from app.dispatch.streams import StreamedResponse, closing, is_stream
from app.exceptions import (
    BadRequest,
    NotFound,
    ServiceUnavailable,
    TransientFailure,
    UnknownParameter,
)
from app.idempotency.dependencies import idempotency_key
from app.request_state import HeaderPairs, RequestState, request_state

BODY_DEADLINE = 30.0  # seconds that a client has to send a body
RETRIES = 3
FIRST_PAUSE = 0.05  # seconds at most before the first retry, doubled with each one after it

NO_OVERRIDES: Overrides = {}


class Operation:
    """One route of FastAPI's, and which way it takes.

    `obstacles` are what keeps it from the fast way; with none, it can be called.
    """

    def __init__(
        self,
        route: Route,
        database: Database,
        settings: Settings,
        connections: OpenConnections,
        overrides: Overrides = NO_OVERRIDES,
    ) -> None:
        self.route = route
        self.path = route.path
        self._made_with = (database, settings, connections)
        self._overridden: tuple[dict[Any, Any], Operation] | None = None
        calls = set(route.calls())
        self.is_strict = strict in calls
        self.query = QueryParameters(route.query())
        self.body_limit = route.max_body_size or settings.max_body_size
        self.obstacles = route.obstacles(overrides, strict=self.is_strict)
        self.is_repeatable = idempotency_key in calls
        self.authorizations = [each for each in calls if hasattr(each, "authorizes")]
        self.identify = identifying(calls)
        if not route.answers:
            return
        self.resource = Resource(route, settings.secret_keys)
        if self.obstacles or not self.resource.is_plain:
            route.wrap_endpoint(self._wrapped)
        body = route.body
        strict_body = JsonBody(body, settings) if body else None
        if strict_body is not None and route.max_body_size is None:
            self.body_limit = strict_body.limit
        if self.obstacles:
            if self.is_strict:
                route.read_json_strictly()
            return
        self._database = database
        self._connections = connections
        self._timeout = settings.request_timeout
        self._plan = ArgumentPlan(route.tree(overrides), without=strict)
        self._body = strict_body if self.is_strict else None
        self._any_body = body if not self.is_strict else None
        self._takes_body = body is not None
        answered = route.answer()
        self._status = answered.status
        self._response_class = answered.response_class
        self._has_model = answered.model is not None
        self._render = Renderer(answered)

    def overridden(self, overrides: Overrides) -> "Operation":
        """The same with other dependencies, as `app.dependency_overrides` names them."""
        if self._overridden is None or self._overridden[0] != overrides:
            other = Operation(self.route, *self._made_with, overrides)
            if hasattr(self, "resource"):
                other.resource = self.resource
            self._overridden = dict(overrides), other
        return self._overridden[1]

    def _wrapped(self, endpoint: Callable[..., Any]) -> Callable[..., Any]:
        """What FastAPI's handler calls."""
        return closing(endpoint if self.resource.is_plain else self.resource.wrapped(endpoint))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        state = request_state(scope)
        request = Request(scope, receive, send)
        try:
            response = await self._in_time(request, state)
        except ClientDisconnect:
            return
        except Exception as error:  # noqa: BLE001 - each becomes the response it stands for
            response = await answer_once_more(request, error)
        finally:
            if state.held:
                scope["app"].body_budget.release(state)
        if type(response) is BytesResponse:
            await response(scope, receive, send)
        else:
            await send_response(response, request, send)

    async def _in_time(self, request: Request, state: RequestState) -> Response:
        body, receive = b"", request.receive
        if self._takes_body or state.declared is not None:
            # Before any connection is taken: a slow client may not hold one.
            body = await self._receive(request, state)
            request._body = body  # noqa: SLF001 - what Request.body() leaves there itself
        state.body = body
        deadline = asyncio.timeout(self._timeout)
        try:
            async with deadline:
                for retry in range(RETRIES):
                    try:
                        return await self._unit_of_work(request, state, body, receive)
                    except (TransientFailure, SQLAlchemyError) as error:
                        if not _is_transient(error):
                            raise
                        await asyncio.sleep(FIRST_PAUSE * 2**retry * random())  # noqa: S311 - jitter
                return await self._unit_of_work(request, state, body, receive)
        except TimeoutError:
            if not deadline.expired():  # it is the endpoint's own
                raise
            raise ServiceUnavailable from None

    async def _receive(self, request: Request, state: RequestState) -> bytes:
        if self.identify:
            try:
                async with asyncio.timeout(self._timeout):
                    await require_caller(request, self.identify, self._database)
            except TimeoutError:
                raise ServiceUnavailable from None
        budget = request.app.body_budget
        try:
            async with asyncio.timeout(BODY_DEADLINE):
                return await receive_body(request.receive, state, self.body_limit, budget)
        except TimeoutError:
            raise BadRequest("The body did not arrive in time") from None

    async def _unit_of_work(
        self, request: Request, state: RequestState, body: bytes, receive: Receive
    ) -> Response:
        work = state.work = UnitOfWork(self._database)
        streamed = None
        if body and not self._takes_body:
            request._receive = body_again(body, receive)  # noqa: SLF001 - nobody has read it yet
        try:
            if self.is_repeatable and b"idempotency-key" in state.headers:
                response = await run_once(
                    work, request, state, lambda: self._solve(work, request, state, body)
                )
            else:
                response = await self._solve(work, request, state, body)
            if is_stream(response):
                if request.method == "HEAD":  # its body would be made for nobody
                    response = BytesResponse(None, response.status_code, response.raw_headers)
                else:
                    response = streamed = StreamedResponse(
                        response, request.scope, work, self._connections
                    )
            await work.commit()
        except BaseException:
            if streamed is not None:
                streamed.leave()
            await work.end()
            raise
        following = [*work.after_commit]
        if streamed is None:
            await work.end()
        else:
            await work.begin_streaming()
        if following:
            tasks = [*filter(None, [response.background]), *map(BackgroundTask, following)]
            response.background = BackgroundTasks(tasks)
        return response

    async def _solve(
        self, work: UnitOfWork, request: Request, state: RequestState, body: bytes
    ) -> Response:
        query_string = request.scope["query_string"]
        unknown: UnknownParameter | None = None
        if self.is_strict:
            query, unknown = self.query.parse(query_string)
        else:
            query = self.query.parse_any(query_string)
        try:
            solved = await self._plan.solve(request, state, query)
            # After the dependencies: who is not signed in is told that, and nothing else.
            if unknown:
                raise unknown
            received = None
            if self._body is not None:
                content_type = state.headers.get(b"content-type", b"")
                values, wrong = self._body.parse(content_type, body)
                solved.arguments.update(values)
                solved.errors += wrong
            elif self._any_body is not None:
                received = await self._read_any_body(solved, state, body)
            if solved.errors:
                where = self._where(request.scope)
                raise RequestValidationError(solved.errors, body=received, endpoint_ctx=where)
            self.resource.before(request.scope, state, solved.arguments)
            result = await self._plan.call(**solved.arguments)
            response = self._respond(request.scope, state, solved, result)
        except NotFound:
            if unknown:  # which says more than that there is nothing
                raise unknown from None
            raise
        if response.status_code >= 400:
            await work.rollback()
        return response

    def _where(self, scope: Scope) -> EndpointContext:
        """The endpoint in the source, below the application that is mounted."""
        return self.route.where(scope.get("root_path", "").rstrip("/"))

    async def _read_any_body(self, solved: Solved, state: RequestState, body: bytes) -> Any:
        """Add the arguments of the body, and return it as an error may repeat it."""
        assert self._any_body is not None
        content_type = state.headers.get(b"content-type", b"").decode("latin-1")
        values, wrong, received = await self._any_body.read_any(content_type, body)
        solved.arguments.update(values)
        solved.errors += wrong
        return received

    def _respond(self, scope: Scope, state: RequestState, solved: Solved, result: Any) -> Response:
        if isinstance(result, Response):
            if result.background is None:
                result.background = solved.background
            return result
        headers: HeaderPairs = []
        if not self.resource.is_plain:
            headers = self.resource.after(scope, solved.arguments, result)
            if is_unchanged(scope, state, headers):
                return BytesResponse(None, 304, headers)
        try:
            content = self._render(result)
        except ResponseValidationError as error:
            where = self._where(scope)
            raise ResponseValidationError(
                error.errors(), body=error.body, endpoint_ctx=where
            ) from None
        chosen, status = solved.response, self._status
        if chosen is not None and chosen.status_code:
            status = chosen.status_code
        if self._response_class is None and self._has_model:
            response: Response = BytesResponse(content, status or 200, headers)
        else:
            kind = self._response_class or JSONResponse
            response = kind(content) if status is None else kind(content, status_code=status)
            response.raw_headers += headers
        if response.status_code < 200 or response.status_code in BODILESS:
            response.body = b""
            response.raw_headers = [each for each in response.raw_headers if each[0] not in SIZE]
        if chosen is not None:
            response.raw_headers += chosen.raw_headers
        response.background = solved.background
        return response


def operations(
    found: Sequence[Route], database: Database, settings: Settings, connections: OpenConnections
) -> list[Operation]:
    """One for each route, in their order.

    What is created by a POST has a Location where its path has a member that GET reads. A route
    that comes after one which may take its paths is for FastAPI's router to decide.
    """
    made = [Operation(each, database, settings, connections) for each in found]
    members = with_members(found)
    earlier: list[str] = []  # what the paths of routes begin with that no table can hold
    for each in made:
        words, fixed = each.route.words, each.route.fixed_path
        for other in earlier:
            if other.startswith(fixed) or fixed.startswith(other):
                each.obstacles.append(f"comes after {other or '/'}…, which may take its paths")
        if words is None:
            earlier.append(fixed)
        elif each.route.answers and "POST" in each.route.methods:
            each.resource.has_member = words in members
    return made


def _is_transient(error: Exception) -> bool:
    """Whether the same unit of work may well succeed when it is run again."""
    if isinstance(error, SQLAlchemyError):  # of an ORM session
        return isinstance(translate_sqlalchemy(error), TransientFailure)
    return isinstance(error, TransientFailure)
