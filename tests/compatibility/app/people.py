"""Signing in with a form; the session's token travels in a cookie."""

from typing import Annotated

from fastapi import APIRouter, Cookie, Depends, Response
from fastapi.requests import HTTPConnection
from fastapi.security import OAuth2PasswordRequestForm
from pydantic import SecretStr

from app.accounts.dependencies import Auth
from app.accounts.schemas import Login
from app.auth.dependencies import CurrentUser, authenticate
from app.request_state import request_state

COOKIE = "desk"
router = APIRouter()


async def require_person(
    connection: HTTPConnection, desk: Annotated[str | None, Cookie()] = None
) -> None:
    """The cookie is as good as the header; raises Unauthorized where neither is."""
    if desk is not None:
        request_state(connection.scope).headers[b"authorization"] = f"Bearer {desk}".encode()
    await authenticate(connection)


@router.post("/login", status_code=204)
async def login(
    form: Annotated[OAuth2PasswordRequestForm, Depends()], auth: Auth, response: Response
) -> None:
    found = await auth.login(Login(email=form.username, password=SecretStr(form.password)))
    response.set_cookie(COOKIE, found.token, httponly=True, samesite="strict")


@router.get("/me")
async def read_me(user: CurrentUser) -> str:
    return user.email
