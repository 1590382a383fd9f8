from fastapi import APIRouter

from app.auth.dependencies import CurrentUser
from app.dependencies import IfMatch
from app.users.dependencies import Users
from app.users.models import User
from app.users.schemas import UserRead, UserUpdate

router = APIRouter(prefix="/users", tags=["users"])


@router.get("/me", response_model=UserRead)
async def read_me(user: CurrentUser) -> User:
    return user


@router.patch("/me", response_model=UserRead)
async def update_me(data: UserUpdate, user: CurrentUser, users: Users, if_match: IfMatch) -> User:
    return await users.update(user.id, data, if_match)
