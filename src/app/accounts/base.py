from dataclasses import dataclass
from uuid import UUID

from app.accounts.email_tokens import EmailTokenRepository, Purpose
from app.accounts.outbox import Outbox
from app.accounts.passwords import verify_password
from app.accounts.throttle import Refusal, Throttler
from app.auth.repository import LiveSession, SessionRepository
from app.config import Settings
from app.core.repository import EVERYONE
from app.database.connections import Database
from app.database.unit_of_work import UnitOfWork
from app.dependencies import Client
from app.exceptions import InvalidCredentials, RateLimited
from app.security_events.log import SecurityLog
from app.security_events.schemas import Event
from app.users.models import User
from app.users.repository import UserRepository

WRONG = "The password is wrong"


@dataclass(frozen=True, slots=True)
class AccountContext:
    """What a request, or a command, gives the services of accounts to work with.

    `database` is for what happens after the answer, in a unit of work of its own.
    """

    work: UnitOfWork
    database: Database
    settings: Settings
    client: Client
    log: SecurityLog
    outbox: Outbox


class AccountService:
    """What the services of accounts share: the context, the tables, and how they refuse."""

    def __init__(self, context: AccountContext) -> None:
        self.context = context
        self.work = context.work
        self.settings = context.settings
        self.client = context.client
        self.log = context.log
        self.outbox = context.outbox
        self.users = UserRepository(context.work, EVERYONE)
        self.sessions = SessionRepository(context.work)
        self.tokens = EmailTokenRepository(context.work)

    async def throttle(self, kind: str, account: str | UUID) -> None:
        """Count an attempt on an address or a user; raises RateLimited if there were too many."""
        throttler = Throttler(self.work, self.settings, kind)
        if refusal := await throttler.attempt(str(account), self.client.ip):
            raise await self._limited(refusal, account)

    async def throttle_guess(self, kind: str, email: str, user_id: UUID | None = None) -> None:
        """The same for a guess at a password, which `forgive` says was right."""
        throttler = Throttler(self.work, self.settings, kind)
        if refusal := await throttler.attempt(email, self.client.ip, guesses=True):
            raise await self._limited(refusal, user_id or email)

    async def forgive(self, email: str) -> None:
        """Begin to count wrong passwords anew; this network address counts by itself from now."""
        await Throttler(self.work, self.settings, "login").success(email, self.client.ip)
        await self.work.release()

    async def throttle_mail(self, purpose: Purpose, to: str, user_id: UUID) -> None:
        """Count a mail to an address; raises RateLimited if there were too many."""
        throttler = Throttler(self.work, self.settings, purpose)
        if refusal := await throttler.mail(to):
            raise await self._limited(refusal, user_id)

    async def require_password(self, session: LiveSession, password: str) -> User:
        """The session's user, if this is their password; raises InvalidCredentials."""
        user = await self.users.get(session.user_id)
        if user is None:  # deleted since the session was found
            raise await self.wrong_password(session.user_id)
        await self.throttle_guess("password", user.email, user.id)
        await self.work.release()
        if not await verify_password(user.password_hash, password):
            raise await self.wrong_password(user.id)
        await self.forgive(user.email)
        return user

    async def wrong_password(self, user_id: UUID) -> InvalidCredentials:
        return await self.refused(Event.PASSWORD_REFUSED, user_id, WRONG)

    async def refused(
        self, event: Event, user_id: UUID | None, detail: str | None = None
    ) -> InvalidCredentials:
        """Undo what the request wrote, record the event, and return the error to raise."""
        await self.work.rollback()
        await self.log.record_now(event, user_id)
        return InvalidCredentials(detail)

    async def revoke_all(self, user_id: UUID, *, keep: UUID | None = None) -> None:
        """End the sessions, and delete tokens that somebody with a session may have asked for."""
        await self.sessions.delete_all(user_id, keep=keep)
        await self.tokens.delete(user_id, Purpose.RESET, Purpose.CHANGE)

    async def _limited(self, refusal: Refusal, account: str | UUID) -> RateLimited:
        """Return the error to raise, and record the first one in a row."""
        if refusal.is_first:
            if isinstance(account, str):
                user = await self.users.by_email(account)
                user_id = user.id if user else None
            else:
                user_id = account
            await self.log.record_now(Event.THROTTLED, user_id)
        return RateLimited(refusal.wait)
