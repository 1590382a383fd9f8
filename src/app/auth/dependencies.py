from typing import Annotated

from fastapi import Depends, Request
from fastapi.openapi.models import HTTPBearer as HTTPBearerModel
from fastapi.security.base import SecurityBase

from app.auth.repository import LiveSession, SessionRepository
from app.auth.service import AuthService
from app.auth.tokens import PREFIX, token_hash
from app.core.repository import EVERYONE
from app.database import UnitOfWork
from app.dependencies import SettingsDep, Work
from app.exceptions import Unauthorized
from app.users.models import User
from app.users.repository import UserRepository


class Authenticate(SecurityBase):
    """Who is asking, by the session token of `Authorization: Bearer …`, in one statement."""

    def __init__(self) -> None:
        self.model = HTTPBearerModel(
            description="The token that POST /api/v1/auth/login answers, without `Bearer`."
        )
        self.scheme_name = "Session"

    async def __call__(self, request: Request) -> LiveSession:
        """Raises Unauthorized without the token of a live session."""
        header = request.headers.get("authorization", "")
        scheme, _, token = header.partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            raise Unauthorized
        found = None
        if token.startswith(PREFIX) and token.isascii():
            idle = request.app.state.settings.session_idle
            work: UnitOfWork = request.scope["state"]["work"]
            found = await SessionRepository(work).find(token_hash(token), idle)
        if found is None:
            raise Unauthorized(token_sent=True)
        request.scope["state"]["user_id"] = found.user_id
        return found


authenticate = Authenticate()

CurrentSession = Annotated[LiveSession, Depends(authenticate)]


async def get_current_user(session: CurrentSession, work: Work) -> User:
    user = await UserRepository(work, EVERYONE).get(session.user_id)
    if user is None:  # deleted since the session was found
        raise Unauthorized(token_sent=True)
    return user


CurrentUser = Annotated[User, Depends(get_current_user)]


async def get_auth(request: Request, work: Work, settings: SettingsDep) -> AuthService:
    address = request.client.host if request.client else ""
    users = UserRepository(work, EVERYONE)
    return AuthService(work, users, SessionRepository(work), settings, address)


Auth = Annotated[AuthService, Depends(get_auth)]
