"""The nouns that every router may ask for."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from ipaddress import ip_address
from typing import Annotated, NamedTuple

from fastapi import Depends, Header, Request
from fastapi.requests import HTTPConnection
from sqlalchemy.ext.asyncio import AsyncSession

from app.config import Settings
from app.core import entity_tags
from app.core.repository import Versions
from app.database.unit_of_work import UnitOfWork, unit_of_work
from app.exceptions import PreconditionRequired

MAX_USER_AGENT = 255  # characters that are kept


class Client(NamedTuple):
    """Where a request comes from, as far as it can be known."""

    ip: str | None
    user_agent: str | None


async def get_work(request: Request) -> UnitOfWork:
    work: UnitOfWork = request.scope["state"]["work"]
    return work


async def get_session(request: Request) -> AsyncSession:
    """The ORM session of the request's unit of work; takes no connection before a statement."""
    work: UnitOfWork = request.scope["state"]["work"]
    return work.session()


type Units = Callable[[], AbstractAsyncContextManager[UnitOfWork]]


async def get_units(connection: HTTPConnection) -> Units:
    return partial(unit_of_work, connection.app.database)


async def get_settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


async def get_client(request: Request) -> Client:
    agent = request.headers.get("user-agent")
    return Client(_address(request), agent[:MAX_USER_AGENT] if agent else None)


def _address(request: Request) -> str | None:
    try:
        # Without the zone, which may be any text: fe80::1%eth0 (RFC 4007).
        return str(ip_address(request.client.host.partition("%")[0])) if request.client else None
    except ValueError:  # what a trusted proxy forwarded is no address
        return None


_IF_MATCH = "Write only if the row still has one of these ETags; `*` for any."
REQUIRED = "x-required"  # in the schema of a parameter without which there is an answer of its own

IfMatchHeader = Annotated[str | None, Header(alias="If-Match", description=_IF_MATCH)]
RequiredIfMatchHeader = Annotated[
    str | None,
    Header(alias="If-Match", description=_IF_MATCH, json_schema_extra={REQUIRED: True}),
]


async def get_if_match(if_match: IfMatchHeader = None) -> Versions | None:
    return None if if_match is None else entity_tags.versions(if_match)


async def require_if_match(if_match: RequiredIfMatchHeader = None) -> Versions | None:
    if if_match is None:
        raise PreconditionRequired
    return entity_tags.versions(if_match)


Work = Annotated[UnitOfWork, Depends(get_work)]
SessionDep = Annotated[AsyncSession, Depends(get_session)]
UnitsOfWork = Annotated[Units, Depends(get_units)]
"""Opens units of work after the answer, or for each message: `async with units() as work:`."""
SettingsDep = Annotated[Settings, Depends(get_settings)]
ClientDep = Annotated[Client, Depends(get_client)]
IfMatch = Annotated[Versions | None, Depends(get_if_match)]
RequiredIfMatch = Annotated[Versions | None, Depends(require_if_match)]
"""In place of IfMatch on an entity whose edits must name the version they are based on."""
