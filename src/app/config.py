"""Every setting, typed, in one place; unsafe values are refused in production."""

import re
import secrets
from collections.abc import Iterator
from datetime import timedelta
from email.utils import formataddr, parseaddr
from enum import StrEnum
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic.functional_validators import BeforeValidator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

APP_NAME = "Plinth"  # written by `app init`
MIN_SECRET_LENGTH = 32
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")  # RFC 9110, section 5.6.2
_PREFIX = re.compile(r"(/[A-Za-z0-9._~-]+)*")
# Of a database's URL; `sslmode` is libpq's name for the driver's `ssl`.
URL_PARAMETERS = {
    *("host", "port", "ssl", "passfile", "target_session_attrs"),
    "prepared_statement_cache_size",
}
SSL_MODES = {"disable", "allow", "prefer", "require", "verify-ca", "verify-full"}
PLACEHOLDERS = ("change", "placeholder", "example", "secret", "password")
LOOKS = "must look like postgresql://user:password@host:5432/name"


class Environment(StrEnum):
    DEVELOPMENT = "development"
    TEST = "test"
    PRODUCTION = "production"


class SettingsError(Exception):
    """The process must not start; the message holds one line per problem."""

    explains_itself = True


def asyncpg_url(url: SecretStr) -> SecretStr:
    """Name the driver: a bare `postgresql://` means psycopg to SQLAlchemy 2.1."""
    scheme, separator, rest = url.get_secret_value().partition("://")
    if not separator or scheme not in {"postgres", "postgresql", "postgresql+asyncpg"}:
        raise ValueError(LOOKS)
    text = f"postgresql+asyncpg://{rest}"
    try:
        parts = make_url(text)
    except (ValueError, ArgumentError):
        raise ValueError(LOOKS) from None
    if not 0 <= (parts.port or 0) < 65536:
        raise ValueError(LOOKS)
    if "@" in f"{parts.host}{parts.database}":
        raise ValueError("has more than one @: write those of the password as %40")
    query = {"ssl" if name == "sslmode" else name: value for name, value in parts.query.items()}
    if unknown := query.keys() - URL_PARAMETERS:
        raise ValueError(f"does not take {', '.join(sorted(unknown))}: leave it out")
    if query.get("ssl", "prefer") not in SSL_MODES:
        raise ValueError(f"takes as sslmode one of {', '.join(sorted(SSL_MODES))}")
    if "sslmode" in parts.query:
        text = parts.set(query=query).render_as_string(hide_password=False)
    return SecretStr(text)


def split_commas(value: object) -> object:
    if not isinstance(value, str):
        return value
    return [part.strip() for part in value.split(",") if part.strip()]


def mail_server(url: SecretStr) -> SecretStr:
    parts = urlsplit(url.get_secret_value())
    known = parts.scheme in {"smtp", "smtps"} and parts.hostname
    if not known or not _is_port(parts) or bool(parts.username) != bool(parts.password):
        raise ValueError("must look like smtp://user:password@host:587 or smtps://host")
    return url


def printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("must be one line of printable characters")
    return text


def mailbox(text: str) -> str:
    """An address of mail, with or without a name."""
    _, address = parseaddr(text)
    if "@" not in address.strip("@") or not text.isprintable():
        raise ValueError("must look like Acme <no-reply@example.com>")
    return text


def http_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("must look like https://example.com")
    return url.rstrip("/")


def path_prefix(text: str) -> str:
    if not _PREFIX.fullmatch(text):
        raise ValueError("must begin with / and not end with it, such as /svc")
    return text


def header_name(text: str) -> str:
    if not _HEADER.fullmatch(text):
        raise ValueError("must be names of headers, separated by commas, such as X-Requested-With")
    return text


def network(text: str) -> str:
    try:
        ip_network(text)
    except ValueError:
        raise ValueError("must be addresses or networks such as 10.0.0.0/8") from None
    return text


Unsafe = Literal["CORS_ORIGINS", "FRONTEND_URL", "SMTP_URL", "TRUSTED_PROXIES"]

type Seconds = Annotated[float, Field(gt=0)]


