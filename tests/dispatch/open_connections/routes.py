"""Endpoints that stay open, and which of them began and ended."""

import asyncio
from collections.abc import AsyncIterator

from fastapi import APIRouter, WebSocket
from fastapi.responses import StreamingResponse
from fastapi.sse import EventSourceResponse

from app.auth.dependencies import CurrentSession

router = APIRouter()
public = APIRouter()

BEGAN: list[str] = []
ENDED: list[str] = []


@router.websocket("/echo")
@public.websocket("/echo")
async def echo(websocket: WebSocket) -> None:
    await websocket.accept()
    async for message in websocket.iter_text():
        await websocket.send_text(message)


@router.websocket("/deaf")
async def never_receive(websocket: WebSocket) -> None:
    await websocket.accept()
    BEGAN.append("deaf")
    try:
        await asyncio.sleep(60)
    finally:
        ENDED.append("deaf")


@router.get("/events", response_class=EventSourceResponse)
@public.get("/events", response_class=EventSourceResponse)
async def events() -> AsyncIterator[str]:
    BEGAN.append("events")
    try:
        while True:
            yield "tick"
            await asyncio.sleep(0.02)
    finally:
        ENDED.append("events")


@router.get("/returned")
async def events_that_are_returned(_: CurrentSession) -> StreamingResponse:
    return StreamingResponse(ticks(), media_type="text/event-stream")


@router.get("/export")
async def export() -> AsyncIterator[dict[str, int]]:
    """Lines of JSON, which a client would take for whole."""
    try:
        for number in range(10_000):
            yield {"number": number}
            await asyncio.sleep(0.02)
    finally:
        ENDED.append("export")


@router.get("/slow")
async def be_slow() -> str:
    BEGAN.append("slow")
    await asyncio.sleep(0.5)
    return "done"


async def ticks() -> AsyncIterator[str]:
    BEGAN.append("returned")
    try:
        while True:
            yield "data: tick\n\n"
            await asyncio.sleep(0.02)
    finally:
        ENDED.append("returned")
