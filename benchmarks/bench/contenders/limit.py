"""L, the limit: as little as can stand between a socket and a prepared statement.

No framework, no router, no validation, no correlation id, no log line. It does check the session
token in the database, and answers a POST after its COMMIT.
"""

import asyncio
import gc
import os
from collections.abc import Awaitable, Callable
from decimal import Decimal
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

import asyncpg
import orjson

from app.core.models import uuid7
from bench.contenders import limit_sql as sql
from bench.settings import ITEMS, POOL_SIZE

type Fetch = Callable[..., Awaitable[Any]]
type Message = dict[str, Any]
type Receive = Callable[[], Awaitable[Message]]
type Send = Callable[[Message], Awaitable[None]]

HIGHEST = "99999999999,ffffffff-ffff-ffff-ffff-ffffffffffff"  # where a walk downwards begins


class Connection:
    """A connection with its statements prepared."""

    find_user: Fetch
    get: Fetch
    insert: Fetch
    first_page: Fetch
    deep_page: Fetch
    page_after: Fetch
    count: Fetch

    @classmethod
    async def open(cls) -> "Connection":
        self = cls()
        driver = await asyncpg.connect(os.environ["DATABASE_URL"], server_settings={"jit": "off"})
        self.find_user = (await driver.prepare(sql.FIND_USER)).fetchrow
        self.get = (await driver.prepare(sql.GET)).fetchrow
        self.insert = (await driver.prepare(sql.INSERT)).fetchrow
        self.first_page = (await driver.prepare(sql.FIRST_PAGE)).fetch
        self.deep_page = (await driver.prepare(sql.DEEP_PAGE)).fetch
        self.page_after = (await driver.prepare(sql.PAGE_AFTER)).fetch
        self.count = (await driver.prepare(sql.COUNT)).fetchval
        return self


class Limit:
    def __init__(self) -> None:
        self.connections: asyncio.LifoQueue[Connection] = asyncio.LifoQueue()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        connection = await self.connections.get()
        try:
            status, answer = await self._answer(connection, scope, receive)
        finally:
            self.connections.put_nowait(connection)
        body = orjson.dumps(answer)
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(body)),
        ]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _answer(
        self, connection: Connection, scope: Message, receive: Receive
    ) -> tuple[int, Any]:
        token = b""
        for name, value in scope["headers"]:
            if name == b"authorization":
                token = value[7:]
        user = await connection.find_user(sha256(token).digest())
        if user is None:
            return 401, None
        path: str = scope["path"]
        if path != ITEMS:
            row = await connection.get(UUID(path[len(ITEMS) + 1 :]), user["id"])
            return (200, dict(row)) if row else (404, None)
        if scope["method"] == "POST":
            body = (await receive())["body"]
            return 201, dict(await connection.insert(uuid7(), user["id"], *_fields(body)))
        return 200, await _list(connection, user["id"], dict(parse_qsl(scope["query_string"])))

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        for _ in range(POOL_SIZE):
            self.connections.put_nowait(await Connection.open())
        gc.collect()
        gc.freeze()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})


def _fields(body: bytes) -> tuple[Any, ...]:
    data = orjson.loads(body)
    return (
        data["name"],
        data.get("description"),
        data["sku"],
        Decimal(data["price"]),
        data["quantity"],
        data["status"],
    )


async def _list(connection: Connection, owner: UUID, query: dict[bytes, bytes]) -> Any:
    size = int(query[b"size"])
    wanted = owner, query[b"status"].decode(), int(query[b"quantity__gte"])
    if b"page" not in query and query.get(b"total") == b"none":
        price, id = query.get(b"cursor", HIGHEST.encode()).decode().split(",")
        rows = await connection.page_after(*wanted, size, Decimal(price), UUID(id))
        following = f"{rows[-1]['price']},{rows[-1]['id']}" if len(rows) == size else None
        return {"items": [dict(row) for row in rows], "next_cursor": following}
    offset = (int(query.get(b"page", 1)) - 1) * size
    page = connection.deep_page if offset else connection.first_page
    rows = await page(*wanted, size, offset)
    total = None if query.get(b"total") == b"none" else await connection.count(*wanted)
    return {"items": [dict(row) for row in rows], "total": total}


def create_app() -> Limit:
    return Limit()
