from typing import Annotated

from fastapi import APIRouter, Query

from app.auth.dependencies import (
    FOR_SUPERUSERS,
    AccountsDep,
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

router = APIRouter(prefix="/users", tags=["users"])

LAST_SUPERUSER: Responses = {409: {"description": "The last superuser"}}
TAKEN_MEANWHILE: Responses = {409: {"description": "The address is taken meanwhile"}}
DELETES_OWN = LAST_SUPERUSER | {403: {"description": "The password was not given lately"}}
FOR_FRESH_SUPERUSERS = LAST_SUPERUSER | {
    403: {"description": "For superusers who gave their password lately"}
}


@router.get("/me", response_model=UserRead)
async def read_me(user: CurrentUser) -> User:
    return user


@router.patch("/me", response_model=UserRead)
async def update_me(
    data: UserUpdate, session: CurrentSession, users: Users, if_match: IfMatch
) -> User:
    return await users.update(session.user_id, data, if_match)


@router.delete("/me", status_code=204, responses=DELETES_OWN)
async def delete_me(session: CurrentSession, accounts: AccountsDep, if_match: IfMatch) -> None:
    """Needs a password that was given within the last 15 minutes. All sessions end."""
    await accounts.delete_by(session, session.user_id, if_match)


@router.get("", response_model=Page[UserAdminRead], responses=FOR_SUPERUSERS)
async def list_users(
    _: Superuser, filters: Annotated[UserFilter, Query()], users: Users
) -> Page[User]:
    """For superusers, as are the routes of any one user."""
    return await users.list(filters)


@router.get("/{user_id}", response_model=UserAdminRead, responses=FOR_SUPERUSERS)
async def read_user(_: Superuser, user_id: Id, users: Users) -> User:
    return await users.get(user_id)


@router.patch("/{user_id}", response_model=UserAdminRead, responses=FOR_FRESH_SUPERUSERS)
async def update_user(
    session: Superuser, user_id: Id, data: UserAdminUpdate, accounts: AccountsDep, if_match: IfMatch
) -> User:
    """A user who is disabled is signed out everywhere. The last superuser stays one.

    What changes more than the name needs a password that was given within the last 15 minutes.
    """
    return await accounts.update_by(session, user_id, data, if_match)


@router.delete("/{user_id}", status_code=204, responses=FOR_FRESH_SUPERUSERS)
async def delete_user(
    session: Superuser, user_id: Id, accounts: AccountsDep, if_match: IfMatch
) -> None:
    """Sign the user out everywhere and put him into the bin, from where he can be restored.

    Needs a password that was given within the last 15 minutes.
    """
    await accounts.delete_by(session, user_id, if_match)


@router.post(
    "/{user_id}/restore", response_model=UserAdminRead, responses=FOR_SUPERUSERS | TAKEN_MEANWHILE
)
async def restore_user(_: Superuser, user_id: Id, accounts: AccountsDep, if_match: IfMatch) -> User:
    return await accounts.restore(user_id, if_match)
