from uuid import UUID

from app.auth.passwords import hash_password, needs_rehash, require_strong, verify_password
from app.auth.repository import SessionRepository
from app.auth.schemas import Login, LoginRead, Register
from app.auth.throttle import Throttler
from app.auth.tokens import new_token, token_hash
from app.config import Settings
from app.database import UnitOfWork
from app.exceptions import InvalidCredentials
from app.users.models import User
from app.users.repository import UserRepository
from app.users.schemas import UserCreate, UserRead


class AuthService:
    """Signing up, in and out. `address` is the client's network address."""

    def __init__(
        self,
        work: UnitOfWork,
        users: UserRepository,
        sessions: SessionRepository,
        settings: Settings,
        address: str,
    ) -> None:
        self.work = work
        self.users = users
        self.sessions = sessions
        self.settings = settings
        self.address = address

    async def register(self, data: Register) -> User:
        await self._throttle("register").attempt(data.email)
        await self.work.release()
        password = data.password.get_secret_value()
        await require_strong(
            password,
            email=data.email,
            minimum=self.settings.password_min_length,
            field="password",
        )
        return await self.users.create(
            UserCreate(
                email=data.email,
                password_hash=await hash_password(password),
                display_name=data.display_name,
            )
        )

    async def login(self, data: Login) -> LoginRead:
        """Raises InvalidCredentials, after the same time, for all that keeps a user out."""
        await self._throttle("login").attempt(data.email)
        user = await self.users.by_email(data.email)
        await self.work.release()
        password = data.password.get_secret_value()
        verified = await verify_password(user.password_hash if user else None, password)
        if user is None or not verified or not user.is_active:
            raise InvalidCredentials
        if needs_rehash(user.password_hash):
            await self.users.set_password_hash(user.id, await hash_password(password))
        await self.sessions.delete_expired(user.id, self.settings.session_idle)
        token = new_token()
        expires_at = await self.sessions.create(
            user.id, token_hash(token), self.settings.session_absolute
        )
        return LoginRead(token=token, expires_at=expires_at, user=UserRead.model_validate(user))

    async def logout(self, session_id: UUID) -> None:
        await self.sessions.delete(session_id)

    def _throttle(self, kind: str) -> Throttler:
        return Throttler(self.work, self.settings, kind, self.address)
