"""One connection is enough for any route, and a pool or a server that is full says so in time."""

import asyncio
from contextlib import suppress
from typing import Any

import asyncpg
import httpx
from pydantic import SecretStr

from app.cli.embedded.server import EmbeddedPostgres
from app.main import Application
from tests.accounts.steps import NEW_PASSWORD
from tests.conftest import new_client
from tests.factories import PASSWORD, create_lamps, create_token, create_user, lamp
from tests.faults.conftest import NewApp, backends, sign_in_to
from tests.faults.load import ask, eventually
from tests.shipped import shipped_document

V1 = "/api/v1"
LAMPS = f"{V1}/lamps"
ACCOUNT = {"email": "bob@example.com", "password": PASSWORD}
CURRENT = {"current_password": PASSWORD}
BODIES: dict[str, tuple[Any, int]] = {  # and the status that it gets
    f"POST {V1}/auth/register": (ACCOUNT, 201),
    f"POST {V1}/auth/login": (ACCOUNT, 200),
    f"POST {V1}/auth/reauthenticate": (CURRENT, 200),
    f"POST {V1}/auth/email-verification": (None, 202),
    f"POST {V1}/auth/email-change": (CURRENT | {"new_email": "a@example.com"}, 202),
    f"POST {V1}/auth/password-reset": ({"email": "alice@example.com"}, 202),
    f"POST {V1}/auth/password": (CURRENT | {"new_password": NEW_PASSWORD}, 200),
    f"PATCH {V1}/users/me": ({"display_name": "Alice"}, 200),
    f"PATCH {V1}/lamps/{{lamp_id}}": ({"quantity": 3}, 200),
}
RENEWING = {f"{V1}/auth/reauthenticate", f"{V1}/auth/password"}  # of the session's token
LAST = f"DELETE {V1}/users/me"
ENDING = {f"POST {V1}/auth/logout", LAST}  # the session that the others need


def requests(app: Application, lamp_id: str) -> list[httpx.Request]:
    """One of each route, in an order in which they can succeed."""
    routes = {
        f"{method} {path}"
        for path, methods in shipped_document(app, app.openapi())["paths"].items()
        for method in map(str.upper, methods)
    }
    ordered = [*BODIES, *sorted(routes - set(BODIES) - ENDING), LAST]
    made = []
    for route in ordered:
        method, path = route.split()
        body = lamp() if route == f"POST {LAMPS}" else BODIES.get(route, (None,))[0]
        url = f"http://test{path.replace('{lamp_id}', lamp_id)}"
        made.append(httpx.Request(method, url, json=body) if body else httpx.Request(method, url))
    return made


async def test_every_route_works_on_a_single_connection(new_app: NewApp) -> None:
    app = new_app(db_pool_size=1, db_max_overflow=0)
    async with await sign_in_to(app) as client:
        (created,) = await create_lamps(client, {})
        answers = {}
        for request in requests(app, created["id"]):
            request.headers.update(client.headers)
            response = await client.send(request)
            answers[f"{request.method} {request.url.path}"] = response.status_code
            if request.url.path in RENEWING and response.status_code == 200:
                client.headers["Authorization"] = f"Bearer {response.json()['token']}"
    assert max(answers.values()) < 500, answers
    known = {route: answers[route.replace("{lamp_id}", created["id"])] for route in BODIES}
    assert known == {route: status for route, (_, status) in BODIES.items()}
    assert answers[f"POST {LAMPS}"] == 201
    assert answers[LAST] == 204
    assert app.database.in_use == 0


async def test_twenty_at_once_share_a_single_connection(new_app: NewApp) -> None:
    app = new_app(db_pool_size=1, db_max_overflow=0)

    async def live(client: httpx.AsyncClient) -> list[int]:
        created = await client.post(LAMPS, json=lamp())
        if created.status_code != 201:
            return [created.status_code]
        path = created.headers["Location"]
        responses = [
            created,
            await client.get(path),
            await client.patch(path, json={"quantity": 1}),
            await client.get(LAMPS, params={"search": created.json()["sku"]}),
            await client.delete(path),
            await client.post(f"{path}/restore"),
            await client.get(f"{V1}/users/me"),
        ]
        return [response.status_code for response in responses]

    async with await sign_in_to(app) as client:
        lives = await asyncio.gather(*(live(client) for _ in range(20)))
    statuses = [status for each in lives for status in each]
    assert set(statuses) <= {200, 201, 204, 503}
    assert statuses.count(503) < 20
    assert app.database.in_use == 0


