from collections.abc import Awaitable, Callable
from pathlib import Path

from app.config import Settings
from app.mail import Mailer, Templates, delivery

TEMPLATES = Templates(Path(__file__).parent / "mails")


class Outbox:
    """Writes the mails of accounts. What a method returns sends the mail: call it after COMMIT."""

    def __init__(self, mailer: Mailer, settings: Settings) -> None:
        self._mailer = mailer
        self._sender = settings.sender
        self._frontend_url = settings.frontend_url

    def mail(self, template: str, to: str, **values: object) -> Callable[[], Awaitable[None]]:
        message = TEMPLATES.write(template, sender=self._sender, to=to, **values)
        return delivery(self._mailer, message)

    def token_mail(
        self, template: str, to: str, token: str, path: str
    ) -> Callable[[], Awaitable[None]]:
        """With a link to the frontend's page, or else the route of the API for the token.

        What follows a # reaches no server's log and no Referer header.
        """
        if self._frontend_url:
            link = f"{self._frontend_url}/{path}#token={token}"
            return self.mail(template, to, how="open this link", token=link)
        how = f"send this to POST /api/v1/auth/{path}/confirm"
        return self.mail(template, to, how=how, token=token)
