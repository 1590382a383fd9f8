"""A client that sends bytes as it likes, to the server of a test."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.live import Live

PATIENCE = 20  # seconds for what comes at once


class Connection:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def send_until_refused(self, data: bytes, times: int) -> int:
        """How many times it could be sent."""
        for sent in range(times):
            try:
                await self.send(data)
            except ConnectionError:
                return sent
        return times

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        async with asyncio.timeout(PATIENCE):
            head = (await self._reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
            body = await self._reader.readexactly(int(headers["content-length"]))
        return int(head[0].split()[1]), headers, body

    async def refusal(self) -> tuple[int, str]:
        """The status and the detail of an answer after which the connection is closed."""
        status, headers, body = await self.answer()
        problem = json.loads(body)
        assert headers["content-type"] == "application/problem+json"
        assert headers["connection"] == "close"
        assert headers["x-correlation-id"] == problem["correlation_id"]
        assert await self.ended()
        return status, problem["detail"]

    async def ended(self) -> bool:
        async with asyncio.timeout(PATIENCE):
            try:
                return await self._reader.read() == b""
            except ConnectionError:
                return True


@asynccontextmanager
async def connected(live: Live) -> AsyncIterator[Connection]:
    reader, writer = await asyncio.open_connection("127.0.0.1", live.port)
    try:
        yield Connection(reader, writer)
    finally:
        writer.close()