class Settings(BaseSettings):
    """Read from the environment, then from a `.env` file; names are matched in any case."""

    model_config = SettingsConfigDict(
        env_file=".env",
        extra="ignore",
        frozen=True,
        env_ignore_empty=True,
        hide_input_in_errors=True,
    )

    app_name: Annotated[str, Field(max_length=50), AfterValidator(printable)] = APP_NAME
    environment: Environment = Environment.DEVELOPMENT
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 8000
    workers: Annotated[int, Field(ge=1, le=512)] = 1
    # The prefix that a proxy takes off each path, as clients see it: /svc.
    root_path: Annotated[str, AfterValidator(path_prefix)] = ""
    data_dir: Path = Path(".data")
    # Several, separated by commas, while one is replaced: the first signs, all are accepted.
    secret_key: SecretStr = SecretStr("")
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["console", "json"] | None = None
    docs_enabled: bool | None = None
    # Seconds for which browsers use HTTPS alone (RFC 6797); 0 sends no such header.
    hsts_max_age: Annotated[int, Field(ge=0)] = 0
    cors_origins: Annotated[list[str], NoDecode, BeforeValidator(split_commas)] = []
    # Beside those that the API itself reads.
    cors_headers: Annotated[
        list[Annotated[str, AfterValidator(header_name)]], NoDecode, BeforeValidator(split_commas)
    ] = ["traceparent", "X-Requested-With"]
    cors_credentials: bool = False

    database_url: Annotated[SecretStr, AfterValidator(asyncpg_url)] | None = None
    db_pool_size: Annotated[int, Field(ge=1)] = 10
    db_max_overflow: Annotated[int, Field(ge=0)] = 5
    # Of these connections, what one user may hold at once; always one.
    db_user_share: Annotated[float, Field(gt=0, le=1)] = 0.5
    # Each limit strikes before the one after it, so that the most precise error is the one seen.
    db_pool_timeout: Seconds = 2.0
    db_connect_timeout: Seconds = 2.0
    db_lock_timeout: Seconds = 2.0
    db_statement_timeout: Seconds = 5.0
    db_command_timeout: Seconds = 6.0
    db_idle_timeout: Seconds = 10.0
    request_timeout: Seconds = 10.0

    # The names of settings whose values production would refuse, as they are meant to be so.
    allow_unsafe: Annotated[list[Unsafe], NoDecode, BeforeValidator(split_commas)] = []

    # Their X-Forwarded-For is believed; an address, or a network such as 10.0.0.0/8.
    trusted_proxies: Annotated[
        list[Annotated[str, AfterValidator(network)]], NoDecode, BeforeValidator(split_commas)
    ] = []

    smtp_url: Annotated[SecretStr, AfterValidator(mail_server)] | None = None
    mail_from: Annotated[str, AfterValidator(mailbox)] | None = None
    # Where a mail's token leads to, such as {base}/password-reset#token=…; without it the mail
    # names the route of the API.
    frontend_url: Annotated[str, AfterValidator(http_url)] | None = None

    session_idle: Annotated[timedelta, Field(gt=timedelta(0))] = timedelta(days=7)
    session_absolute: Annotated[timedelta, Field(gt=timedelta(0))] = timedelta(days=30)
    max_sessions_per_user: Annotated[int, Field(ge=1)] = 50
    # NIST 800-63B-4, 3.1.1.2: at least 15 characters where the password is the only factor.
    password_min_length: Annotated[int, Field(ge=8, le=256)] = 15
    # Asked whether a new password is known from breaches, by a part of its hash.
    password_breach_url: Annotated[str, AfterValidator(http_url)] | None = None
    throttle_enabled: bool = True
    # Of each worker; 0 is no limit. By default, as many as one could answer at all.
    user_requests_per_minute: Annotated[int, Field(ge=0)] = 300_000
    address_requests_per_minute: Annotated[int, Field(ge=0)] = 600_000
    max_body_size: Annotated[int, Field(ge=1024)] = 1024 * 1024
    max_bulk_body_size: Annotated[int, Field(ge=1024)] = 10 * 1024 * 1024
    # Of each worker, for all requests at once.
    max_body_memory: Annotated[int, Field(ge=1024 * 1024)] = 256 * 1024 * 1024
    max_bulk_rows: Annotated[int, Field(ge=1, le=10_000)] = 1000
    total_limit: Annotated[int, Field(ge=1, le=1_000_000_000)] = 10_000

    # Of each worker. One more is answered with a 503, and a trusted proxy may have all.
    max_connections: Annotated[int, Field(ge=1)] = 2000
    max_connections_per_address: Annotated[int, Field(ge=1)] = 1000

    # WebSockets and event streams. A process may usually have 1,024 files open.
    max_open_connections: Annotated[int, Field(ge=1)] = 500
    max_open_connections_per_user: Annotated[int, Field(ge=1)] = 20
    session_check_interval: Seconds = 5.0
    max_message_size: Annotated[int, Field(ge=1024)] = 64 * 1024
    websocket_idle: Seconds = 3600.0

    @property
    def production(self) -> bool:
        return self.environment is Environment.PRODUCTION

    @property
    def secret_keys(self) -> list[str]:
        """The one that signs, and then those that are accepted besides."""
        return [each.strip() for each in self.secret_key.get_secret_value().split(",")]

    @property
    def show_docs(self) -> bool:
        return not self.production if self.docs_enabled is None else self.docs_enabled

    @property
    def sender(self) -> str:
        return self.mail_from or formataddr((self.app_name, "no-reply@localhost"))

    @property
    def json_logs(self) -> bool:
        return self.production if self.log_format is None else self.log_format == "json"


