import asyncio
import sys
from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError

from app.auth.passwords import hash_password, require_strong
from app.cli.local_database import local_database
from app.config import Settings, load_settings
from app.core.repository import EVERYONE
from app.core.schemas import Email
from app.database import Database
from app.users.models import User
from app.users.repository import UserRepository
from app.users.schemas import UserCreate

cli = typer.Typer(no_args_is_help=True, help="Look after the accounts.")


@cli.callback()
def describe() -> None:
    """Look after the accounts."""


@cli.command()
def create(
    email: Annotated[str, typer.Option(help="The address to sign in with.")],
    superuser: Annotated[bool, typer.Option("--superuser", help="May see all users.")] = False,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
) -> None:
    """Create a user, whose address counts as verified."""
    try:
        address: str = TypeAdapter[str](Email).validate_python(email)
    except ValidationError:
        raise typer.BadParameter(f"{email} is not an email address") from None
    if password_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    with local_database(load_settings()) as settings:
        user = asyncio.run(_create(settings, address, password, superuser=superuser))
    print(f"Created {'superuser' if user.is_superuser else 'user'} {user.email} ({user.id})")


async def _create(settings: Settings, email: str, password: str, *, superuser: bool) -> User:
    minimum = settings.password_min_length
    await require_strong(password, email=email, minimum=minimum, field="password")
    data = UserCreate(
        email=email, password_hash=await hash_password(password), is_superuser=superuser
    )
    assert settings.database_url is not None
    database = Database(settings.database_url.get_secret_value(), settings)
    try:
        async with database.unit_of_work() as work:
            user = await UserRepository(work, EVERYONE).create(data)
            await work.commit()
    finally:
        await database.close()
    return user
