"""The desk behind a real server, with real clients."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from uuid import UUID

import httpx
import pytest

from app.main import Application
from tests.common.tables import created
from tests.compatibility.app.desk import PREFIX, make_app
from tests.compatibility.app.news import News
from tests.compatibility.app.payments import signature
from tests.compatibility.app.tickets import Reply, Ticket
from tests.compatibility.app.uploads import LIMIT
from tests.factories import PASSWORD, create_token, create_user, find_user
from tests.faults.load import eventually
from tests.live import Live, served

MIB = 1024 * 1024
FORM = {"username": "alice@example.com", "password": PASSWORD}


@pytest.fixture
async def desk(app: Application) -> AsyncIterator[Live]:
    """With the users alice and bob."""
    for name in ("alice", "bob"):
        await create_user(app.database, f"{name}@example.com")
    made = make_app(app.settings)
    async with created(app.database, Ticket, Reply), served(made) as live:
        yield live
    await made.database.close()


@pytest.fixture
async def alice(desk: Live) -> AsyncIterator[httpx.AsyncClient]:
    """Signed in with the form; her cookie is what she is known by."""
    async with desk.client() as client:
        (await client.post(f"{PREFIX}/login", data=FORM)).raise_for_status()
        yield client


async def new_ticket(client: httpx.AsyncClient) -> str:
    response = await client.post(f"{PREFIX}/tickets", json={"title": "No sound"})
    assert response.status_code == 201
    return str(UUID(response.json()))


class TestLogin:
    async def test_the_cookie_is_the_session(self, alice: httpx.AsyncClient) -> None:
        [cookie] = alice.cookies.jar
        assert (cookie.name, cookie.has_nonstandard_attr("HttpOnly")) == ("desk", True)
        assert (await alice.get(f"{PREFIX}/me")).json() == "alice@example.com"

    async def test_a_wrong_password_and_a_missing_field(self, desk: Live) -> None:
        async with desk.client() as client:
            wrong = await client.post(f"{PREFIX}/login", data=FORM | {"password": "wrong"})
            missing = await client.post(f"{PREFIX}/login", data={"username": "alice@example.com"})
        assert (wrong.status_code, wrong.json()["error"]) == (401, "invalid_credentials")
        assert not wrong.cookies
        assert (missing.status_code, missing.json()["fields"]) == (422, ["body.password"])

    async def test_anonymous(self, desk: Live) -> None:
        async with desk.client() as client:
            response = await client.get(f"{PREFIX}/me")
        assert (response.status_code, response.json()["error"]) == (401, "unauthorized")


class TestErrors:
    async def test_they_have_the_shape_of_this_api(self, alice: httpx.AsyncClient) -> None:
        response = await alice.get(f"{PREFIX}/uploads/none")
        assert response.status_code == 404
        assert response.headers["content-type"] == "application/json"
        assert response.json() == {
            "error": "not_found",
            "message": "No upload none",
            "fields": [],
            "reference": response.headers["x-correlation-id"],
        }

    async def test_v1_keeps_its_own(self, alice: httpx.AsyncClient) -> None:
        response = await alice.get("/api/v1/lamps")
        assert response.headers["content-type"] == "application/problem+json"


class TestUploads:
    async def test_others_watch_it_arrive(self, alice: httpx.AsyncClient) -> None:
        halfway = asyncio.Event()

        async def parts() -> AsyncIterator[bytes]:
            yield b"a" * 3 * MIB
            await halfway.wait()
            yield b"b" * 3 * MIB

        upload = asyncio.create_task(alice.put(f"{PREFIX}/uploads/film", content=parts()))

        async def half_is_there() -> bool:
            return await progress(alice) == 3 * MIB

        assert await eventually(half_is_there, seconds=5)
        halfway.set()
        response = await upload
        expected = hashlib.sha256(b"a" * 3 * MIB + b"b" * 3 * MIB).hexdigest()
        assert (response.status_code, response.json()) == (200, expected)
        assert await progress(alice) == 6 * MIB

    async def test_its_own_limit(self, alice: httpx.AsyncClient) -> None:
        content = b"x" * (LIMIT + 1)
        declared = await alice.put(f"{PREFIX}/uploads/large", content=content)
        streamed = await alice.put(f"{PREFIX}/uploads/large", content=chunks(content))
        for response in (declared, streamed):
            assert (response.status_code, response.json()["error"]) == (413, "payload_too_large")


async def chunks(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), MIB):
        yield content[start : start + MIB]


async def progress(client: httpx.AsyncClient) -> int | None:
    response = await client.get(f"{PREFIX}/uploads/film")
    return response.json() if response.status_code == 200 else None


class TestWebhooks:
    @pytest.mark.parametrize("path", ["payments", "anything"])
    async def test_the_bytes_are_signed(self, desk: Live, path: str) -> None:
        body = b'{ "amount":  5 }'
        headers = {"Content-Type": "application/json", "X-Signature": signature(body)}
        async with desk.client(headers=headers) as client:
            signed = await client.post(f"{PREFIX}/hooks/{path}", content=body)
            other = await client.post(f"{PREFIX}/hooks/{path}", content=body.replace(b"5", b"6"))
        assert (signed.status_code, signed.json()) == (
            200,
            5 if path == "payments" else body.decode(),
        )
        assert (other.status_code, other.json()["message"]) == (403, "The signature is wrong")


class TestTickets:
    async def test_a_repository_and_a_relationship_in_one_request(
        self, alice: httpx.AsyncClient
    ) -> None:
        ticket = await new_ticket(alice)
        response = await reply(alice, ticket, "Try again")
        assert (response.status_code, response.json()) == (
            200,
            {
                "id": ticket,
                "title": "No sound",
                "replies": [{"text": "We will see to it"}, {"text": "Try again"}],
            },
        )

    async def test_what_is_refused_is_not_written(self, alice: httpx.AsyncClient) -> None:
        ticket = await new_ticket(alice)
        answers = [await reply(alice, ticket, str(number)) for number in range(3)]
        refused = answers[-1]
        assert [each.status_code for each in answers] == [200, 200, 409]
        assert refused.headers["x-limit"] == "3"
        assert refused.json()["message"] == "A ticket has at most three replies"

    async def test_a_def_endpoint(self, alice: httpx.AsyncClient) -> None:
        response = await alice.get(f"{PREFIX}/tickets/slugs/No%20Sound")
        assert response.json() == "no-sound"


async def reply(client: httpx.AsyncClient, ticket: str, text: str) -> httpx.Response:
    return await client.post(f"{PREFIX}/tickets/{ticket}/replies", params={"text": text})


async def are_readers(desk: Live, expected: int) -> bool:
    news: News = desk.app.state.news
    return news.readers == expected


class TestNews:
    async def test_a_reader_hears_of_a_commit(self, desk: Live, alice: httpx.AsyncClient) -> None:
        async with asyncio.timeout(5), alice.stream("GET", f"{PREFIX}/news") as news:
            assert news.headers["content-type"] == "text/event-stream; charset=utf-8"
            lines = news.aiter_lines()
            assert await anext(lines) == ": here you are"
            assert await eventually(lambda: are_readers(desk, 1), seconds=5)
            await new_ticket(alice)
            assert [await anext(lines) for _ in range(3)] == [
                "",
                "event: news",
                'data: "new ticket: No sound"',
            ]

    async def test_a_reader_who_leaves_is_forgotten(
        self, desk: Live, alice: httpx.AsyncClient
    ) -> None:
        async with alice.stream("GET", f"{PREFIX}/news"):
            assert await eventually(lambda: are_readers(desk, 1), seconds=5)
        assert await eventually(lambda: are_readers(desk, 0), seconds=5)


class TestChat:
    async def test_two_users(self, desk: Live, alice: httpx.AsyncClient) -> None:
        cookie = {"Cookie": f"desk={alice.cookies['desk']}"}
        user = await find_user(desk.app.database, "bob@example.com")
        assert user is not None
        bob = await create_token(desk.app.database, user)
        async with asyncio.timeout(5):
            async with desk.connect(f"{PREFIX}/chat", headers=cookie) as hers:
                assert await hers.recv() == "alice is here"
                async with desk.connect(f"{PREFIX}/chat", bob) as his:
                    assert [await hers.recv(), await his.recv()] == ["bob is here"] * 2
                    await his.send("hello")
                    assert [await hers.recv(), await his.recv()] == ["bob: hello"] * 2
                assert await hers.recv() == "bob has left"


class TestMiddleware:
    async def test_gzip_and_two_of_its_own(self, desk: Live, alice: httpx.AsyncClient) -> None:
        response = await alice.get("/openapi.json")
        assert (response.headers["content-encoding"], response.headers["x-desk"]) == ("gzip", "1")
        assert "/desk/tickets" in response.json()["paths"]
        assert desk.app.state.counted["/openapi.json"] == 1
        await alice.get(f"{PREFIX}/me")
        assert desk.app.state.counted[f"{PREFIX}/me"] == 1
