from collections.abc import Collection
from typing import Annotated, ClassVar

from fastapi import Depends
from fastapi.openapi.models import HTTPBearer as HTTPBearerModel
from fastapi.requests import HTTPConnection
from fastapi.security.base import SecurityBase

from app.auth.repository import LiveSession, SessionRepository
from app.auth.tokens import PREFIX, token_hash
from app.config import Settings
from app.core.repository import EVERYONE
from app.database.unit_of_work import UnitOfWork
from app.dependencies import Work, authorizes, refusal
from app.exceptions import Forbidden, Unauthorized
from app.request_state import request_state
from app.users.models import User
from app.users.repository import UserRepository


class Authenticate(SecurityBase):
    """Who is asking, by the session token of `Authorization: Bearer …`, in one statement."""

    documented_errors: ClassVar[dict[int, str]] = {
        401: "No session token, or one that is not valid any more"
    }
    identifies: ClassVar = True  # so that it is asked before a large body is received

    def __init__(self) -> None:
        self.model = HTTPBearerModel(
            description="The token that POST /api/v1/auth/login answers, without `Bearer`."
        )
        self.scheme_name = "Session"

    async def __call__(self, connection: HTTPConnection) -> LiveSession:
        """Raises Unauthorized without the token of a live session, and RateLimited."""
        state = request_state(connection.scope)
        header = state.headers.get(b"authorization", b"")
        scheme, _, sent = header.decode("latin-1").partition(" ")
        token = sent.strip()
        if scheme.lower() != "bearer" or not token:
            raise Unauthorized
        found = None
        hashed = token_hash(token)
        assert state.work is not None
        if token.startswith(PREFIX) and token.isascii():
            idle = connection.scope["app"].settings.session_idle
            found = await SessionRepository(state.work).find(hashed, idle)
        if found is None:
            raise Unauthorized(token_sent=True)
        state.session, state.user_id, state.credential = found, found.user_id, hashed
        connection.scope["app"].rate_limits.per_user.require(found.user_id)
        if not state.work.hold_for(found.user_id) and not state.work.in_transaction:
            await state.work.release()  # who waits holds no connection
        return found


authenticate = Authenticate()


async def live_tokens(
    settings: Settings, work: UnitOfWork, hashes: Collection[bytes], used: Collection[bytes]
) -> set[bytes]:
    """Those of the tokens, by their hashes, that `authenticate` would accept now."""
    return await SessionRepository(work).live(hashes, used, settings.session_idle)


CurrentSession = Annotated[LiveSession, Depends(authenticate)]


async def get_current_user(session: CurrentSession, work: Work) -> User:
    user = await UserRepository(work, EVERYONE).get(session.user_id)
    if user is None:  # deleted since the session was found
        raise Unauthorized(token_sent=True)
    return user


CurrentUser = Annotated[User, Depends(get_current_user)]


@authorizes
async def require_superuser(session: CurrentSession) -> LiveSession:
    if not session.is_superuser:
        raise Forbidden(ONLY_SUPERUSERS)
    return session


ONLY_SUPERUSERS = "Only a superuser may do this"
FOR_SUPERUSERS = refusal(ONLY_SUPERUSERS, Forbidden(ONLY_SUPERUSERS))
"""What such a route documents, besides the responses of every route."""

Superuser = Annotated[LiveSession, Depends(require_superuser)]
