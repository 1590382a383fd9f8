"""The line of one request: who asked for what from where, without a value of the query."""

from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from app.config import Settings
from app.main import Application, create_app
from tests.problems import CANARY, ME

LONG = "/" + "x" * 5000


async def line_of(
    app: Any, path: str, *, client: tuple[str, int] = ("127.0.0.1", 123), **sent: Any
) -> Any:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=client)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as caller:
        with capture_logs() as logs:
            await caller.get(path, **sent)
    [line] = [each for each in logs if each["event"] == "request"]
    return line


async def test_it_names_path_route_address_and_user(
    app: Application, alice: httpx.AsyncClient
) -> None:
    id = (await alice.get(ME)).json()["id"]
    line = await line_of(app, f"/api/v1/users/{id}", headers=alice.headers)
    assert (line["method"], line["status"]) == ("GET", 403)
    assert line["path"] == f"/api/v1/users/{id}"
    assert line["route"] == "/api/v1/users/{user_id}"
    assert line["ip"] == "127.0.0.1"
    assert str(line["user_id"]) == id


async def test_it_names_an_unknown_path_and_nobody(app: Application) -> None:
    line = await line_of(app, "/nowhere")
    assert (line["path"], line["route"], line["user_id"]) == ("/nowhere", None, None)


async def test_it_has_no_value_of_the_query(app: Application) -> None:
    line = await line_of(app, f"/api/v1/users?email={CANARY}&{CANARY}")
    assert line["path"] == "/api/v1/users"
    assert CANARY not in str(line)


@pytest.mark.parametrize(
    ("sent", "logged"),
    [
        ("/a%0Ab%1B%5B31m", "/a%0Ab%1B%5B31m"),
        ("/caf%C3%A9", "/caf%C3%A9"),
        (LONG, LONG[:1024]),
    ],
    ids=["control characters", "UTF-8", "long"],
)
async def test_the_path_is_as_it_was_sent(app: Application, sent: str, logged: str) -> None:
    assert (await line_of(app, sent))["path"] == logged


@pytest.mark.parametrize("sent", [b"/a\x9bm", None], ids=["raw bytes", "no raw path"])
async def test_the_path_is_printable_whatever_the_server_tells(
    app: Application, sent: bytes | None
) -> None:
    async def told(scope: Any, receive: Any, send: Any) -> None:
        scope = {**scope, "path": "/a\x9bm", "raw_path": sent}
        await app(scope, receive, send)

    line = await line_of(told, "/")
    assert line["path"].isascii()
    assert line["path"].isprintable()


@pytest.mark.parametrize(
    ("forwarded", "ip"),
    [("203.0.113.7", "203.0.113.7"), ("2001:DB8::1", "2001:db8::1"), ("\x1b[31m", None)],
    ids=["IPv4", "IPv6", "no address"],
)
async def test_the_address_is_that_of_the_proxys_client(
    settings: Settings, forwarded: str, ip: str | None
) -> None:
    app = create_app(settings.model_copy(update={"trusted_proxies": ["10.0.0.1"]}))
    headers = {"X-Forwarded-For": forwarded}
    behind = await line_of(app, "/health/live", client=("10.0.0.1", 1), headers=headers)
    beside = await line_of(app, "/health/live", client=("10.0.0.2", 1), headers=headers)
    assert (behind["ip"], beside["ip"]) == (ip, "10.0.0.2")
