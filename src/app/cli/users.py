import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError

from app.accounts.administration import Accounts
from app.accounts.base import AccountContext
from app.accounts.outbox import Outbox
from app.accounts.passwords import hash_password, require_strong
from app.cli.local_database import local_database
from app.config import Settings, load_settings
from app.core.types import Email
from app.database.connections import Database
from app.database.unit_of_work import UnitOfWork
from app.dependencies import Client
from app.exceptions import NotFound
from app.mail import mailer
from app.security_events.log import SecurityLog
from app.users.filters import UserFilter
from app.users.models import User
from app.users.schemas import UserAdminUpdate, UserCreate


def address(email: str) -> str:
    try:
        found: str = TypeAdapter[str](Email).validate_python(email)
    except ValidationError:
        raise typer.BadParameter(f"{email} is not an email address") from None
    return found


EmailOption = Annotated[
    str, typer.Option("--email", parser=address, help="The address to sign in with.")
]
PasswordOption = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input.")
]


def create(
    email: EmailOption,
    superuser: Annotated[bool, typer.Option("--superuser", help="May manage all users.")] = False,
    password_stdin: PasswordOption = False,
) -> None:
    """Create a user, or a superuser."""
    password = _password(password_stdin)

    async def work(accounts: Accounts) -> User:
        return await accounts.create(
            UserCreate(
                email=email,
                password_hash=await _strong(accounts.settings, email, password),
                is_superuser=superuser,
            )
        )

    user = _run(work)
    print(f"Created {'superuser' if user.is_superuser else 'user'} {user.email} ({user.id})")


def list_users(
    search: Annotated[str | None, typer.Argument(help="Part of an address or name.")] = None,
) -> None:
    """List the users, by address: what they may do, and whether they can sign in."""

    async def work(accounts: Accounts) -> None:
        filters = UserFilter(search=search, order_by=["email"], size=100)
        while True:
            page = await accounts.users.list(filters)
            for user in page.items:
                role = "superuser" if user.is_superuser else "user"
                print(f"{user.id}  {role:9}  {_state(user):8}  {user.email}")
            if page.following is None:
                return
            filters = filters.at_position(page.following)

    _run(work)


def disable(email: EmailOption) -> None:
    """Sign a user out everywhere, and keep them out."""
    _update(email, UserAdminUpdate(is_active=False))


def enable(email: EmailOption) -> None:
    """Let a disabled user sign in again."""
    _update(email, UserAdminUpdate(is_active=True))


def promote(email: EmailOption) -> None:
    """Make a user a superuser."""
    _update(email, UserAdminUpdate(is_superuser=True))


def demote(email: EmailOption) -> None:
    """Make a superuser an ordinary user."""
    _update(email, UserAdminUpdate(is_superuser=False))


def reset_password(email: EmailOption, password_stdin: PasswordOption = False) -> None:
    """Give a user another password, and sign them out everywhere."""
    password = _password(password_stdin)

    async def work(accounts: Accounts) -> None:
        user = await _find(accounts, email)
        await accounts.reset_password(user, await _strong(accounts.settings, email, password))

    _run(work)
    print(f"Reset the password of {email}")


def _update(email: str, data: UserAdminUpdate) -> None:
    async def work(accounts: Accounts) -> User:
        return await accounts.update((await _find(accounts, email)).id, data)

    user = _run(work)
    print(f"{user.email} is {'a superuser' if user.is_superuser else 'a user'}, {_state(user)}")


def _state(user: User) -> str:
    return "active" if user.is_active else "disabled"


async def _find(accounts: Accounts, email: str) -> User:
    user = await accounts.users.by_email(email)
    if user is None:
        raise NotFound(f"There is no user {email}; `app user list` shows all")
    return user


def _password(from_stdin: bool) -> str:  # noqa: FBT001 - a flag of the command line
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    password: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    return password


async def _strong(settings: Settings, email: str, password: str) -> str:
    """The password's hash; raises Invalid for one that is too weak."""
    await require_strong(password, email=email, settings=settings, field="password")
    return await hash_password(password)


def _run[T](work: Callable[[Accounts], Awaitable[T]]) -> T:
    with local_database(load_settings()) as settings:
        return asyncio.run(_in_unit_of_work(settings, work))


async def _in_unit_of_work[T](settings: Settings, do: Callable[[Accounts], Awaitable[T]]) -> T:
    assert settings.database_url is not None
    database = Database(settings.database_url.get_secret_value(), settings)
    nowhere = Client(ip=None, user_agent=None)
    try:
        async with UnitOfWork(database) as work:
            outbox = Outbox(mailer(settings), settings)
            log = SecurityLog(work, ip=None)
            context = AccountContext(work, database, settings, nowhere, log, outbox)
            result = await do(Accounts(context))
            await work.commit()
        return result
    finally:
        await database.close()
