"""The routes of accounts: `/auth` to sign up, in and out, and `/users` for the users themselves."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse

from app.accounts.administration import NEEDED
from app.accounts.base import WRONG
from app.accounts.dependencies import AccountsDep, Addresses, Auth
from app.accounts.schemas import (
    EMAIL,
    ChangeEmail,
    ChangePassword,
    ConfirmAddress,
    ConfirmReset,
    Login,
    LoginRead,
    NewToken,
    Reauthenticate,
    Register,
    RequestReset,
    Sessions,
)
from app.auth.dependencies import (
    FOR_SUPERUSERS,
    ONLY_SUPERUSERS,
    CurrentSession,
    CurrentUser,
    Superuser,
)
from app.core.pagination import Page
from app.core.types import Id
from app.dependencies import IfMatch, Responses, refusal
from app.exceptions import (
    Conflict,
    FieldError,
    Forbidden,
    InvalidCredentials,
    RateLimited,
    ReauthenticationRequired,
    Unauthorized,
)
from app.users.dependencies import Users
from app.users.filters import UserFilter
from app.users.models import User
from app.users.schemas import UserAdminRead, UserAdminUpdate, UserRead, UserUpdate

router = APIRouter(prefix="/auth", tags=["auth"])
users = APIRouter(prefix="/users", tags=["users"])

TAGS = {
    "auth": "Sign up, sign in and out, and look after the password, the address and the sessions.",
    "users": "The account of the caller, below `/users/me`, and for superusers those of all users.",
}

THROTTLED = refusal(
    "Too many attempts, or too many requests",
    RateLimited(12),
    RateLimited(12, "Too many requests: try again in 12 s"),
)
WRONG_LOGIN = refusal("The address or the password is wrong", InvalidCredentials())
WRONG_PASSWORD = refusal(
    "No session token, one that is not valid any more, or a wrong password",
    Unauthorized(),
    InvalidCredentials(WRONG),
)
TAKEN = refusal(
    "Another account has the address",
    Conflict(
        "email is already taken",
        errors=[FieldError(("body", "email"), "email is already taken", "unique")],
    ),
)
LAST_SUPERUSER = refusal("It is the last superuser, who is needed", Conflict(NEEDED))
TAKEN_MEANWHILE = refusal(
    "Another account has the address by now", Conflict("email is already taken")
)
DELETES_OWN = LAST_SUPERUSER | refusal(
    "The password was not given within the last 15 minutes", ReauthenticationRequired()
)
DISPOSITION = 'attachment; filename="export.json"'
EXPORT: Responses = {
    200: {
        "description": "The rows of each table that has some about the caller; decimals are text, "
        "bytes are Base64",
        "headers": {
            "Content-Disposition": {
                "description": "The name of the file that it is to be saved as.",
                "required": True,
                "schema": {"type": "string", "const": DISPOSITION},
            },
        },
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "additionalProperties": {"type": "array", "items": {"type": "object"}},
                },
                "example": {"users": [{"email": EMAIL, "display_name": "Ada"}]},
            }
        },
    }
}
NEEDS_FRESH = refusal(
    "The caller is no superuser, or did not give their password within the last 15 minutes",
    Forbidden(ONLY_SUPERUSERS),
    ReauthenticationRequired(),
)
FOR_FRESH_SUPERUSERS = LAST_SUPERUSER | NEEDS_FRESH


class ExportResponse(StreamingResponse):
    media_type = "application/json"


@router.post(
    "/register",
    status_code=201,
    response_model=UserRead,
    responses=THROTTLED | TAKEN,
    summary="Sign up",
)
async def register(data: Register, auth: Auth) -> User:
    """Create an account. It is not signed in yet: log in next."""
    return await auth.register(data)


@router.post("/login", responses=THROTTLED | WRONG_LOGIN, summary="Log in")
async def login(data: Login, auth: Auth) -> LoginRead:
    """Send the token that is answered with every other request: `Authorization: Bearer <token>`."""
    return await auth.login(data)


@router.post("/logout", status_code=204, summary="Log out")
async def logout(session: CurrentSession, auth: Auth) -> None:
    """End this session. Its token is refused from now on."""
    await auth.logout(session)


@router.post(
    "/reauthenticate", responses=THROTTLED | WRONG_PASSWORD, summary="Give the password again"
)
async def reauthenticate(data: Reauthenticate, session: CurrentSession, auth: Auth) -> NewToken:
    """For 15 minutes, as after a login, this session may do what needs a recent password.

    The answer has a new token for the session; the old one is refused from now on.
    """
    return await auth.reauthenticate(session, data.current_password.get_secret_value())


@router.get("/sessions", summary="List my sessions")
async def list_sessions(session: CurrentSession, auth: Auth) -> Sessions:
    """All places where the caller is signed in, the most recently used first."""
    return Sessions(items=await auth.list_sessions(session))


@router.delete("/sessions", status_code=204, summary="End my other sessions")
async def revoke_other_sessions(session: CurrentSession, auth: Auth) -> None:
    """End all sessions of the caller but this one."""
    await auth.revoke_other_sessions(session)


@router.delete("/sessions/{session_id}", status_code=204, summary="End one of my sessions")
async def revoke_session(session_id: Id, session: CurrentSession, auth: Auth) -> None:
    """Sign out one place; the caller's own session can be ended too."""
    await auth.revoke_session(session, session_id)


