"""Plinth's route, from the request's bytes to the answer's: only the socket is left out."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from app.auth.repository import SessionRepository
from app.auth.tokens import new_token, token_hash
from app.config import load_settings
from app.core.repository import EVERYONE
from app.database.unit_of_work import UnitOfWork
from app.logging import configure_logging
from app.main import Application, collect_less_garbage, create_app
from app.users.repository import UserRepository
from bench.settings import ITEMS
from bench.upserts.protocol import Upsert


async def open_upsert() -> Upsert:
    settings = load_settings().model_copy(update={"log_level": "warning"})
    configure_logging(settings)  # standard output is where the answers go
    app = create_app(settings)
    assert isinstance(app, Application)
    collect_less_garbage()
    tokens: dict[UUID, str] = {}

    async def upsert(owner: UUID, body: bytes) -> None:
        if owner not in tokens:
            tokens[owner] = await _sign_in(app, owner)
        headers = {
            "authorization": f"Bearer {tokens[owner]}",
            "content-type": "application/json",
            "content-length": str(len(body)),
        }
        messages: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b'{"items":' + body + b"}", "more_body": False}

        async def send(message: Any) -> None:
            messages.append(message)

        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": "PUT",
            "scheme": "http",
            "path": f"{ITEMS}/bulk",
            "raw_path": f"{ITEMS}/bulk".encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
        }
        await app(scope, receive, send)
        if messages[0]["status"] != 200:
            raise RuntimeError(str(messages)[:1000])

    return upsert


async def _sign_in(app: Application, owner: UUID) -> str:
    token = new_token()
    async with UnitOfWork(app.database) as work:
        user = await UserRepository(work, EVERYONE).get(owner)
        assert user is not None
        created = await SessionRepository(work).create(user, token_hash(token), timedelta(days=1))
        assert created is not None
        await work.commit()
    return token
