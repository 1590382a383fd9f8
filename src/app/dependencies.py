"""The nouns that every router may ask for."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Annotated, Any, NamedTuple

from fastapi import Depends, Header, Request
from fastapi.requests import HTTPConnection
from sqlalchemy.ext.asyncio import AsyncSession

from app.config import Settings
from app.core import entity_tags
from app.core.repository import Versions
from app.database.unit_of_work import UnitOfWork, unit_of_work
from app.exceptions import AppError, PreconditionRequired
from app.request_state import client_address, request_state

MAX_USER_AGENT = 255  # characters that are kept


type Responses = dict[int | str, dict[str, Any]]


class Refusal(dict[str, Any]):
    """A documented response, with examples of the errors that it stands for."""

    def __init__(self, words: str, errors: Sequence[AppError]) -> None:
        super().__init__(description=words)
        self.errors = errors


def refusal(words: str, *errors: AppError) -> Responses:
    """What a route's `responses` say of an error: when it comes, and an example of each kind."""
    return {errors[0].status: Refusal(words, errors)}


def documented_errors[C: Callable[..., Any]](
    words: Mapping[int, str], *errors: AppError
) -> Callable[[C], C]:
    """Mark a dependency: what each route that needs it may answer, by status, in its own words.

    The errors are examples, for a status that has others than the usual one.
    """

    def mark(call: C) -> C:
        vars(call)["documented_errors"] = words
        vars(call)["error_examples"] = errors
        return call

    return mark


def authorizes[C: Callable[[Any], Awaitable[Any]]](call: C) -> C:
    """Mark a dependency that only refuses callers, by their session.

    It is asked again before a stored answer is replayed.
    """
    vars(call)["authorizes"] = True
    return call


class Client(NamedTuple):
    """Where a request comes from, as far as it can be known."""

    ip: str | None
    user_agent: str | None


async def get_work(connection: HTTPConnection) -> UnitOfWork:
    work = request_state(connection.scope).work
    assert work is not None
    return work


async def get_session(work: Annotated[UnitOfWork, Depends(get_work)]) -> AsyncSession:
    """The ORM session of the request's unit of work; takes no connection before a statement."""
    return work.session()


type Units = Callable[[], AbstractAsyncContextManager[UnitOfWork]]


async def get_units(connection: HTTPConnection) -> Units:
    return partial(unit_of_work, connection.app.database)


async def get_settings(connection: HTTPConnection) -> Settings:
    settings: Settings = connection.app.state.settings
    return settings


async def get_client(connection: HTTPConnection) -> Client:
    agent = connection.headers.get("user-agent")
    return Client(client_address(connection.scope), agent[:MAX_USER_AGENT] if agent else None)


_IF_MATCH = "Change it only if its ETag is still one of these; `*` stands for any."
REQUIRED = "x-required"  # in the schema of a parameter without which there is an answer of its own

IfMatchHeader = Annotated[str | None, Header(alias="If-Match", description=_IF_MATCH)]
RequiredIfMatchHeader = Annotated[
    str | None,
    Header(alias="If-Match", description=_IF_MATCH, json_schema_extra={REQUIRED: True}),
]


CHANGED = {412: "It has another ETag by now"}


@documented_errors(CHANGED)
async def get_if_match(request: Request, if_match: IfMatchHeader = None) -> Versions | None:
    return None if if_match is None else _versions(request)


@documented_errors(CHANGED | {428: "Without `If-Match` it cannot be changed"})
async def require_if_match(
    request: Request, if_match: RequiredIfMatchHeader = None
) -> Versions | None:
    if if_match is None:
        raise PreconditionRequired
    return _versions(request)


def _versions(request: Request) -> Versions | None:
    # Lines of one name are one list (RFC 9110, section 5.3).
    return entity_tags.versions(", ".join(request.headers.getlist("if-match")))


Work = Annotated[UnitOfWork, Depends(get_work)]
SessionDep = Annotated[AsyncSession, Depends(get_session)]
UnitsOfWork = Annotated[Units, Depends(get_units)]
"""Opens units of work after the answer, or for each message: `async with units() as work:`."""
SettingsDep = Annotated[Settings, Depends(get_settings)]
ClientDep = Annotated[Client, Depends(get_client)]
IfMatch = Annotated[Versions | None, Depends(get_if_match)]
RequiredIfMatch = Annotated[Versions | None, Depends(require_if_match)]
"""In place of IfMatch on an entity whose edits must name the version they are based on."""
