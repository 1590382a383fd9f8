from uuid import UUID

from sqlalchemy import bindparam, update

from app.common.postgres_repository import PostgresRepository
from app.sql import Statement
from app.users.models import User
from app.users.schemas import UserCreate, UserUpdate

SET_PASSWORD_HASH = Statement(
    update(User)
    .where(User.id == bindparam("user_id", None), User.deleted_at.is_(None))
    .values(password_hash=bindparam("new_hash", None))
)


class UserRepository(PostgresRepository[User, UserCreate, UserUpdate]):
    natural_key = ("email",)

    async def by_email(self, email: str) -> User | None:
        return await self.first(self.query().where(User.email == email))

    async def set_password_hash(self, id: UUID, password_hash: str) -> None:
        await self.work.execute(SET_PASSWORD_HASH, {"user_id": id, "new_hash": password_hash})
