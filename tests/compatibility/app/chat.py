"""Everybody who is connected hears what anybody says."""

from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from app.auth.dependencies import CurrentUser

router = APIRouter()


class Room:
    def __init__(self) -> None:
        self._sockets: set[WebSocket] = set()

    async def __call__(self, websocket: WebSocket, name: str) -> None:
        await websocket.accept()
        self._sockets.add(websocket)
        await self.say(f"{name} is here")
        try:
            async for text in websocket.iter_text():
                await self.say(f"{name}: {text}")
        except WebSocketDisconnect:
            pass
        finally:
            self._sockets.remove(websocket)
            await self.say(f"{name} has left")

    async def say(self, text: str) -> None:
        for each in self._sockets:
            await each.send_text(text)


@router.websocket("/chat")
async def chat(websocket: WebSocket, user: CurrentUser) -> None:
    room: Room = websocket.app.state.room
    await room(websocket, user.email.partition("@")[0])
