"""Requests: as bytes for the load to send, and one at a time to look at the answers."""

from http.client import HTTPConnection
from typing import Any

import orjson

HOST = "127.0.0.1"


def raw(method: str, path: str, token: str, body: str = "") -> str:
    head = f"{method} {path} HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Bearer {token}\r\n"
    if body:
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return f"{head}\r\n{body}"


class Api:
    def __init__(self, port: int) -> None:
        self._connection = HTTPConnection(HOST, port, timeout=120)

    def get(self, path: str, token: str) -> tuple[int, Any]:
        return self._ask("GET", path, token)

    def post(self, path: str, token: str, body: str) -> tuple[int, Any]:
        return self._ask("POST", path, token, body)

    def close(self) -> None:
        self._connection.close()

    def _ask(self, method: str, path: str, token: str, body: str | None = None) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._connection.request(method, path, body, headers)
        response = self._connection.getresponse()
        content = response.read()
        try:
            return response.status, orjson.loads(content)
        except orjson.JSONDecodeError:
            return response.status, content.decode(errors="replace")