@router.post("/password", responses=THROTTLED | WRONG_PASSWORD, summary="Change my password")
async def change_password(data: ChangePassword, session: CurrentSession, auth: Auth) -> NewToken:
    """All other sessions end.

    The answer has a new token for this session; the old one is refused from now on.
    """
    return await auth.change_password(session, data)


@router.post(
    "/password-reset",
    status_code=202,
    response_class=Response,
    responses=THROTTLED,
    summary="Ask for a new password",
)
async def request_password_reset(data: RequestReset, addresses: Addresses) -> None:
    """Mail a token to the address if there is an account; if there is none, answer the same."""
    await addresses.request_reset(data.email)


@router.post("/password-reset/confirm", status_code=204, summary="Set a new password")
async def confirm_password_reset(data: ConfirmReset, addresses: Addresses) -> None:
    """With the token of the mail, which works once. All sessions end."""
    await addresses.confirm_reset(data)


@router.post(
    "/email-verification",
    status_code=202,
    response_class=Response,
    responses=THROTTLED,
    summary="Ask to confirm my address",
)
async def request_email_verification(user: CurrentUser, addresses: Addresses) -> None:
    """Mail a token to the caller's address, unless it is confirmed already."""
    await addresses.request_verification(user)


@router.post("/email-verification/confirm", status_code=204, summary="Confirm an address")
async def confirm_email_verification(data: ConfirmAddress, addresses: Addresses) -> None:
    """With the token of the mail, which works once."""
    await addresses.confirm_verification(data.token)


@router.post(
    "/email-change",
    status_code=202,
    response_class=Response,
    responses=THROTTLED | WRONG_PASSWORD,
    summary="Ask for another address",
)
async def request_email_change(
    data: ChangeEmail, session: CurrentSession, addresses: Addresses
) -> None:
    """Mail a token to the new address. The address stays until it is confirmed."""
    await addresses.request_change(session, data)


@router.post(
    "/email-change/confirm", status_code=204, responses=TAKEN, summary="Confirm a new address"
)
async def confirm_email_change(data: ConfirmAddress, addresses: Addresses) -> None:
    """The address changes, and all sessions end but the one that asked for it."""
    await addresses.confirm_change(data.token)


@users.get("/me", response_model=UserRead, summary="Who am I")
async def read_me(user: CurrentUser) -> User:
    """The account of the caller."""
    return user


@users.patch("/me", response_model=UserRead, summary="Change my account")
async def update_me(
    data: UserUpdate, session: CurrentSession, service: Users, if_match: IfMatch
) -> User:
    """Absent fields stay; null clears a field that may be null."""
    return await service.update(session.user_id, data, if_match)


