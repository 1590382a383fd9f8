from collections.abc import AsyncGenerator, Sequence
from uuid import UUID

from app.accounts.base import AccountService
from app.accounts.export import export
from app.accounts.schemas import SessionRead
from app.auth.repository import LiveSession
from app.core.repository import Versions
from app.exceptions import Conflict, NotFound, ReauthenticationRequired
from app.security_events.schemas import Event
from app.users.models import User
from app.users.schemas import UserAdminUpdate, UserCreate, UserUpdate

NEEDED = "This is the last superuser: make somebody else one first"


class Accounts(AccountService):
    """What superusers do to accounts, and users to their own.

    Raises Conflict for whatever would leave no superuser who can sign in.
    """

    async def create(self, data: UserCreate) -> User:
        """Raises Conflict for an address that is taken."""
        user = await self.users.create(data)
        await self.log.record(Event.REGISTERED, user.id)
        if user.is_superuser:
            await self.log.record(Event.USER_PROMOTED, user.id)
        return user

    async def update_by(
        self,
        session: LiveSession,
        id: UUID,
        data: UserAdminUpdate,
        versions: Versions | None = None,
    ) -> User:
        """As `update`; raises ReauthenticationRequired too, unless only the name changes."""
        if data.model_fields_set - UserUpdate.model_fields.keys():
            _require_fresh(session)
        return await self.update(id, data, versions)

    async def update(
        self, id: UUID, data: UserAdminUpdate, versions: Versions | None = None
    ) -> User:
        """Raises NotFound, PreconditionFailed and Conflict."""
        superusers = await self.users.lock_superusers()
        before = await self.users.lock(id)
        after = await self.users.update(id, data, versions)
        if before is None or after is None:
            raise _missing(id)
        if not (after.is_superuser and after.is_active):
            _require_another(superusers, id)
        if not after.is_active:
            await self.revoke_all(id)
        for event in _changes(before, after):
            await self.log.record(event, id)
        return after

    async def delete_by(
        self, session: LiveSession, id: UUID, versions: Versions | None = None
    ) -> None:
        """As `delete`; raises ReauthenticationRequired too."""
        _require_fresh(session)
        await self.delete(id, versions)

    async def delete(self, id: UUID, versions: Versions | None = None) -> None:
        """Raises NotFound, PreconditionFailed and Conflict."""
        superusers = await self.users.lock_superusers()
        if not await self.users.delete(id, versions):
            raise _missing(id)
        _require_another(superusers, id)
        await self.revoke_all(id)
        await self.log.record(Event.USER_DELETED, id)

    async def export(self, session: LiveSession) -> AsyncGenerator[bytes]:
        """Everything that is stored about the session's user, as JSON that is read piece by piece.

        What is in it can be read by other routes too, but for the log: a live session is enough.
        """
        await self.log.record(Event.DATA_EXPORTED, session.user_id)
        return export(self.work, session.user_id)

    async def reset_password(self, user: User, new_hash: str) -> None:
        """Raises Conflict when the user changes the password at the same time."""
        if not await self.users.replace_password_hash(user, new_hash):
            raise Conflict("The password was changed at the same time")
        await self.revoke_all(user.id)
        await self.log.record(Event.PASSWORD_RESET, user.id)

    async def list_sessions(self, session: LiveSession, id: UUID) -> Sequence[SessionRead]:
        """Those of a user; raises NotFound."""
        if await self.users.get(id) is None:
            raise _missing(id)
        rows = await self.sessions.list(id, self.settings.session_idle)
        return [SessionRead(**dict(row), current=row["id"] == session.id) for row in rows]

    async def revoke_session(self, session: LiveSession, id: UUID, session_id: UUID) -> None:
        """Raises ReauthenticationRequired, and NotFound for a session that is not the user's."""
        _require_fresh(session)
        if not await self.sessions.delete(session_id, id):
            raise NotFound(f"Session {session_id} not found")
        await self.log.record(Event.SESSION_REVOKED, id, revoked=session_id)

    async def revoke_sessions(self, session: LiveSession, id: UUID) -> None:
        """End all of a user's but the caller's own; raises ReauthenticationRequired, NotFound."""
        _require_fresh(session)
        if await self.users.lock(id) is None:
            raise _missing(id)
        await self.revoke_all(id, keep=session.id)
        await self.log.record(Event.SESSIONS_REVOKED, id)

    async def restore_by(
        self, session: LiveSession, id: UUID, versions: Versions | None = None
    ) -> User:
        """Raises ReauthenticationRequired, NotFound and PreconditionFailed.

        And Conflict if the address is taken by now.
        """
        _require_fresh(session)
        was_live = await self.users.get(id)
        user = await self.users.restore(id, versions)
        if user is None:
            raise _missing(id)
        if was_live is None:
            await self.log.record(Event.USER_RESTORED, id)
        return user


def _require_fresh(session: LiveSession) -> None:
    if not session.is_fresh:
        raise ReauthenticationRequired


def _changes(before: User, after: User) -> list[Event]:
    events = []
    if before.is_active != after.is_active:
        events.append(Event.USER_ENABLED if after.is_active else Event.USER_DISABLED)
    if before.is_superuser != after.is_superuser:
        events.append(Event.USER_PROMOTED if after.is_superuser else Event.USER_DEMOTED)
    return events


def _require_another(superusers: set[UUID], id: UUID) -> None:
    if superusers == {id}:
        raise Conflict(NEEDED)


def _missing(id: UUID) -> NotFound:
    return NotFound(f"User {id} not found")
