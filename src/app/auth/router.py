from fastapi import APIRouter

from app.auth.dependencies import Auth, CurrentSession
from app.auth.schemas import Login, LoginRead, Register
from app.users.models import User
from app.users.schemas import UserRead

router = APIRouter(prefix="/auth", tags=["auth"])


@router.post("/register", status_code=201, response_model=UserRead)
async def register(data: Register, auth: Auth) -> User:
    return await auth.register(data)


@router.post("/login")
async def login(data: Login, auth: Auth) -> LoginRead:
    """Send the token with every request: `Authorization: Bearer <token>`."""
    return await auth.login(data)


@router.post("/logout", status_code=204)
async def logout(session: CurrentSession, auth: Auth) -> None:
    await auth.logout(session.id)
