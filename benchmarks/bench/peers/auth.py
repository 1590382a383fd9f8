"""Who is asking, for the peers: none of them brings sessions that are kept in the database."""

from hashlib import sha256
from typing import Annotated

from fastapi import Depends, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy import Select, func, select

from bench.peers.models import Session, User

Credentials = Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]


def user_of(credentials: HTTPAuthorizationCredentials) -> Select[User]:
    """The statement that finds the user whose session the token is of."""
    return (
        select(User)
        .join(Session, Session.user_id == User.id)
        .where(
            Session.token_hash == sha256(credentials.credentials.encode()).digest(),
            Session.expires_at > func.now(),
            User.is_active,
            User.deleted_at.is_(None),
        )
    )


def known(user: User | None) -> User:
    """Raises HTTPException 401 without a user."""
    if user is None:
        raise HTTPException(401, "Could not validate credentials")
    return user
