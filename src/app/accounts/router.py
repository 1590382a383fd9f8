"""The routes of accounts: `/auth` to sign up, in and out, and `/users` for the users themselves."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse

from app.accounts.dependencies import AccountsDep, Addresses, Auth
from app.accounts.schemas import (
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
    CurrentSession,
    CurrentUser,
    Responses,
    Superuser,
)
from app.core.pagination import Page
from app.core.types import Id
from app.dependencies import IfMatch
from app.users.dependencies import Users
from app.users.filters import UserFilter
from app.users.models import User
from app.users.schemas import UserAdminRead, UserAdminUpdate, UserRead, UserUpdate

router = APIRouter(prefix="/auth", tags=["auth"])
users = APIRouter(prefix="/users", tags=["users"])

THROTTLED: Responses = {
    429: {
        "description": "Too many attempts",
        "headers": {"Retry-After": {"$ref": "#/components/headers/Retry-After"}},
    }
}
WRONG_LOGIN: Responses = {401: {"description": "The address or the password is wrong"}}
WRONG_PASSWORD: Responses = {401: {"description": "No live session, or the password is wrong"}}
TAKEN: Responses = {409: {"description": "The address is taken"}}
LAST_SUPERUSER: Responses = {409: {"description": "The last superuser"}}
TAKEN_MEANWHILE: Responses = {409: {"description": "The address is taken meanwhile"}}
DELETES_OWN = LAST_SUPERUSER | {403: {"description": "The password was not given recently"}}
EXPORT: Responses = {
    200: {
        "description": "The rows of each table that has some about the caller; decimals are text, "
        "bytes are Base64",
        "headers": {
            "Content-Disposition": {"required": True, "schema": {"type": "string"}},
        },
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "additionalProperties": {"type": "array", "items": {"type": "object"}},
                }
            }
        },
    }
}
NEEDS_FRESH: Responses = {403: {"description": "For superusers who gave their password recently"}}
FOR_FRESH_SUPERUSERS = LAST_SUPERUSER | NEEDS_FRESH


class ExportResponse(StreamingResponse):
    media_type = "application/json"


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


@router.post("/reauthenticate", responses=THROTTLED | WRONG_PASSWORD)
async def reauthenticate(data: Reauthenticate, session: CurrentSession, auth: Auth) -> NewToken:
    """For 15 minutes, as after a login, this session may do what needs a recent password.

    It has another token from then on.
    """
    return await auth.reauthenticate(session, data.current_password.get_secret_value())


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


@router.post("/password", responses=THROTTLED | WRONG_PASSWORD)
async def change_password(data: ChangePassword, session: CurrentSession, auth: Auth) -> NewToken:
    """All other sessions end, and this one has another token."""
    return await auth.change_password(session, data)


@router.post("/password-reset", status_code=202, response_class=Response, responses=THROTTLED)
async def request_password_reset(data: RequestReset, addresses: Addresses) -> None:
    """Mail a token to the address if there is an account; the answer is the same if not."""
    await addresses.request_reset(data.email)


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


@users.get("/me", response_model=UserRead)
async def read_me(user: CurrentUser) -> User:
    return user


@users.patch("/me", response_model=UserRead)
async def update_me(
    data: UserUpdate, session: CurrentSession, service: Users, if_match: IfMatch
) -> User:
    return await service.update(session.user_id, data, if_match)


@users.get("/me/export", response_class=ExportResponse, responses=EXPORT)
async def export_me(session: CurrentSession, accounts: AccountsDep) -> ExportResponse:
    """Everything that is stored about the caller, deleted rows included, but no secrets.

    Streamed, as the rows are read: it may be large.
    """
    return ExportResponse(
        await accounts.export(session),
        headers={"Content-Disposition": 'attachment; filename="export.json"'},
    )


@users.delete("/me", status_code=204, responses=DELETES_OWN)
async def delete_me(session: CurrentSession, accounts: AccountsDep, if_match: IfMatch) -> None:
    """Needs a password that was given within the last 15 minutes. All sessions end."""
    await accounts.delete_by(session, session.user_id, if_match)


@users.get("", response_model=Page[UserAdminRead], responses=FOR_SUPERUSERS)
async def list_users(
    _: Superuser, filters: Annotated[UserFilter, Query()], service: Users
) -> Page[User]:
    """For superusers, as is every route under `/users/{user_id}`."""
    return await service.list(filters)


@users.get("/{user_id}", response_model=UserAdminRead, responses=FOR_SUPERUSERS)
async def read_user(_: Superuser, user_id: Id, service: Users) -> User:
    return await service.get(user_id)


@users.patch("/{user_id}", response_model=UserAdminRead, responses=FOR_FRESH_SUPERUSERS)
async def update_user(
    session: Superuser, user_id: Id, data: UserAdminUpdate, accounts: AccountsDep, if_match: IfMatch
) -> User:
    """Disabling a user signs them out everywhere. The last superuser must stay one.

    To change more than the name needs a password that was given within the last 15 minutes.
    """
    return await accounts.update_by(session, user_id, data, if_match)


@users.delete("/{user_id}", status_code=204, responses=FOR_FRESH_SUPERUSERS)
async def delete_user(
    session: Superuser, user_id: Id, accounts: AccountsDep, if_match: IfMatch
) -> None:
    """Sign the user out everywhere and put them into the bin, from where they can be restored.

    Needs a password that was given within the last 15 minutes.
    """
    await accounts.delete_by(session, user_id, if_match)


@users.post(
    "/{user_id}/restore",
    response_model=UserAdminRead,
    responses=FOR_FRESH_SUPERUSERS | TAKEN_MEANWHILE,
)
async def restore_user(
    session: Superuser, user_id: Id, accounts: AccountsDep, if_match: IfMatch
) -> User:
    """Needs a password that was given within the last 15 minutes."""
    return await accounts.restore_by(session, user_id, if_match)


@users.get("/{user_id}/sessions", responses=FOR_SUPERUSERS)
async def list_sessions_of_user(session: Superuser, user_id: Id, accounts: AccountsDep) -> Sessions:
    return Sessions(items=await accounts.list_sessions(session, user_id))


@users.delete("/{user_id}/sessions", status_code=204, responses=NEEDS_FRESH)
async def revoke_sessions_of_user(session: Superuser, user_id: Id, accounts: AccountsDep) -> None:
    """End all of them, but the caller's own.

    Needs a password that was given within the last 15 minutes.
    """
    await accounts.revoke_sessions(session, user_id)


@users.delete("/{user_id}/sessions/{session_id}", status_code=204, responses=NEEDS_FRESH)
async def revoke_session_of_user(
    session: Superuser, user_id: Id, session_id: Id, accounts: AccountsDep
) -> None:
    """Needs a password that was given within the last 15 minutes."""
    await accounts.revoke_session(session, user_id, session_id)
