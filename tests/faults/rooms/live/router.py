"""Routes below /api/v1 whose connections stay open."""

import asyncio
from collections.abc import AsyncIterator

from fastapi import APIRouter, WebSocket
from fastapi.sse import EventSourceResponse

router = APIRouter(prefix="/live")


@router.websocket("/echo")
async def echo(websocket: WebSocket) -> None:
    await websocket.accept()
    async for message in websocket.iter_text():
        await websocket.send_text(message)


@router.websocket("/deaf")
async def never_receive(websocket: WebSocket) -> None:
    await websocket.accept()
    await asyncio.sleep(3600)


@router.get("/events", response_class=EventSourceResponse)
async def events() -> AsyncIterator[str]:
    yield "hello"
    await asyncio.sleep(3600)


@router.get("/slow")
async def be_slow() -> str:
    await asyncio.sleep(1)
    return "done"