@users.get("/me/export", response_class=ExportResponse, responses=EXPORT, summary="Export my data")
async def export_me(session: CurrentSession, accounts: AccountsDep) -> ExportResponse:
    """Everything that is stored about the caller, deleted rows included, but no secrets.

    Streamed, as the rows are read: it may be large.
    """
    return ExportResponse(
        await accounts.export(session),
        headers={"Content-Disposition": DISPOSITION},
    )


@users.delete("/me", status_code=204, responses=DELETES_OWN, summary="Delete my account")
async def delete_me(session: CurrentSession, accounts: AccountsDep, if_match: IfMatch) -> None:
    """All sessions end. It needs a password that was given within the last 15 minutes."""
    await accounts.delete_by(session, session.user_id, if_match)


@users.get("", response_model=Page[UserAdminRead], responses=FOR_SUPERUSERS, summary="List users")
async def list_users(
    _: Superuser, filters: Annotated[UserFilter, Query()], service: Users
) -> Page[User]:
    """For superusers."""
    return await service.list(filters)


@users.get(
    "/{user_id}", response_model=UserAdminRead, responses=FOR_SUPERUSERS, summary="Read a user"
)
async def read_user(_: Superuser, user_id: Id, service: Users) -> User:
    """For superusers."""
    return await service.get(user_id)


@users.patch(
    "/{user_id}",
    response_model=UserAdminRead,
    responses=FOR_FRESH_SUPERUSERS,
    summary="Change a user",
)
async def update_user(
    session: Superuser, user_id: Id, data: UserAdminUpdate, accounts: AccountsDep, if_match: IfMatch
) -> User:
    """For superusers. To disable a user signs them out everywhere; the last superuser stays one.

    To change more than the name needs a password that was given within the last 15 minutes.
    """
    return await accounts.update_by(session, user_id, data, if_match)


@users.delete(
    "/{user_id}", status_code=204, responses=FOR_FRESH_SUPERUSERS, summary="Delete a user"
)
async def delete_user(
    session: Superuser, user_id: Id, accounts: AccountsDep, if_match: IfMatch
) -> None:
    """For superusers. The user is signed out everywhere, and can be restored.

    It needs a password that was given within the last 15 minutes.
    """
    await accounts.delete_by(session, user_id, if_match)


@users.post(
    "/{user_id}/restore",
    response_model=UserAdminRead,
    responses=FOR_FRESH_SUPERUSERS | TAKEN_MEANWHILE,
    summary="Restore a user",
)
async def restore_user(
    session: Superuser, user_id: Id, accounts: AccountsDep, if_match: IfMatch
) -> User:
    """For superusers. Undo a deletion; a user who is not deleted stays as they are.

    It needs a password that was given within the last 15 minutes.
    """
    return await accounts.restore_by(session, user_id, if_match)


@users.get("/{user_id}/sessions", responses=FOR_SUPERUSERS, summary="List a user's sessions")
async def list_sessions_of_user(session: Superuser, user_id: Id, accounts: AccountsDep) -> Sessions:
    """For superusers. All places where the user is signed in, the most recently used first."""
    return Sessions(items=await accounts.list_sessions(session, user_id))


@users.delete(
    "/{user_id}/sessions", status_code=204, responses=NEEDS_FRESH, summary="End a user's sessions"
)
async def revoke_sessions_of_user(session: Superuser, user_id: Id, accounts: AccountsDep) -> None:
    """For superusers. End all sessions of the user, but the caller's own.

    It needs a password that was given within the last 15 minutes.
    """
    await accounts.revoke_sessions(session, user_id)


@users.delete(
    "/{user_id}/sessions/{session_id}",
    status_code=204,
    responses=NEEDS_FRESH,
    summary="End one of a user's sessions",
)
async def revoke_session_of_user(
    session: Superuser, user_id: Id, session_id: Id, accounts: AccountsDep
) -> None:
    """For superusers. It needs a password that was given within the last 15 minutes."""
    await accounts.revoke_session(session, user_id, session_id)
