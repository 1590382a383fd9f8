from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field, SecretStr

from app.auth.passwords import MAX_LENGTH
from app.core.schemas import Email, Schema, example
from app.users.schemas import DisplayName, UserRead

Password = Annotated[SecretStr, Field(min_length=1, max_length=MAX_LENGTH)]


EXAMPLE = example(email="ada@example.com", password="correct horse battery staple")  # noqa: S106 - shown


class Register(Schema):
    model_config = EXAMPLE

    email: Email
    password: Password
    display_name: DisplayName | None = None


class Login(Schema):
    model_config = EXAMPLE

    email: Email
    password: Password


class LoginRead(BaseModel):
    token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - RFC 6750's name, no secret
    expires_at: datetime
    user: UserRead
