"""WebSockets from a client's side: the handshake, the messages, and how it ends."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from fastapi import APIRouter, Depends, WebSocket, WebSocketDisconnect, WebSocketException
from structlog.testing import capture_logs

from app.auth.dependencies import CurrentSession, CurrentUser
from app.config import Settings
from app.dependencies import UnitsOfWork
from app.exceptions import NotFound, ServiceUnavailable
from app.main import Application
from tests.dispatch.conftest import PREFIX, application, close_code, refused
from tests.factories import lamp
from tests.faults.load import eventually
from tests.lamps.dependencies import Lamps
from tests.lamps.models import LampStatus
from tests.lamps.repository import LampRepository
from tests.lamps.schemas import LampCreate
from tests.live import Live, served
from tests.problems import read_problem

router = APIRouter()
LATER: dict[str, Exception] = {
    "missing": NotFound(),
    "away": ServiceUnavailable(),
    "chosen": WebSocketException(4321, "because"),
    "defect": KeyError("canary"),
}


@router.websocket("/echo/{room}")
async def echo(websocket: WebSocket, room: int, user: CurrentUser) -> None:
    await websocket.accept()
    while True:  # until WebSocketDisconnect, which is no defect
        message = await websocket.receive_text()
        await websocket.send_text(f"{room} {user.email}: {message}")


@router.websocket("/offered")
async def tell_what_was_offered(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_json([websocket.scope["subprotocols"], websocket.headers.items()])


@router.websocket("/chosen")
async def choose(websocket: WebSocket) -> None:
    await websocket.accept(subprotocol="chat")


@router.websocket("/closing")
async def close_at_once(websocket: WebSocket) -> None:
    await websocket.close(1008)


@router.websocket("/silent")
async def never_accept() -> None:
    await asyncio.sleep(60)


@router.websocket("/failing")
async def fail() -> None:
    raise KeyError("canary")


@router.websocket("/raising/{what}")
async def raise_later(websocket: WebSocket, what: str) -> None:
    await websocket.accept()
    raise LATER[what]


async def create_lamp(lamps: Lamps) -> None:
    await lamps.create(LampCreate.model_validate(lamp()))


@router.websocket("/created", dependencies=[Depends(create_lamp)])
async def accept_or_not(websocket: WebSocket, accept: int) -> None:
    if not accept:
        raise NotFound
    await websocket.accept()


def require_open(created: LampCreate) -> None:
    if created.status is LampStatus.ARCHIVED:
        raise NotFound


@router.websocket("/lamps")
async def create_each(websocket: WebSocket, session: CurrentSession, units: UnitsOfWork) -> None:
    await websocket.accept()
    database = websocket.app.database
    async for message in websocket.iter_text():
        try:
            async with units() as work:
                created = LampCreate.model_validate_json(message)
                await LampRepository(work, session.user_id).create(created)
                require_open(created)
        except NotFound:
            await websocket.send_text("undone")
        else:
            await websocket.send_text(f"done, with {database.in_use} connections")


@pytest.fixture(scope="module")
async def live(settings: Settings) -> AsyncIterator[Live]:
    changes = {"request_timeout": 1.5, "cors_origins": ["https://app.example"]}
    async with served(application(router, settings, **changes)) as live:
        yield live


async def test_messages_in_both_directions(live: Live, token: str) -> None:
    async with live.connect(f"{PREFIX}/echo/7", token) as socket:
        for word in ("one", "two"):
            await socket.send(word)
            assert await socket.recv() == f"7 alice@example.com: {word}"


async def test_two_users_at_once(live: Live, token: str, other_token: str) -> None:
    async with (
        live.connect(f"{PREFIX}/echo/1", token) as alice,
        live.connect(f"{PREFIX}/echo/1", other_token) as bob,
    ):
        await alice.send("hello")
        await bob.send("hello")
        assert await alice.recv() == "1 alice@example.com: hello"
        assert await bob.recv() == "1 bob@example.com: hello"


class TestHandshake:
    async def test_anonymous(self, live: Live) -> None:
        response = await refused(live, "/echo/7")
        read_problem(response, 401, "UNAUTHORIZED")
        assert response.headers["WWW-Authenticate"] == "Bearer"
        assert response.headers["Cache-Control"] == "no-store"

    async def test_a_wrong_token(self, live: Live) -> None:
        response = await refused(live, "/echo/7", "plinth_canary")
        read_problem(response, 401, "UNAUTHORIZED")
        assert response.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'

    @pytest.mark.parametrize("path", ["/nowhere", "/echo/7/more", "/closing%0A"])
    async def test_an_unknown_path(self, live: Live, token: str, path: str) -> None:
        read_problem(await refused(live, path, token), 404, "NOT_FOUND")

    async def test_a_path_that_is_no_websocket(self, live: Live, token: str) -> None:
        response = await refused(live, "/../v1/lamps", token)
        read_problem(response, 404, "NOT_FOUND")

    async def test_an_unknown_parameter(self, live: Live, token: str) -> None:
        response = await refused(live, "/echo/7?room=8", token)
        problem = read_problem(response, 422, "UNKNOWN_PARAMETER")
        assert problem["errors"][0]["loc"] == ["query", "room"]

    async def test_a_wrong_value(self, live: Live, token: str) -> None:
        response = await refused(live, "/echo/canary", token)
        problem = read_problem(response, 422, "VALIDATION_ERROR")
        assert problem["errors"][0]["loc"] == ["path", "room"]
        assert "canary" not in response.text

    async def test_an_endpoint_that_closes_and_did_not_accept(self, live: Live, token: str) -> None:
        read_problem(await refused(live, "/closing", token), 403, "FORBIDDEN")

    async def test_an_endpoint_that_never_accepts(self, live: Live, token: str) -> None:
        response = await refused(live, "/silent", token)
        read_problem(response, 503, "SERVICE_UNAVAILABLE")

    async def test_an_endpoint_that_fails(self, live: Live, token: str) -> None:
        with capture_logs() as logs:
            response = await refused(live, "/failing", token)
        read_problem(response, 500, "INTERNAL_ERROR")
        assert "canary" not in response.text
        defect, request = logs
        assert (defect["event"], defect["log_level"]) == ("unhandled_exception", "error")
        assert request["status"] == 500
        assert request["correlation_id"] == response.headers["X-Correlation-ID"]

    async def test_the_answer_carries_the_correlation_id(self, live: Live, token: str) -> None:
        headers = {"X-Correlation-ID": "of-the-client"}
        async with live.connect(f"{PREFIX}/echo/1", token, headers=headers) as socket:
            assert socket.response is not None
            assert socket.response.headers["X-Correlation-ID"] == "of-the-client"

    async def test_what_dependencies_wrote_is_committed_by_the_time_it_is_accepted(
        self, live: Live, token: str
    ) -> None:
        read_problem(await refused(live, "/created?accept=0", token), 404, "NOT_FOUND")
        async with live.client(token) as client:
            assert (await client.get("/api/v1/lamps")).json()["total"] == 0
            async with live.connect(f"{PREFIX}/created?accept=1", token):
                assert (await client.get("/api/v1/lamps")).json()["total"] == 1


class TestOrigin:
    @pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
    async def test_a_page_of_another_site_is_refused(
        self, live: Live, token: str, origin: str
    ) -> None:
        response = await refused(live, "/echo/1", token, headers={"Origin": origin})
        read_problem(response, 403, "FORBIDDEN")

    @pytest.mark.parametrize(
        ("origin", "host"),
        [
            ("https://app.example", "api.example"),  # one of CORS_ORIGINS
            ("https://api.example", "api.example"),
            ("https://api.example", "api.example:443"),
            ("http://api.example:8000", "api.example:8000"),
        ],
    )
    async def test_a_page_of_ones_own_is_not(
        self, live: Live, token: str, origin: str, host: str
    ) -> None:
        path, headers = f"{PREFIX}/echo/1", {"Origin": origin}
        async with live.connect(path, token, headers=headers, host=host) as socket:
            await socket.send("hello")
            assert await socket.recv()


class TestBearer:
    """What a browser sends, which cannot set the Authorization header."""

    def offer(self, token: str, *others: str) -> Any:
        return {"subprotocols": ["plinth", f"plinth.bearer.{token}", *others]}

    async def test_the_token_as_a_subprotocol(self, live: Live, token: str) -> None:
        async with live.connect(f"{PREFIX}/echo/1", **self.offer(token)) as socket:
            assert socket.response is not None
            assert socket.response.headers["Sec-WebSocket-Protocol"] == "plinth"
            assert token not in str(socket.response.headers)
            await socket.send("hello")
            assert await socket.recv() == "1 alice@example.com: hello"

    async def test_a_wrong_one(self, live: Live) -> None:
        response = await refused(live, "/echo/1", **self.offer("plinth_canary"))
        read_problem(response, 401, "UNAUTHORIZED")

    async def test_is_not_offered_to_the_endpoint(self, live: Live, token: str) -> None:
        async with live.connect(f"{PREFIX}/offered", **self.offer(token, "chat")) as socket:
            offered, headers = json.loads(await socket.recv())
        assert offered == ["plinth", "chat"]
        assert ["sec-websocket-protocol", "plinth, chat"] in headers
        assert ["authorization", f"Bearer {token}"] in headers

    async def test_an_endpoint_chooses_for_itself(self, live: Live, token: str) -> None:
        async with live.connect(f"{PREFIX}/chosen", **self.offer(token, "chat")) as socket:
            assert socket.subprotocol == "chat"

    async def test_the_header_comes_first(self, live: Live, token: str) -> None:
        offer = self.offer("plinth_canary")
        async with live.connect(f"{PREFIX}/echo/1", token, **offer) as socket:
            assert socket.subprotocol == "plinth"


@pytest.mark.parametrize(
    ("what", "code"), [("missing", 4404), ("away", 1013), ("chosen", 4321), ("defect", 1011)]
)
async def test_an_error_after_the_handshake_closes(
    live: Live, token: str, what: str, code: int
) -> None:
    async with live.connect(f"{PREFIX}/raising/{what}", token) as socket:
        assert await close_code(socket) == code


async def test_an_endpoint_that_returns_closes(live: Live, token: str) -> None:
    async with live.connect(f"{PREFIX}/offered", token) as socket:
        assert await close_code(socket) == 1000


async def test_each_message_is_a_unit_of_work(live: Live, token: str) -> None:
    async with live.client(token) as client, live.connect(f"{PREFIX}/lamps", token) as socket:
        for status, answer in (
            ("active", "done, with 0 connections"),
            ("archived", "undone"),
            ("draft", "done, with 0 connections"),
        ):
            await socket.send(json.dumps(lamp(status=status)))
            assert await socket.recv() == answer
        lamps = (await client.get("/api/v1/lamps")).json()["items"]
    assert {each["status"] for each in lamps} == {"active", "draft"}


async def test_a_message_that_is_too_large_closes(live: Live, token: str) -> None:
    async with live.connect(f"{PREFIX}/echo/1", token) as socket:
        await socket.send("x" * 65_000)
        assert len(await socket.recv()) > 65_000
        await socket.send(["x" * 40_000, "x" * 40_000])  # in two frames
        assert await close_code(socket) == 1009


async def holds(logs: Sequence[Any]) -> bool:
    return len(logs) > 0


async def test_the_log_has_one_line(live: Live, token: str) -> None:
    with capture_logs() as logs:
        async with live.connect(f"{PREFIX}/echo/1", token) as socket:
            for _ in range(3):
                await socket.send("hello")
                await socket.recv()
            await socket.close(3000)
        assert await eventually(lambda: holds(logs), 10)
    [line] = logs
    assert line["duration_ms"] > 0
    assert line["user_id"]
    for name in ("duration_ms", "db_ms", "user_id", "correlation_id"):
        del line[name]
    assert line == {
        "event": "request",
        "log_level": "info",
        "method": "WEBSOCKET",
        "path": f"{PREFIX}/echo/1",
        "ip": "127.0.0.1",
        "route": f"{PREFIX}/echo/{{room}}",
        "status": 101,
        "db_statements": 2,
        "close_code": 3000,
        "messages_in": 3,
        "messages_out": 3,
    }


@pytest.mark.filterwarnings("ignore::starlette.exceptions.StarletteDeprecationWarning")
def test_starlettes_test_client(app: Application, token: str) -> None:
    from starlette.testclient import TestClient, WebSocketDenialResponse  # noqa: PLC0415 - warns

    headers = {"Authorization": f"Bearer {token}"}
    path = f"{PREFIX}/echo/1"
    with TestClient(application(router, app.settings)) as client:

        def talk() -> None:
            with client.websocket_connect(path, headers=headers) as socket:
                socket.send_text("hello")
                assert socket.receive_text() == "1 alice@example.com: hello"

        with pytest.raises(WebSocketDisconnect):  # which this endpoint leaves to the server
            talk()
        with pytest.raises(WebSocketDenialResponse) as raised, client.websocket_connect(path):
            pass
    assert raised.value.status_code == 401
