from typing import Annotated

from fastapi import Depends, Request

from app.accounts.addresses import AddressService
from app.accounts.administration import Accounts
from app.accounts.base import AccountContext
from app.accounts.outbox import Outbox
from app.accounts.service import AuthService
from app.auth.repository import LiveSession
from app.dependencies import ClientDep, SettingsDep, Work
from app.request_state import request_state
from app.security_events.log import SecurityLog


async def get_context(
    request: Request, work: Work, settings: SettingsDep, client: ClientDep
) -> AccountContext:
    session: LiveSession | None = request_state(request.scope).session
    log = SecurityLog(work, client.ip)
    if session is not None:
        log.session_id, log.actor_id = session.id, session.user_id
    outbox = Outbox(request.app.mailer, settings)
    return AccountContext(work, request.app.database, settings, client, log, outbox)


ContextDep = Annotated[AccountContext, Depends(get_context)]


async def get_auth(context: ContextDep) -> AuthService:
    return AuthService(context)


async def get_addresses(context: ContextDep) -> AddressService:
    return AddressService(context)


async def get_accounts(context: ContextDep) -> Accounts:
    return Accounts(context)


Auth = Annotated[AuthService, Depends(get_auth)]
Addresses = Annotated[AddressService, Depends(get_addresses)]
AccountsDep = Annotated[Accounts, Depends(get_accounts)]
