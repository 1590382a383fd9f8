"""How many of the pool's connections one user may hold. Who holds as many waits for their own."""

import asyncio
from collections import deque
from uuid import UUID

from app.exceptions import RateLimited

RETRY_AFTER = 1  # seconds

type Unit = object
"""What holds one connection."""


class Shares:
    """Those of the users of one process.

    Users are counted only while they hold more connections, all together, than one of them may.
    """

    def __init__(self, limit: int, patience: float) -> None:
        self._limit = limit
        self._patience = patience
        self._holding: dict[Unit, UUID] = {}
        self._waiting: deque[tuple[UUID, asyncio.Event]] = deque()

    def __len__(self) -> int:
        return len(self._holding) + len(self._waiting)

    def take(self, unit: Unit, user_id: UUID) -> bool:
        """Count a connection; False if the user holds as many as they may."""
        if len(self._holding) >= self._limit and self._held_by(user_id) >= self._limit:
            return False
        self._holding[unit] = user_id
        return True

    async def wait(self, unit: Unit, user_id: UUID) -> None:
        """Count a connection, as soon as there may be one; raises RateLimited."""
        if self.take(unit, user_id):
            return
        turn = user_id, asyncio.Event()
        self._waiting.append(turn)
        try:
            async with asyncio.timeout(self._patience):
                while not self.take(unit, user_id):
                    turn[1].clear()
                    await turn[1].wait()
        except TimeoutError:
            message = "Too many requests at once: wait for the answers of others"
            raise RateLimited(RETRY_AFTER, message) from None
        finally:
            self._waiting.remove(turn)
            self._wake(user_id)  # whoever came after may have their turn

    def leave(self, unit: Unit) -> None:
        """The unit has returned its connection, if it was counted."""
        user_id = self._holding.pop(unit, None)
        if self._waiting and user_id is not None:
            self._wake(user_id)

    def _held_by(self, user_id: UUID) -> int:
        return sum(each == user_id for each in self._holding.values())

    def _wake(self, user_id: UUID) -> None:
        for waiting, turn in self._waiting:
            if waiting == user_id:
                turn.set()
                return
