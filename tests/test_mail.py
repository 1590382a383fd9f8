"""Mail leaves by a real SMTP server, after the commit, and nobody waits for it."""

import asyncio
import ssl
import stat
import subprocess
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from pydantic import SecretStr
from structlog.testing import capture_logs

from app.accounts.outbox import TEMPLATES
from app.config import Environment, Settings
from app.mail import ATTEMPTS, FileMailer, Mailer, NoMailer, SmtpMailer, delivery, mailer
from app.main import Application, create_app
from tests.accounts.steps import ALICE, EMAIL, NEW_PASSWORD, post
from tests.conftest import new_client
from tests.factories import PASSWORD, create_user
from tests.mailbox import Mailbox, text_of, token_in

USER, SECRET = "mailer@example.com", "p@ss:word/for?smtp"
USER_INFO = "mailer%40example.com:p%40ss%3Aword%2Ffor%3Fsmtp"
TOKEN = "plinth_canary-7f3a9"


class Inbox:
    """What a server has received, and which commands it was sent in the clear."""

    def __init__(self) -> None:
        self.refusals: list[str] = []
        self.messages: list[EmailMessage] = []
        self.recipients: list[list[str]] = []
        self.secured: list[bool] = []
        self.logins: list[tuple[bytes, bytes]] = []

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, _: SMTP, session: Session, envelope: Envelope
    ) -> str:
        if self.refusals:
            return self.refusals.pop()
        assert isinstance(envelope.original_content, bytes)
        parsed = message_from_bytes(envelope.original_content, policy=policy.default)
        assert isinstance(parsed, EmailMessage)
        self.messages.append(parsed)
        self.recipients.append(envelope.rcpt_tos)
        self.secured.append(session.ssl is not None)
        return "250 OK"

    def authenticate(self, *asked: Any) -> AuthResult:
        data = asked[-1]
        assert isinstance(data, LoginPassword)
        self.logins.append((data.login, data.password))
        good = data.login == USER.encode() and data.password == SECRET.encode()
        return AuthResult(success=good, handled=False)