def load_settings() -> Settings:
    """Read the settings of this process.

    Raises SettingsError when a value is malformed or not safe for its environment.
    """
    try:
        settings = Settings()
    except ValidationError as error:
        lines = [
            f"{'.'.join(map(str, e['loc'])).upper()}: {e['msg'].removeprefix('Value error, ')}"
            for e in error.errors()
        ]
        raise SettingsError("\n".join(lines)) from None
    if problems := [*_contradictory(settings), *_unsafe(settings)]:
        raise SettingsError("\n".join(problems))
    if not settings.secret_key.get_secret_value():
        key = SecretStr(_development_secret(settings.data_dir))
        return settings.model_copy(update={"secret_key": key})
    return settings


def _contradictory(settings: Settings) -> Iterator[str]:
    if settings.cors_credentials and "*" in settings.cors_origins:
        yield (
            "CORS_CREDENTIALS: may not be true with CORS_ORIGINS=*, as any page could then act as "
            "whoever visits it: name the origins"
        )


def _unsafe(settings: Settings) -> list[str]:
    if not settings.production:
        return []
    problems = []
    url = settings.database_url.get_secret_value() if settings.database_url else ""
    if not url:
        problems.append("DATABASE_URL: is required in production")
    elif _is_placeholder(str(make_url(url).password)):
        problems.append("DATABASE_URL: has a placeholder for a password")
    if secret := _unsafe_secret(settings.secret_keys):
        problems.append(f"SECRET_KEY: {secret}")
    if not settings.throttle_enabled:
        problems.append("THROTTLE_ENABLED: may not be false in production")
    return problems + [
        f"{name}: {problem}, or say that it is meant: ALLOW_UNSAFE={name}"
        for name, problem in _doubtful(settings)
        if name not in settings.allow_unsafe
    ]


def _unsafe_secret(keys: list[str]) -> str | None:
    if keys == [""]:
        return "is required in production: openssl rand -base64 32"
    for key in keys:
        if _is_placeholder(key):
            return "looks like a placeholder: openssl rand -base64 32"
        if len(key) < MIN_SECRET_LENGTH or len(set(key)) < 10:
            return f"needs {MIN_SECRET_LENGTH} random characters or more"
    return None


def _doubtful(settings: Settings) -> Iterator[tuple[str, str]]:
    """Settings that are wrong in most productions, and what to do."""
    if "*" in settings.cors_origins:
        yield "CORS_ORIGINS", "lets the pages of any site call the API: name the origins"
    if settings.frontend_url and not settings.frontend_url.startswith("https:"):
        yield "FRONTEND_URL", "sends the tokens of mails in the clear: use https"
    if any(map(_is_most_of_the_internet, settings.trusted_proxies)):
        yield "TRUSTED_PROXIES", "lets anybody choose their address: name the proxies"
    if settings.frontend_url and settings.smtp_url is None:
        yield "SMTP_URL", "is missing, and FRONTEND_URL has pages that mails lead to: set it"


def _is_most_of_the_internet(text: str) -> bool:
    """Whether a network is wider than private ones are (RFC 1918 and 4193)."""
    found = ip_network(text)
    return found.prefixlen < (8 if found.version == 4 else 7)


def _is_placeholder(secret: str) -> bool:
    return any(word in secret.lower() for word in PLACEHOLDERS)


def _is_port(parts: SplitResult) -> bool:
    try:
        return parts.port != 0
    except ValueError:
        return False


def _development_secret(data_dir: Path) -> str:
    path = data_dir / "secret_key"
    try:
        if not path.exists():
            data_dir.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
            path.write_text(secrets.token_urlsafe(32))
        return path.read_text()
    except OSError as error:
        raise SettingsError(f"DATA_DIR: {cannot_use(data_dir, error)}") from None


def cannot_use(data_dir: Path, error: OSError) -> str:
    """What is wrong with the data folder, and what to do."""
    try:
        owner = data_dir.owner()
    except (OSError, KeyError):  # not there, or of a user without a name
        owner = "another user"
    return (
        f"cannot use {data_dir}: {error.strerror}: {error.filename}. The folder belongs to "
        f"{owner}: run as that user, change its owner or mode, or set DATA_DIR to another folder"
    )
