from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from app.main import Application
from tests.contract.hostile_input.refusals import Ask, Header


@pytest.fixture
def ask(app: Application, alice: httpx.AsyncClient) -> Ask:
    """Send what no proper client does, as alice unless another Authorization is given."""

    async def ask(
        method: str,
        path: str,
        *,
        query: bytes = b"",
        headers: Sequence[Header] = (),
        body: bytes = b"",
    ) -> httpx.Response:
        answer: list[Any] = []
        pending = [{"type": "http.request", "body": body}]
        token = [(b"authorization", alice.headers["Authorization"].encode())]
        if any(name == b"authorization" for name, _ in headers):
            token = []

        async def receive() -> dict[str, Any]:
            return pending.pop() if pending else {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            answer.append(message)

        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode("utf-8", "surrogatepass"),
            "query_string": query,
            "root_path": "",
            "headers": [*headers, (b"host", b"test"), *token],
            "server": ("test", 80),
            "client": ("127.0.0.1", 1),
        }
        await app(scope, receive, send)
        content = b"".join(message["body"] for message in answer[1:])
        return httpx.Response(answer[0]["status"], headers=answer[0]["headers"], content=content)

    return ask
