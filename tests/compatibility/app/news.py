"""What happens, as server-sent events."""

from asyncio import Queue
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.requests import HTTPConnection
from fastapi.sse import EventSourceResponse, ServerSentEvent

router = APIRouter()


class News:
    """Of one process."""

    def __init__(self) -> None:
        self._readers: set[Queue[str]] = set()

    async def tell(self, what: str) -> None:
        for each in self._readers:
            each.put_nowait(what)

    async def read(self) -> AsyncIterator[str]:
        queue = Queue[str]()
        self._readers.add(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            self._readers.remove(queue)

    @property
    def readers(self) -> int:
        return len(self._readers)


async def get_news(connection: HTTPConnection) -> News:
    news: News = connection.app.state.news
    return news


NewsDep = Annotated[News, Depends(get_news)]


@router.get("/news", response_class=EventSourceResponse)
async def read_news(news: NewsDep) -> AsyncIterator[ServerSentEvent]:
    yield ServerSentEvent(comment="here you are")
    async for what in news.read():
        yield ServerSentEvent(data=what, event="news")
