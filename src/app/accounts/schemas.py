from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field, SecretStr

from app.accounts.passwords import MAX_LENGTH, MAX_TYPED
from app.core.schemas import Schema, documented, example, from_settings
from app.core.types import Email, Ip, Text
from app.dependencies import MAX_USER_AGENT
from app.users.schemas import DisplayName, UserRead

Password = Annotated[
    SecretStr,
    Field(
        min_length=1,
        max_length=MAX_TYPED,
        description=f"Any Unicode; counted in the form NFKC, at most {MAX_LENGTH} characters.",
    ),
]

NewPassword = Annotated[
    Password, Field(json_schema_extra=from_settings(minLength="password_min_length"))
]

Token = Annotated[
    Text, Field(min_length=1, max_length=100, repr=False, description="From the mail.")
]

EMAIL, PASSWORD = "ada@example.com", "correct horse battery staple"
NEW_PASSWORD, TOKEN = "eleven purple staplers sing", "plinth_…"
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
EXAMPLE = example({"email": EMAIL, "password": PASSWORD})


class Register(Schema):
    model_config = EXAMPLE

    email: Email
    password: NewPassword
    display_name: DisplayName | None = None


class Login(Schema):
    model_config = EXAMPLE

    email: Email
    password: Password


class ChangePassword(Schema):
    model_config = example({"current_password": PASSWORD, "new_password": NEW_PASSWORD})

    current_password: Password
    new_password: NewPassword


class Reauthenticate(Schema):
    model_config = example({"current_password": PASSWORD})

    current_password: Password


class RequestReset(Schema):
    model_config = example({"email": EMAIL})

    email: Email


class ConfirmReset(Schema):
    model_config = example({"token": TOKEN, "new_password": NEW_PASSWORD})

    token: Token
    new_password: NewPassword


class ConfirmAddress(Schema):
    model_config = example({"token": TOKEN})

    token: Token


class ChangeEmail(Schema):
    model_config = example({"current_password": PASSWORD, "new_email": "ada@example.org"})

    current_password: Password
    new_email: Email


class SessionRead(BaseModel):
    id: UUID
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    ip: Ip | None
    user_agent: Annotated[str, documented(maxLength=MAX_USER_AGENT, examples=[AGENT])] | None
    current: bool


class Sessions(BaseModel):
    """The most recently used one comes first."""

    items: Annotated[
        Sequence[SessionRead], documented(**from_settings(maxItems="max_sessions_per_user"))
    ]


SessionToken = Annotated[str, documented(maxLength=100, examples=[TOKEN])]


class NewToken(BaseModel):
    """The session's token from now on; the old one is dead."""

    token: SessionToken = Field(repr=False)
    expires_at: datetime


class LoginRead(BaseModel):
    token: SessionToken = Field(repr=False)
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - RFC 6750's name, no secret
    expires_at: datetime
    user: UserRead
