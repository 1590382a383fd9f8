"""The code of docs/websockets.md does what the page says."""

from collections.abc import AsyncIterator
from typing import Any

from app.config import Settings
from app.database.migrations import ROOT
from tests.cli.sessions import File, steps
from tests.dispatch.conftest import PREFIX, Serve
from tests.live import Live

PAGE = ROOT / "docs/websockets.md"
CHAT = f"{PREFIX}/chat"


async def served_page(serve: Serve) -> Live:
    [code] = [each for each in steps(PAGE.read_text()) if isinstance(each, File)]
    module: dict[str, Any] = {"__name__": "chat"}
    # The example entity may have been removed.
    text = code.text.replace("app.items.", "tests.lamps.").replace("Item", "Lamp")
    exec(compile(text, code.path, "exec"), module)  # noqa: S102 - ours
    return await serve(module["router"])


async def next_event(lines: AsyncIterator[str]) -> dict[str, str]:
    event: dict[str, str] = {}
    async for line in lines:
        if not line and event:
            return event
        name, _, value = line.partition(": ")
        if name:
            event[name] = value
    raise AssertionError("The stream has ended")


async def test_its_chat(serve: Serve, token: str, other_token: str) -> None:
    live = await served_page(serve)
    subprotocols = ["plinth", f"plinth.bearer.{other_token}"]  # as a browser does
    async with (
        live.client(token) as client,
        client.stream("GET", f"{CHAT}/count") as stream,
        live.connect(f"{CHAT}/lobby", token) as alice,
        live.connect(f"{CHAT}/lobby", subprotocols=subprotocols) as bob,
    ):
        events = stream.aiter_lines()
        assert await next_event(events) == {"data": '{"items": 0}', "id": "0"}
        await alice.send("A lamp")
        for each in (alice, bob):
            assert await each.recv() == "alice@example.com: A lamp"
        await bob.send("A rug")
        for each in (alice, bob):
            assert await each.recv() == "bob@example.com: A rug"
        assert await next_event(events) == {"data": '{"items": 1}', "id": "1"}  # her own
        lamps = (await client.get("/api/v1/lamps")).json()["items"]
        assert [each["name"] for each in lamps] == ["A lamp"]


def test_its_defaults() -> None:
    text = PAGE.read_text()
    fields = Settings.model_fields
    assert fields["max_message_size"].default == 64 * 1024
    for name in ("max_open_connections", "max_open_connections_per_user"):
        assert f"| `{name.upper()}` | {fields[name].default} in each worker" in text
    assert f"| `WEBSOCKET_IDLE` | {fields['websocket_idle'].default:.0f} seconds" in text
    assert f"| `REQUEST_TIMEOUT` | {fields['request_timeout'].default:.0f} seconds" in text
    assert (
        f"`SESSION_CHECK_INTERVAL` ({fields['session_check_interval'].default:.0f} seconds)" in text
    )