@asynccontextmanager
async def smtp_server(
    inbox: Inbox, *, tls: ssl.SSLContext | None = None, **options: Any
) -> AsyncGenerator[int]:
    """An SMTP server on a port of localhost, with TLS from the start if that is asked for."""
    loop = asyncio.get_running_loop()
    connections: list[SMTP] = []

    def connect() -> SMTP:
        connections.append(SMTP(inbox, hostname="mail.example.com", loop=loop, **options))
        return connections[-1]

    server = await loop.create_server(connect, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for each in connections:
            if each.transport is not None:
                each.transport.close()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for localhost with its key, signed by nobody else."""
    path = tmp_path_factory.mktemp("tls") / "localhost.pem"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    command = ["openssl", "req", "-x509", *key, *subject, "-keyout", "-"]
    path.write_bytes(subprocess.run(command, check=True, capture_output=True).stdout)
    return path


@pytest.fixture
def tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture
def trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine trusts the certificate."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.mail.FIRST_PAUSE", 0.001)


def reset_mail(to: str = ALICE, **values: Any) -> EmailMessage:
    values = {"how": "open", "token": TOKEN} | values
    return TEMPLATES.write("password_reset", sender="Plinth <no-reply@localhost>", to=to, **values)


async def deliver(mailer: Mailer, message: EmailMessage | None = None) -> list[Any]:
    """Send a message, and return what was logged."""
    with capture_logs() as captured:
        await delivery(mailer, message or reset_mail())()
    logs = [each for each in captured if "logger" not in each]  # the test's server logs too
    for secret in (TOKEN, ALICE, SECRET, USER):
        assert secret not in str(logs)
    return logs


class TestMessage:
    def test_has_a_text_and_the_same_as_html(self) -> None:
        message = reset_mail()
        assert message.get_content_type() == "multipart/alternative"
        html = message.get_body(("html",))
        assert html is not None
        for said in ("to set a new password for the Plinth account", TOKEN, "within 30 minutes"):
            assert said in text_of(message)
            assert said in html.get_content()
        assert token_in(message) == TOKEN
        assert f"{TOKEN}</code>" in html.get_content()

    def test_has_the_headers_of_a_mail_from_a_program(self) -> None:
        message = reset_mail()
        assert message["Subject"] == "Set a new password for Plinth"
        assert (message["From"], message["To"]) == ("Plinth <no-reply@localhost>", ALICE)
        assert message["Date"].datetime.tzinfo is not None
        assert message["Message-ID"].endswith("@localhost>")
        assert message["Auto-Submitted"] == "auto-generated"

    def test_a_link_can_be_clicked(self) -> None:
        link = "https://example.com/reset#token=a&b=<c>"
        html = reset_mail(token=link).get_body(("html",))
        assert html is not None
        escaped = "https://example.com/reset#token=a&amp;b=&lt;c&gt;"
        assert f'href="{escaped}">{escaped}</a>' in html.get_content()

    @pytest.mark.parametrize(
        ("template", "path"),
        [
            ("password-reset", "password-reset"),
            ("email-verification", "email-verification"),
            ("email-change", "email-change"),
        ],
    )
    async def test_leads_to_the_frontend_if_there_is_one(
        self, app: Application, alice: httpx.AsyncClient, mailbox: Mailbox, template: str, path: str
    ) -> None:
        own = create_app(
            app.settings.model_copy(update={"frontend_url": "https://app.example.com"})
        )
        assert isinstance(own, Application)
        own.mailer = mailbox
        bodies = {
            "password-reset": {"email": ALICE},
            "email-verification": {},
            "email-change": {"current_password": PASSWORD, "new_email": EMAIL},
        }
        async with new_client(own, dict(alice.headers)) as client:
            assert (await post(client, template, **bodies[template])).status_code == 202
            start, token = mailbox.token().split("#token=")
            assert start == f"https://app.example.com/{path}"
            assert "open this link within" in text_of(mailbox.messages[0])
            body = {"new_password": NEW_PASSWORD} if template == "password-reset" else {}
            confirmed = await post(client, f"{template}/confirm", token=token, **body)
            assert confirmed.status_code == 204
        await own.database.close()


class TestSmtpMailer:
    async def test_sends_in_the_clear_where_there_is_nothing_to_hide(self) -> None:
        inbox = Inbox()
        async with smtp_server(inbox) as port:
            assert await deliver(SmtpMailer(f"smtp://localhost:{port}")) == []
        [message] = inbox.messages
        assert token_in(message) == TOKEN
        assert inbox.recipients == [[ALICE]]
        assert inbox.secured == [False]

    async def test_an_address_in_another_script_arrives(self) -> None:
        inbox = Inbox()
        async with smtp_server(inbox, enable_SMTPUTF8=True) as port:
            logs = await deliver(
                SmtpMailer(f"smtp://localhost:{port}"), reset_mail("jürgen@exämple.de")
            )
        assert logs == []
        assert inbox.recipients == [["jürgen@exämple.de"]]

    @pytest.mark.usefixtures("trusted")
    async def test_with_a_password_insists_on_starttls(self, tls: ssl.SSLContext) -> None:
        inbox = Inbox()
        async with smtp_server(
            inbox,
            tls_context=tls,
            require_starttls=True,
            authenticator=inbox.authenticate,
            auth_required=True,
        ) as port:
            assert await deliver(SmtpMailer(f"smtp://{USER_INFO}@localhost:{port}")) == []
        assert inbox.logins == [(USER.encode(), SECRET.encode())]
        assert inbox.secured == [True]

    async def test_never_sends_a_password_in_the_clear(self) -> None:
        inbox = Inbox()
        async with smtp_server(
            inbox, authenticator=inbox.authenticate, auth_require_tls=False
        ) as port:
            logs = await deliver(SmtpMailer(f"smtp://{USER_INFO}@localhost:{port}"))
        assert len(logs) == ATTEMPTS
        assert inbox.logins == []
        assert inbox.messages == []

    @pytest.mark.usefixtures("trusted")
    async def test_speaks_tls_from_the_start(self, tls: ssl.SSLContext) -> None:
        inbox = Inbox()
        async with smtp_server(
            inbox, tls=tls, authenticator=inbox.authenticate, auth_require_tls=False
        ) as port:
            assert await deliver(SmtpMailer(f"smtps://{USER_INFO}@localhost:{port}")) == []
        assert inbox.logins == [(USER.encode(), SECRET.encode())]
        assert len(inbox.messages) == 1

    @pytest.mark.parametrize("scheme", ["smtp", "smtps"])
    async def test_believes_no_certificate_of_a_stranger(
        self, tls: ssl.SSLContext, scheme: str
    ) -> None:
        inbox = Inbox()
        starts_with_tls = scheme == "smtps"
        async with smtp_server(
            inbox,
            tls=tls if starts_with_tls else None,
            tls_context=None if starts_with_tls else tls,
            authenticator=inbox.authenticate,
        ) as port:
            logs = await deliver(SmtpMailer(f"{scheme}://{USER_INFO}@localhost:{port}"))
        assert [each["try_"] for each in logs] == [1, 2, 3]
        assert (inbox.logins, inbox.messages) == ([], [])

    async def test_a_wrong_password_is_logged_without_it(
        self, tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch, certificate: Path
    ) -> None:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        inbox = Inbox()
        async with smtp_server(inbox, tls_context=tls, authenticator=inbox.authenticate) as port:
            logs = await deliver(SmtpMailer(f"smtp://someone:{TOKEN}@localhost:{port}"))
        assert {each["error"] for each in logs} == {"SMTPAuthenticationError"}
        assert inbox.messages == []


class TestDelivery:
    async def test_is_tried_again(self) -> None:
        inbox = Inbox()
        inbox.refusals = [f"451 not now, {ALICE}", "451 not now"]
        async with smtp_server(inbox) as port:
            logs = await deliver(SmtpMailer(f"smtp://localhost:{port}"))
        assert [each["event"] for each in logs] == ["mail_failed"] * 2
        assert [each["try_"] for each in logs] == [1, 2]
        assert len(inbox.messages) == 1

    async def test_ends_after_three_tries(self) -> None:
        inbox = Inbox()
        inbox.refusals = [f"554 no mailbox for {ALICE}"] * 5
        async with smtp_server(inbox) as port:
            logs = await deliver(SmtpMailer(f"smtp://localhost:{port}"))
        assert len(logs) == ATTEMPTS
        assert set(logs[0]) == {"event", "log_level", "template", "error", "try_"}
        assert inbox.messages == []

    async def test_a_server_that_is_not_there_is_logged(self, unused_tcp_port: int) -> None:
        logs = await deliver(SmtpMailer(f"smtp://localhost:{unused_tcp_port}"))
        assert {each["error"] for each in logs} == {"SMTPConnectError"}


class TestFileMailer:
    def test_writes_what_only_its_owner_reads(self, tmp_path: Path) -> None:
        folder = tmp_path / "mail"
        [log] = asyncio.run(deliver(FileMailer(folder)))
        [file] = folder.iterdir()
        assert (log["event"], log["file"]) == ("mail_written", str(file))
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        message = message_from_bytes(file.read_bytes(), policy=policy.default)
        assert isinstance(message, EmailMessage)
        assert token_in(message) == TOKEN

    async def test_each_mail_is_a_file(self, tmp_path: Path) -> None:
        files = {(await deliver(FileMailer(tmp_path)))[0]["file"] for _ in range(3)}
        assert len(files) == 3


class TestChoice:
    def test_follows_the_settings(self, app: Application) -> None:
        def chosen(**settings: Any) -> Mailer:
            return mailer(app.settings.model_copy(update=settings))

        assert isinstance(chosen(), FileMailer)
        assert isinstance(chosen(smtp_url=SecretStr("smtps://localhost")), SmtpMailer)
        assert isinstance(chosen(environment=Environment.PRODUCTION), NoMailer)

    def test_the_url_comes_from_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SMTP_URL", f"smtps://{USER_INFO}@localhost")
        assert isinstance(mailer(Settings()), SmtpMailer)

    async def test_a_production_without_smtp_tells_so(self) -> None:
        [log] = await deliver(NoMailer())
        assert log["event"] == "mail_not_configured"


class StuckMailer:
    def __init__(self) -> None:
        self.stuck, self.free = asyncio.Event(), asyncio.Event()

    async def send(self, _: EmailMessage) -> None:
        self.stuck.set()
        await self.free.wait()


async def test_nobody_waits_for_a_mail(app: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    await create_user(app.database, ALICE)
    stuck = StuckMailer()
    monkeypatch.setattr(app, "mailer", stuck)
    complete = asyncio.Event()
    body = b'{"email": "alice@example.com"}'
    scope = {
        "type": "http", "method": "POST", "path": "/api/v1/auth/password-reset", "state": {},
        "raw_path": b"/api/v1/auth/password-reset", "query_string": b"", "http_version": "1.1",
        "scheme": "http", "server": ("test", 80), "client": ("127.0.0.1", 1),
        "headers": [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))],
    }  # fmt: skip

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.body" and not message.get("more_body"):
            complete.set()

    request = asyncio.create_task(app(scope, receive, send))
    await asyncio.wait_for(complete.wait(), 5)
    await asyncio.wait_for(stuck.stuck.wait(), 5)
    assert app.database.in_use == 0  # nor does the database
    assert not request.done()
    stuck.free.set()
    await request
