from dataclasses import replace
from functools import partial

from app.accounts.base import AccountService
from app.accounts.email_tokens import Purpose
from app.accounts.passwords import hash_password, require_strong
from app.accounts.schemas import ChangeEmail, ConfirmReset
from app.auth.repository import LiveSession
from app.database.unit_of_work import UnitOfWork
from app.exceptions import FieldError, Invalid, RateLimited
from app.security_events.log import SecurityLog
from app.security_events.schemas import Event
from app.users.models import User


class AddressService(AccountService):
    """What users do by a token that was mailed to their address."""

    async def request_reset(self, email: str) -> None:
        """Neither the answer nor its time tells whether there is such an account."""
        await self.throttle("reset", email)
        self.work.after_commit.append(partial(self._mail_reset, email))

    async def confirm_reset(self, data: ConfirmReset) -> None:
        """Raises Invalid for a token that is not valid, or a password that is too weak."""
        found = await self.tokens.find(Purpose.RESET, data.token)
        user = await self.users.by_email(found["email"]) if found else None
        if found is None or user is None or user.id != found["user_id"] or not user.is_active:
            raise _invalid_token()
        await self.work.release()
        password = data.new_password.get_secret_value()
        await require_strong(
            password, email=user.email, settings=self.settings, field="new_password"
        )
        await self.forgive(user.email)  # whoever reads the mail may sign in from where they are
        # The user's row is locked before the token's, as everywhere: transactions that did it in
        # different orders would deadlock.
        replaced = await self.users.replace_password_hash(user, await hash_password(password))
        if not replaced or not await self.tokens.use(Purpose.RESET, data.token):
            raise _invalid_token()
        if user.email_verified_at is None:
            await self.users.verify_email(user.id, user.email)
        await self.revoke_all(user.id)
        await self.log.record(Event.PASSWORD_RESET, user.id)
        self.work.after_commit.append(self.outbox.mail("password_changed", user.email))

    async def request_verification(self, user: User) -> None:
        await self.throttle("verification", user.id)
        if user.email_verified_at is not None:
            return
        await self.throttle_mail(Purpose.VERIFICATION, user.email, user.id)
        token = await self.tokens.create(Purpose.VERIFICATION, user.id, user.email)
        self.work.after_commit.append(
            self.outbox.token_mail("email_verification", user.email, token, "email-verification")
        )

    async def confirm_verification(self, token: str) -> None:
        """Raises Invalid for a token that is not valid, or if the user has another address now."""
        found = await self.tokens.find(Purpose.VERIFICATION, token)
        if found is None or not await self.users.verify_email(found["user_id"], found["email"]):
            raise _invalid_token()
        if not await self.tokens.use(Purpose.VERIFICATION, token):
            raise _invalid_token()
        await self.log.record(Event.EMAIL_VERIFIED, found["user_id"])

    async def request_change(self, session: LiveSession, data: ChangeEmail) -> None:
        """Raises InvalidCredentials. A taken address is refused only when it is confirmed."""
        user = await self.require_password(session, data.current_password.get_secret_value())
        await self.throttle_mail(Purpose.CHANGE, data.new_email, user.id)
        if not await self.users.lock_password(user):  # somebody changed it meanwhile
            raise await self.wrong_password(user.id)
        token = await self.tokens.create(Purpose.CHANGE, user.id, data.new_email, session.id)
        await self.log.record(Event.EMAIL_CHANGE_REQUESTED, user.id)
        self.work.after_commit.append(
            self.outbox.token_mail("email_change", data.new_email, token, "email-change")
        )

    async def confirm_change(self, token: str) -> None:
        """The session that asked for the change stays.

        Raises Invalid for a token that is not valid, and Conflict for an address that is taken.
        """
        found = await self.tokens.find(Purpose.CHANGE, token)
        user = await self.users.get(found["user_id"]) if found else None
        if found is None or user is None or not user.is_active:
            raise _invalid_token()
        changed = await self.users.change_email(user.id, found["email"])
        if not changed or not await self.tokens.use(Purpose.CHANGE, token):
            raise _invalid_token()
        await self.revoke_all(user.id, keep=found["session_id"])
        await self.tokens.delete(user.id, Purpose.VERIFICATION)
        await self.log.record(Event.EMAIL_CHANGED, user.id)
        self.work.after_commit.append(self.outbox.mail("email_changed", user.email))

    async def _mail_reset(self, email: str) -> None:
        async with UnitOfWork(self.context.database) as work:
            log = SecurityLog(work, self.client.ip)
            own = AddressService(replace(self.context, work=work, log=log))
            user = await own.users.by_email(email)
            if user is None or not user.is_active:
                return
            try:
                await own.throttle_mail(Purpose.RESET, user.email, user.id)
            except RateLimited:
                return
            token = await own.tokens.create(Purpose.RESET, user.id, user.email)
            await log.record(Event.PASSWORD_RESET_REQUESTED, user.id)
            await work.commit()
        await self.outbox.token_mail("password_reset", user.email, token, "password-reset")()


def _invalid_token() -> Invalid:
    message = "is not valid: it was used, has expired, or was made for something else"
    return Invalid(errors=[FieldError(("body", "token"), message, "invalid_token")])
