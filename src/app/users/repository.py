from uuid import UUID

from sqlalchemy import String, Uuid, bindparam, func, select, update

from app.common.postgres_repository import PostgresRepository
from app.database.sql import Statement
from app.users.models import User
from app.users.schemas import UserCreate, UserUpdate

_user_id = bindparam("user_id", None, Uuid())
_email = bindparam("new_email", None, String())
_is_user = (User.id == _user_id, User.deleted_at.is_(None))
_written = {"version": User.version + 1, "updated_at": func.now()}

_has_password = User.password_hash == bindparam("old_hash", None, String())

REPLACE_PASSWORD_HASH = Statement(
    update(User)
    .where(*_is_user, _has_password)
    .values(password_hash=bindparam("new_hash", None, String()))
)
# Waits for a transaction that changes the password or disables the account, and blocks new ones.
LOCK_PASSWORD = Statement(
    select(User.id).where(*_is_user, User.is_active, _has_password).with_for_update(read=True)
)
VERIFY_EMAIL = Statement(
    update(User)
    .where(*_is_user, User.email == _email)
    .values(email_verified_at=func.coalesce(User.email_verified_at, func.now()), **_written)
)
CHANGE_EMAIL = Statement(
    update(User).where(*_is_user).values(email=_email, email_verified_at=func.now(), **_written)
)
# Locked in one order: if two superusers remove each other, one waits here for the other. This lock
# does not block rows that refer to a superuser, such as a new item.
LOCK_SUPERUSERS = Statement(
    select(User.id)
    .where(User.is_superuser, User.is_active, User.deleted_at.is_(None))
    .order_by(User.id)
    .with_for_update(key_share=True)
)


class UserRepository(PostgresRepository[User, UserCreate, UserUpdate]):
    async def by_email(self, email: str) -> User | None:
        return await self.first(self.query().where(User.email == email))

    async def replace_password_hash(self, user: User, new_hash: str) -> bool:
        """False if the user has another password now than the instance says."""
        values = {"user_id": user.id, "old_hash": user.password_hash, "new_hash": new_hash}
        return await self.work.execute(REPLACE_PASSWORD_HASH, values) > 0

    async def lock_password(self, user: User) -> bool:
        """False if the user may no longer sign in, or has another password now."""
        values = {"user_id": user.id, "old_hash": user.password_hash}
        return await self.work.fetch_one(LOCK_PASSWORD, values) is not None

    async def verify_email(self, id: UUID, email: str) -> bool:
        """False if the user has another address now."""
        return await self.work.execute(VERIFY_EMAIL, {"user_id": id, "new_email": email}) > 0

    async def change_email(self, id: UUID, email: str) -> bool:
        """False if the user is gone; raises Conflict for an address that is taken."""
        return await self.work.execute(CHANGE_EMAIL, {"user_id": id, "new_email": email}) > 0

    async def lock(self, id: UUID) -> User | None:
        """As `get`; nobody else changes the user before this transaction ends."""
        found = self.query().where(User.id == id)
        return await self.first(found.with_for_update(key_share=True))

    async def lock_superusers(self) -> set[UUID]:
        """Those who can sign in; nobody else changes them before this transaction ends."""
        return {row["id"] for row in await self.work.fetch(LOCK_SUPERUSERS)}