# Over a second: passwords are hashed, forty of them.
async def test_twenty_sign_ups_and_logins_at_once_share_a_single_connection(
    new_app: NewApp,
) -> None:
    app = new_app(db_pool_size=1, db_max_overflow=0)

    async def join(number: int) -> list[int]:
        account = {"email": f"user{number}@example.com", "password": PASSWORD}
        registered = await client.post(f"{V1}/auth/register", json=account)
        login = await client.post(f"{V1}/auth/login", json=account)
        return [registered.status_code, login.status_code]

    async with new_client(app) as client:
        assert await asyncio.gather(*map(join, range(20))) == [[201, 200]] * 20


# Over a second: waits out the two that a request waits for a connection.
async def test_a_pool_that_is_used_up_is_a_503_in_time(new_app: NewApp) -> None:
    app = new_app(db_pool_size=1, db_max_overflow=0)
    async with await sign_in_to(app) as client:
        held = await app.database.acquire()
        answers = await asyncio.gather(*(ask(lambda: client.get(LAMPS)) for _ in range(5)))
        assert {answer.status for answer in answers} == {503}
        assert max(answer.seconds for answer in answers) < 2.5
        assert all(a.response and a.response.headers["Retry-After"] for a in answers)
        assert (await client.get("/health/live")).status_code == 200
        await app.database.return_to_pool(held)
        assert (await client.get(LAMPS)).status_code == 200
    assert app.database.in_use == 0


async def test_who_waits_for_a_connection_gets_the_one_that_is_given_back(
    new_app: NewApp,
) -> None:
    app = new_app(db_pool_size=1, db_max_overflow=0)
    async with await sign_in_to(app) as client:
        held = await app.database.acquire()
        waiting = asyncio.create_task(client.get(LAMPS))
        await asyncio.sleep(0.1)
        await app.database.return_to_pool(held)
        assert (await waiting).status_code == 200


async def test_connections_given_back_at_once_are_kept_or_closed(
    new_app: NewApp, admin: "asyncpg.Connection"
) -> None:
    before = await backends(admin)
    app = new_app(db_pool_size=1, db_max_overflow=2)
    held = [await app.database.acquire() for _ in range(3)]
    waiting = asyncio.create_task(app.database.acquire())
    await asyncio.sleep(0.05)
    for each in held:
        await app.database.return_to_pool(each)
    await app.database.return_to_pool(await waiting)
    assert app.database.in_use == 0
    await app.database.close()

    async def closed() -> bool:
        return await backends(admin) <= before

    assert await eventually(closed, 10)


# Over a second: a hundred connections are opened.
async def test_a_server_without_a_free_connection_is_a_503_and_recovers(
    new_app: NewApp, postgres: EmbeddedPostgres
) -> None:
    postgres.start()
    app = new_app(database_url=SecretStr(postgres.url()))
    others: list[asyncpg.Connection[Any]] = []

    async def send(times: int) -> set[int]:
        answers = await asyncio.gather(*(ask(lambda: client.get(LAMPS)) for _ in range(times)))
        assert max(answer.seconds for answer in answers) < 2.5
        return {answer.status for answer in answers}

    other_app = new_app(database_url=SecretStr(postgres.url()))  # app has no connection yet
    token = await create_token(
        other_app.database, await create_user(other_app.database, "full@example.com")
    )
    async with new_client(app, {"Authorization": f"Bearer {token}"}) as client:
        try:
            with suppress(asyncpg.TooManyConnectionsError):
                while True:
                    others.append(await asyncpg.connect(postgres.url().replace("+asyncpg", "")))
            assert await send(10) == {503}
            await others.pop().close()
            assert await send(10) <= {200, 503}
        finally:
            for other in others:
                await other.close()

        async def healthy() -> bool:
            return await send(10) == {200}

        assert await eventually(healthy, 1)
