"""A network that can turn into a black hole: nothing is refused, and nothing arrives."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress


class Proxy:
    """Forwards TCP from a port of its own to one on this machine, until it is told to stall."""

    def __init__(self, target: int) -> None:
        self.port = 0
        self._target = target
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._links = set[asyncio.Task[None]]()

    def stall(self) -> None:
        self._flowing.clear()

    def resume(self) -> None:
        """What was sent meanwhile arrives late, as TCP would send it again."""
        self._flowing.set()

    async def link(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._links.add(task)
        writers = [writer]
        try:
            await self._flowing.wait()
            answers, there = await asyncio.open_connection("127.0.0.1", self._target)
            writers.append(there)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pump(reader, there))
                group.create_task(self._pump(answers, writer))
        except asyncio.CancelledError:
            pass  # by `close`; the callback of asyncio's server would log it
        finally:
            self._links.discard(task)
            for each in writers:
                each.transport.abort()
                with suppress(ConnectionError):
                    await each.wait_closed()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                await self._flowing.wait()
                writer.write(data)
                await writer.drain()
            writer.write_eof()

    async def close(self) -> None:
        links = list(self._links)
        for task in links:
            task.cancel()
        await asyncio.gather(*links, return_exceptions=True)


@asynccontextmanager
async def proxy_to(target: int) -> AsyncGenerator[Proxy]:
    proxy = Proxy(target)
    server = await asyncio.start_server(proxy.link, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        await proxy.close()
