from fastapi import APIRouter

from app.auth.dependencies import CurrentSession, CurrentUser
from app.dependencies import IfMatch
from app.users.dependencies import Users
from app.users.models import User
from app.users.schemas import UserRead, UserUpdate

router = APIRouter(prefix="/users", tags=["users"])


@router.get("/me", response_model=UserRead)
async def read_me(user: CurrentUser) -> User:
    return user


@router.patch("/me", response_model=UserRead)
async def update_me(
    data: UserUpdate, session: CurrentSession, users: Users, if_match: IfMatch
) -> User:
    return await users.update(session.user_id, data, if_match)
