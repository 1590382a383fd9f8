import asyncio
import json
from collections.abc import MutableMapping
from contextlib import suppress
from dataclasses import dataclass
from email.message import EmailMessage
from textwrap import indent
from time import perf_counter
from typing import Annotated, Any
from urllib.parse import unquote
from uuid import uuid4

import asyncpg
import typer
from sqlalchemy import event

from app.auth.repository import SessionRepository
from app.auth.tokens import new_token, token_hash
from app.cli.local_database import local_database
from app.cli.rolled_back import RolledBack
from app.cli.users import address
from app.config import Settings, load_settings
from app.core.repository import EVERYONE
from app.database.unit_of_work import unit_of_work
from app.exceptions import NotFound
from app.logging import configure_logging
from app.main import Application, create_app
from app.users.models import User
from app.users.repository import UserRepository
from app.users.schemas import UserCreate

type Message = MutableMapping[str, Any]

EXPLAINED = ("SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "WITH", "VALUES")


def json_text(text: str) -> str:
    try:
        json.loads(text)
    except ValueError:
        raise typer.BadParameter("is not JSON") from None
    return text


@dataclass
class Request:
    method: str
    path: str
    body: str | None


@dataclass
class Ran:
    sql: str
    parameters: Any
    started: float
    seconds: float | None = None  # None: it failed


def sql(
    method: Annotated[str, typer.Argument(help="GET, POST, …")],
    path: Annotated[
        str, typer.Argument(help="With a query, if there is one: /api/v1/items?size=5")
    ],
    email: Annotated[
        str | None,
        typer.Option("--as", parser=address, help="Who asks; without it, a temporary user."),
    ] = None,
    superuser: Annotated[
        bool, typer.Option("--superuser", help="Have the temporary user be a superuser.")
    ] = False,
    body: Annotated[
        str | None, typer.Option(help="What is sent.", parser=json_text, metavar="JSON")
    ] = None,
) -> None:
    """Run a request, and show its SQL statements with their plans. All of it is rolled back."""
    request = Request(method.upper(), f"/{path.removeprefix('/')}", body)
    with local_database(load_settings()) as settings:
        asyncio.run(_show(settings, request, email, superuser=superuser))


async def _show(
    settings: Settings, request: Request, email: str | None, *, superuser: bool
) -> None:
    configure_logging(settings.model_copy(update={"log_level": "error"}))
    assert settings.database_url is not None
    app = create_app(settings)
    assert isinstance(app, Application)
    async with RolledBack(settings.database_url.get_secret_value(), settings) as database:
        app.database, app.mailer = database, Nobody()
        user = await _user(database, email, superuser=superuser)
        token = await _sign_in(database, user, settings)
        ran = _recorded(database)
        started = perf_counter()
        status, answer = await _call(app, request, token)
        seconds = perf_counter() - started
        print(f"{request.method} {request.path}: {status} in {_ms(seconds)}, {len(ran)} statements")
        if status >= 400:
            print(answer.decode(errors="replace"))
        for each in ran:
            print(f"\n{'failed' if each.seconds is None else _ms(each.seconds)}\n{each.sql}")
            if each.sql.startswith(EXPLAINED):
                print(indent(await _plan(database, each), "    "))
    print("\nEverything was rolled back.")


class Nobody:
    """Gets no mail."""

    async def send(self, message: EmailMessage) -> None: ...


async def _user(database: RolledBack, email: str | None, *, superuser: bool) -> User:
    async with unit_of_work(database) as work:
        users = UserRepository(work, EVERYONE)
        if email is None:
            new = f"{uuid4().hex}@example.com"
            return await users.create(
                UserCreate(email=new, password_hash="", is_superuser=superuser)
            )
        user = await users.by_email(email)
        if user is None or not user.is_active:
            raise NotFound(f"There is no active user {email}; `app user list` shows all")
        return user


async def _sign_in(database: RolledBack, user: User, settings: Settings) -> str:
    token = new_token()
    async with unit_of_work(database) as work:
        sessions = SessionRepository(work)
        await sessions.create(user, token_hash(token), settings.session_absolute)
    return token


def _recorded(database: RolledBack) -> list[Ran]:
    """What is run from now on, as the listeners to the engine's events are told."""
    ran: list[Ran] = []
    engine = database.engine.sync_engine

    def before(*told: Any) -> None:
        _, _, statement, parameters, context, many = told
        context.ran = Ran(statement, parameters[0] if many else parameters, perf_counter())
        ran.append(context.ran)

    def after(*told: Any) -> None:
        found: Ran = told[4].ran
        found.seconds = perf_counter() - found.started

    event.listen(engine, "before_cursor_execute", before)
    event.listen(engine, "after_cursor_execute", after)
    return ran


async def _call(app: Application, request: Request, token: str) -> tuple[int, bytes]:
    """The status and the body of the answer."""
    path, _, query = request.path.partition("?")
    body = (request.body or "").encode()
    headers = {"host": "localhost", "authorization": f"Bearer {token}"}
    if body:
        headers |= {"content-type": "application/json", "content-length": str(len(body))}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 0),
        "server": ("localhost", 80),
        "state": {},
    }
    status, answer, sent = 0, b"", False

    async def receive() -> Message:
        nonlocal sent
        if sent:
            await asyncio.Event().wait()  # the client stays
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        nonlocal status, answer
        status = message.get("status", status)
        answer += message.get("body", b"")

    with suppress(Exception):  # which the application has logged
        await app(scope, receive, send)
    return status, answer


async def _plan(database: RolledBack, ran: Ran) -> str:
    driver = database.driver
    try:
        await driver.execute("SAVEPOINT explained")
        rows = await driver.fetch(f"EXPLAIN {ran.sql}", *ran.parameters)
    except asyncpg.PostgresError as error:
        await driver.execute("ROLLBACK TO SAVEPOINT explained")
        return f"no plan: {error}"
    return "\n".join(row[0] for row in rows)


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.2f} ms"
