from collections.abc import Sequence
from uuid import UUID

from app.accounts.base import AccountService
from app.accounts.passwords import hash_password, needs_rehash, require_strong, verify_password
from app.accounts.schemas import (
    ChangePassword,
    Login,
    LoginRead,
    NewToken,
    Register,
    SessionRead,
)
from app.auth.repository import LiveSession
from app.auth.tokens import new_token, token_hash
from app.exceptions import NotFound, Unauthorized
from app.security_events.schemas import Event
from app.users.models import User
from app.users.schemas import UserCreate, UserRead


class AuthService(AccountService):
    """Signing up, in and out, and what signed-in users do to their password and sessions."""

    async def register(self, data: Register) -> User:
        await self.throttle("register", data.email)
        await self.work.release()
        password = data.password.get_secret_value()
        await require_strong(password, email=data.email, settings=self.settings, field="password")
        user = await self.users.create(
            UserCreate(
                email=data.email,
                password_hash=await hash_password(password),
                display_name=data.display_name,
            )
        )
        await self.log.record(Event.REGISTERED, user.id)
        return user

    async def login(self, data: Login) -> LoginRead:
        """Raises InvalidCredentials, always after the same time, whatever the reason is."""
        await self.throttle_guess("login", data.email)
        password = data.password.get_secret_value()
        user = await self._verified(data.email, password)
        await self.forgive(user.email)
        if needs_rehash(user.password_hash):
            user = await self._rehashed(user, password)
        token = new_token()
        created = await self.sessions.create(
            user, token_hash(token), self.settings.session_absolute, *self.client
        )
        if created is None:  # disabled, or given another password, while this one was verified
            raise await self.refused(Event.LOGIN_FAILED, user.id)
        self.log.session_id, expires_at = created
        kept = self.settings.max_sessions_per_user
        await self.sessions.delete_old(user.id, self.settings.session_idle, kept)
        await self.log.record(Event.LOGGED_IN, user.id)
        return LoginRead(token=token, expires_at=expires_at, user=UserRead.model_validate(user))

    async def logout(self, session: LiveSession) -> None:
        await self.sessions.delete(session.id, session.user_id)
        await self.log.record(Event.LOGGED_OUT, session.user_id)

    async def reauthenticate(self, session: LiveSession, password: str) -> NewToken:
        """Make the session fresh for 15 minutes; raises InvalidCredentials."""
        await self.require_password(session, password)
        renewed = await self._renewed(session)
        await self.log.record(Event.REAUTHENTICATED, session.user_id)
        return renewed

    async def change_password(self, session: LiveSession, data: ChangePassword) -> NewToken:
        """Raises InvalidCredentials, and Invalid for a new password that is too weak."""
        user = await self.require_password(session, data.current_password.get_secret_value())
        new = data.new_password.get_secret_value()
        await require_strong(new, email=user.email, settings=self.settings, field="new_password")
        if not await self.users.replace_password_hash(user, await hash_password(new)):
            raise await self.wrong_password(user.id)  # somebody changed it meanwhile
        await self.revoke_all(user.id, keep=session.id)
        renewed = await self._renewed(session)
        await self.log.record(Event.PASSWORD_CHANGED, user.id)
        self.work.after_commit.append(self.outbox.mail("password_changed", user.email))
        return renewed

    async def list_sessions(self, session: LiveSession) -> Sequence[SessionRead]:
        rows = await self.sessions.list(session.user_id, self.settings.session_idle)
        return [SessionRead(**dict(row), current=row["id"] == session.id) for row in rows]

    async def revoke_session(self, session: LiveSession, id: UUID) -> None:
        """Raises NotFound for a session that does not exist, or is somebody else's."""
        if not await self.sessions.delete(id, session.user_id):
            raise NotFound(f"Session {id} not found")
        await self.log.record(Event.SESSION_REVOKED, session.user_id, revoked=id)

    async def revoke_other_sessions(self, session: LiveSession) -> None:
        await self.sessions.delete_all(session.user_id, keep=session.id)
        await self.log.record(Event.SESSIONS_REVOKED, session.user_id)

    async def _renewed(self, session: LiveSession) -> NewToken:
        """Another token for the session: whoever knew the old one is out (ASVS 5, 7.2.4)."""
        token = new_token()
        expires_at = await self.sessions.renew(session, token_hash(token))
        if expires_at is None:
            raise Unauthorized(token_sent=True)
        return NewToken(token=token, expires_at=expires_at)

    async def _verified(self, email: str, password: str) -> User:
        user = await self.users.by_email(email)
        await self.work.release()
        verified = await verify_password(user.password_hash if user else None, password)
        if user is None or not verified or not user.is_active:
            raise await self.refused(Event.LOGIN_FAILED, user.id if user else None)
        return user

    async def _rehashed(self, user: User, password: str) -> User:
        new_hash = await hash_password(password)
        if await self.users.replace_password_hash(user, new_hash):
            user.password_hash = new_hash
            return user
        await self.work.rollback()  # another login or a password change was faster
        return await self._verified(user.email, password)
