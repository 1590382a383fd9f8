from app.auth.email_tokens import EmailTokenRepository
from app.auth.outbox import Outbox
from app.auth.passwords import verify_password
from app.auth.repository import LiveSession, SessionRepository
from app.auth.throttle import Throttler
from app.config import Settings
from app.core.repository import EVERYONE
from app.database import UnitOfWork
from app.dependencies import Client
from app.exceptions import InvalidCredentials
from app.security_events.log import SecurityLog
from app.security_events.schemas import Event
from app.users.models import User
from app.users.repository import UserRepository


class AccountService:
    """What the services of accounts have in common: the tables, and where a request comes from."""

    def __init__(
        self, work: UnitOfWork, settings: Settings, client: Client, log: SecurityLog, outbox: Outbox
    ) -> None:
        self.work = work
        self.settings = settings
        self.client = client
        self.log = log
        self.outbox = outbox
        self.users = UserRepository(work, EVERYONE)
        self.sessions = SessionRepository(work)
        self.tokens = EmailTokenRepository(work)

    async def throttle(self, kind: str, account: str) -> None:
        """Count an attempt; raises RateLimited when there were too many."""
        throttler = Throttler(self.work, self.settings, kind, self.client.ip or "")
        await throttler.attempt(account)

    async def require_password(self, session: LiveSession, password: str) -> User:
        """The session's user, who has given his password; raises InvalidCredentials."""
        await self.throttle("password", str(session.user_id))
        user = await self.users.get(session.user_id)
        await self.work.release()
        verified = await verify_password(user.password_hash if user else None, password)
        if user is None or not verified:
            await self.log.record_now(Event.PASSWORD_REFUSED, session.user_id)
            raise InvalidCredentials("The password is wrong")
        return user
