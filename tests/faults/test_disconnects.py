"""Clients go away at any moment, and take no connection with them."""

import asyncio
from random import Random

import asyncpg
import pytest
from sqlalchemy import make_url

from app.main import Application
from tests.factories import create_lamps, create_token, create_user, lamp
from tests.faults.conftest import NewApp, backends, idle_in_transaction, sign_in_to
from tests.faults.load import Send, ask, eventually
from tests.faults.servers import Server

LAMPS = "/api/v1/lamps"


@pytest.mark.parametrize("seed", [1, 2])
async def test_cancelled_requests_leave_no_connection_behind(
    new_app: NewApp, admin: "asyncpg.Connection", seed: int
) -> None:
    random = Random(seed)  # noqa: S311 - the same moments in each run
    before = await backends(admin)
    app = new_app(db_pool_size=3, db_max_overflow=2)
    async with await sign_in_to(app) as client:
        (created,) = await create_lamps(client, {})
        path = f"{LAMPS}/{created['id']}"

        sends: list[Send] = [
            lambda: client.get(LAMPS),
            lambda: client.get(path),
            lambda: client.post(LAMPS, json=lamp()),
            lambda: client.patch(path, json={"quantity": 2}),
        ]

        async def cancel_one() -> None:
            request = asyncio.create_task(ask(random.choice(sends)))
            await asyncio.sleep(random.uniform(0, 0.03))
            request.cancel()
            await asyncio.wait([request])

        for _ in range(15):
            await asyncio.gather(*(cancel_one() for _ in range(10)))
        assert app.database.in_use == 0
        assert await idle_in_transaction(admin) == 0
        assert len(await backends(admin) - before) <= 5
        responses = await asyncio.gather(*(client.get(LAMPS) for _ in range(20)))
        assert {response.status_code for response in responses} == {200}
    await app.database.close()

    async def closed() -> bool:
        return await backends(admin) <= before

    assert await eventually(closed, 10)


async def test_clients_that_hang_up_leave_the_server_its_connections(
    app: Application, server: Server, admin: "asyncpg.Connection"
) -> None:
    random = Random(3)  # noqa: S311 - the same moments in each run
    token = await create_token(app.database, await create_user(app.database, "a@example.com"))
    port = make_url(server.url).port
    head = f"HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {token}\r\n"
    body = '{"name": "Lamp", "sku": "%d", "price": 1}'

    async def hang_up(number: int) -> None:
        json = body % number
        post = f"POST {LAMPS} {head}Content-Type: application/json\r\n"
        sent = random.choice(
            [
                f"GET {LAMPS} {head}\r\n",
                f"{post}Content-Length: {len(json)}\r\n\r\n{json}",
                f"{post}Content-Length: {len(json)}\r\n\r\n{json[:9]}",
            ]
        )
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent.encode())
        await asyncio.sleep(random.uniform(0, 0.01))
        writer.transport.abort()

    for start in range(0, 150, 10):
        await asyncio.gather(*(hang_up(start + number) for number in range(10)))
    async with server.client(token) as client:
        responses = await asyncio.gather(*(client.get(LAMPS) for _ in range(40)))
    assert {response.status_code for response in responses} == {200}
    assert await idle_in_transaction(admin) == 0
