"""A service that knows breached passwords is told as little as possible, and may fail."""

import asyncio
from collections.abc import AsyncIterator
from hashlib import sha1

import httpx
import pytest
from structlog.testing import capture_logs

from app.accounts.breaches import is_breached
from app.main import Application
from tests.accounts.steps import AUTH, EMAIL, refused_fields
from tests.accounts.throttling import client_at, throttling
from tests.factories import PASSWORD
from tests.ports import free_port

DIGEST = sha1(PASSWORD.encode(), usedforsecurity=False).hexdigest().upper()
OTHER = "0" * 35


class Service:
    """Answers `answer` to each request, or never if that is None."""

    def __init__(self) -> None:
        self.answer: str | None = ""
        self.status = 200
        self.asked: list[str] = []
        self.url = ""
        self.writers: list[asyncio.StreamWriter] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        self.asked.append((await reader.readuntil(b"\r\n\r\n")).decode())
        if self.answer is not None:
            head = f"HTTP/1.1 {self.status} X\r\nContent-Length: {len(self.answer)}\r\n\r\n"
            writer.write((head + self.answer).encode())
            await writer.drain()
            writer.close()


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    service = Service()
    server = await asyncio.start_server(service.serve, "127.0.0.1", 0)
    service.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield service
    for each in service.writers:
        each.close()
    server.close()


async def test_a_password_of_a_breach_is_refused(app: Application, service: Service) -> None:
    service.answer = f"{OTHER}:7\r\n{DIGEST[5:]}:3\r\n"
    async with throttling(app, password_breach_url=service.url) as asking, client_at(asking) as it:
        account = {"email": EMAIL, "password": PASSWORD}
        refused = await it.post(f"{AUTH}/register", json=account)
        assert refused_fields(refused) == [("password", "password_breached")]
        service.answer = f"{OTHER}:7\r\n"
        assert (await it.post(f"{AUTH}/register", json=account)).status_code == 201


async def test_nobody_is_asked_by_default(client: httpx.AsyncClient, service: Service) -> None:
    account = {"email": EMAIL, "password": PASSWORD}
    assert (await client.post(f"{AUTH}/register", json=account)).status_code == 201
    assert service.asked == []


async def test_five_digits_of_the_hash_are_told(service: Service) -> None:
    await is_breached(PASSWORD, service.url)
    [asked] = service.asked
    assert asked.startswith(f"GET /range/{DIGEST[:5]} HTTP/1.1\r\n")
    assert "add-padding: true" in asked.lower()
    assert DIGEST[5:11] not in asked


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (f"{DIGEST[5:]}:1", True),
        (f"{DIGEST[5:].lower()}:10\n", True),
        (f"{DIGEST[5:]}:0\r\n", False),  # padding
        ("", False),
        ("<html>busy</html>", False),
    ],
)
async def test_what_an_answer_means(service: Service, answer: str, *, expected: bool) -> None:
    service.answer = answer
    assert await is_breached(PASSWORD, service.url) is expected


@pytest.mark.parametrize("failure", ["silent", "away", "an error"])
async def test_a_service_that_fails_keeps_nobody_out(service: Service, failure: str) -> None:
    service.answer = None if failure == "silent" else f"{DIGEST[5:]}:3"
    service.status = 503
    url = f"http://127.0.0.1:{free_port()}" if failure == "away" else service.url
    started = asyncio.get_running_loop().time()
    with capture_logs() as logs:
        assert not await is_breached(PASSWORD, url)
    assert asyncio.get_running_loop().time() - started < 10
    assert [each["event"] for each in logs] == ["breach_check_failed"]
    assert DIGEST[:5] not in str(logs)
