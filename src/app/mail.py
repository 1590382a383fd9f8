"""Mail: written from templates, and sent by SMTP, or put into a folder while developing."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid, parseaddr
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

import aiosmtplib
import structlog
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from app.config import Settings

ATTEMPTS = 3
FIRST_PAUSE = 10.0  # seconds before the second attempt, doubled before the third
TIMEOUT = 10.0  # seconds for one attempt

_log = structlog.get_logger(__name__)


class Mailer(Protocol):
    async def send(self, message: EmailMessage) -> None: ...


class SmtpMailer:
    """Sends by `smtp://[user:password@]host[:port]`, or with TLS from the start by `smtps://`.

    A password is never sent in the clear: with one, `smtp://` insists on STARTTLS.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname
        self._tls = parts.scheme == "smtps"
        self._port = parts.port or (465 if self._tls else 587 if parts.username else 25)
        self._username = unquote(parts.username) if parts.username else None
        self._password = unquote(parts.password) if parts.password else None

    async def send(self, message: EmailMessage) -> None:
        await aiosmtplib.send(
            message,
            hostname=self._host,
            port=self._port,
            username=self._username,
            password=self._password,
            use_tls=self._tls,
            start_tls=True if self._username and not self._tls else None,
            timeout=TIMEOUT,
        )


class FileMailer:
    """Puts each mail into a file of its own, for development."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def send(self, message: EmailMessage) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%f}-{message['X-Template']}.eml"
        path = self._folder / name
        path.touch(mode=0o600)
        path.write_bytes(bytes(message))
        _log.info("mail_written", file=str(path))


class NoMailer:
    """Stands where a production has no SMTP_URL: the log tells of each mail that cannot be sent."""

    async def send(self, message: EmailMessage) -> None:
        _log.error("mail_not_configured", template=message["X-Template"])


def mailer(settings: Settings) -> Mailer:
    if settings.smtp_url is not None:
        return SmtpMailer(settings.smtp_url.get_secret_value())
    return NoMailer() if settings.production else FileMailer(settings.data_dir / "mail")


class Templates:
    """The mails of one folder: `name.txt` starts with its subject, `layout.html` is its other form.

    The text's paragraphs become those of the HTML; one that is indented stands by itself, as code
    or as a link.
    """

    def __init__(self, folder: Path) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(folder),
            autoescape=select_autoescape(["html"]),
            undefined=StrictUndefined,
            trim_blocks=True,
        )

    def write(self, name: str, *, sender: str, to: str, **values: object) -> EmailMessage:
        """The sender's name is that of the product, which the text may use."""
        product, address = parseaddr(sender)
        product = product or address.rpartition("@")[2]
        text = self._environment.get_template(f"{name}.txt").render(values, product=product)
        subject, _, body = text.strip().partition("\n\n")
        layout = self._environment.get_template("layout.html")
        message = EmailMessage()
        message["Subject"] = subject.removeprefix("Subject: ")
        message["From"] = sender
        username, _, domain = to.rpartition("@")
        message["To"] = Address(username=username, domain=domain)  # parts, of which none is parsed
        message["Date"] = format_datetime(datetime.now(UTC))
        message["Message-ID"] = make_msgid(domain=message["From"].addresses[0].domain)
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody is to answer it
        message["X-Template"] = name
        message.set_content(body + "\n")
        html = layout.render(subject=message["Subject"], paragraphs=body.split("\n\n"))
        message.add_alternative(html, subtype="html")
        return message


def delivery(mailer: Mailer, message: EmailMessage) -> Callable[[], Awaitable[None]]:
    """What sends the message, with another try or two; the log tells of each that failed.

    A server that stops waits for it only as long as for any request.
    """

    async def deliver() -> None:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                await mailer.send(message)
            except (aiosmtplib.SMTPException, OSError) as error:
                # Neither the recipient nor the server's words, which repeat the address.
                kind = type(error).__name__
                _log.error("mail_failed", template=message["X-Template"], error=kind, try_=attempt)
                if attempt < ATTEMPTS:
                    await asyncio.sleep(FIRST_PAUSE * 2 ** (attempt - 1))
            else:
                return

    async def deliver_or_tell() -> None:
        try:
            await deliver()
        except asyncio.CancelledError:
            _log.error("mail_abandoned", template=message["X-Template"])
            raise

    return deliver_or_tell
