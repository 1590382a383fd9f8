from uuid import UUID

from app.core.models import uuid7
from app.database.unit_of_work import UnitOfWork
from app.security_events.repository import RECORD, RECORD_NOW
from app.security_events.schemas import Event


class SecurityLog:
    """Records what one request does to accounts, with its address, session and user."""

    def __init__(
        self,
        work: UnitOfWork,
        ip: str | None,
        *,
        session_id: UUID | None = None,
        actor_id: UUID | None = None,
    ) -> None:
        self.work = work
        self.ip = ip
        self.session_id = session_id
        self.actor_id = actor_id

    async def record(self, event: Event, user_id: UUID, *, revoked: UUID | None = None) -> None:
        """Within the request's transaction: if that is rolled back, so is the record."""
        values = self._values(event, user_id) | {"revoked_session_id": revoked}
        await self.work.execute(RECORD, values)

    async def record_now(self, event: Event, user_id: UUID | None) -> None:
        """At once, outside of the request's transaction: the record stays if the request fails."""
        await self.work.execute(RECORD_NOW, self._values(event, user_id))

    def _values(self, event: Event, user_id: UUID | None) -> dict[str, object]:
        return {
            "id": uuid7(),
            "event": event.value,
            "user_id": user_id,
            "actor_id": self.actor_id if self.actor_id != user_id else None,
            "session_id": self.session_id,
            "ip": self.ip,
        }
