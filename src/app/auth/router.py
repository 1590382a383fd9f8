from fastapi import APIRouter, Response

from app.auth.dependencies import (
    Addresses,
    Auth,
    CurrentSession,
    CurrentUser,
    DatabaseDep,
    Responses,
)
from app.auth.schemas import (
    ChangeEmail,
    ChangePassword,
    ConfirmAddress,
    ConfirmReset,
    Login,
    LoginRead,
    Reauthenticate,
    Register,
    RequestReset,
    Sessions,
)
from app.core.types import Id
from app.users.models import User
from app.users.schemas import UserRead

router = APIRouter(prefix="/auth", tags=["auth"])

THROTTLED: Responses = {
    429: {
        "description": "Too many attempts",
        "headers": {"Retry-After": {"$ref": "#/components/headers/Retry-After"}},
    }
}
WRONG_LOGIN: Responses = {401: {"description": "The address or the password is wrong"}}
WRONG_PASSWORD: Responses = {401: {"description": "No live session, or the password is wrong"}}
TAKEN: Responses = {409: {"description": "The address is taken"}}


@router.post("/register", status_code=201, response_model=UserRead, responses=THROTTLED | TAKEN)
async def register(data: Register, auth: Auth) -> User:
    return await auth.register(data)


@router.post("/login", responses=THROTTLED | WRONG_LOGIN)
async def login(data: Login, auth: Auth) -> LoginRead:
    """Send the token with every request: `Authorization: Bearer <token>`."""
    return await auth.login(data)


@router.post("/logout", status_code=204)
async def logout(session: CurrentSession, auth: Auth) -> None:
    await auth.logout(session)


@router.post("/reauthenticate", status_code=204, responses=THROTTLED | WRONG_PASSWORD)
async def reauthenticate(data: Reauthenticate, session: CurrentSession, auth: Auth) -> None:
    """For 15 minutes, as after a login, this session may do what is delicate."""
    await auth.reauthenticate(session, data.current_password.get_secret_value())


@router.get("/sessions")
async def list_sessions(session: CurrentSession, auth: Auth) -> Sessions:
    return Sessions(items=await auth.list_sessions(session))


@router.delete("/sessions", status_code=204)
async def revoke_other_sessions(session: CurrentSession, auth: Auth) -> None:
    """End all sessions but this one."""
    await auth.revoke_other_sessions(session)


@router.delete("/sessions/{session_id}", status_code=204)
async def revoke_session(session_id: Id, session: CurrentSession, auth: Auth) -> None:
    await auth.revoke_session(session, session_id)


@router.post("/password", status_code=204, responses=THROTTLED | WRONG_PASSWORD)
async def change_password(data: ChangePassword, session: CurrentSession, auth: Auth) -> None:
    """All other sessions end."""
    await auth.change_password(session, data)


@router.post("/password-reset", status_code=202, response_class=Response, responses=THROTTLED)
async def request_password_reset(
    data: RequestReset, addresses: Addresses, database: DatabaseDep
) -> None:
    """Mail a token to the address if there is an account; the answer is the same if not."""
    await addresses.request_reset(data.email, database)


@router.post("/password-reset/confirm", status_code=204)
async def confirm_password_reset(data: ConfirmReset, addresses: Addresses) -> None:
    """All sessions end."""
    await addresses.confirm_reset(data)


@router.post("/email-verification", status_code=202, response_class=Response, responses=THROTTLED)
async def request_email_verification(user: CurrentUser, addresses: Addresses) -> None:
    """Mail a token to the address, unless it is verified already."""
    await addresses.request_verification(user)


@router.post("/email-verification/confirm", status_code=204)
async def confirm_email_verification(data: ConfirmAddress, addresses: Addresses) -> None:
    await addresses.confirm_verification(data.token)


@router.post(
    "/email-change",
    status_code=202,
    response_class=Response,
    responses=THROTTLED | WRONG_PASSWORD,
)
async def request_email_change(
    data: ChangeEmail, session: CurrentSession, addresses: Addresses
) -> None:
    """Mail a token to the new address."""
    await addresses.request_change(session, data)


@router.post("/email-change/confirm", status_code=204, responses=TAKEN)
async def confirm_email_change(data: ConfirmAddress, addresses: Addresses) -> None:
    """The address changes, and all sessions end but the one that asked for it."""
    await addresses.confirm_change(data.token)
