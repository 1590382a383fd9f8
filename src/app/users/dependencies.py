from typing import Annotated

from fastapi import Depends

from app.core.repository import EVERYONE
from app.dependencies import Work
from app.users.repository import UserRepository
from app.users.service import UserService


async def get_users(work: Work) -> UserService:
    return UserService(UserRepository(work, EVERYONE))


Users = Annotated[UserService, Depends(get_users)]
