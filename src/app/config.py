"""Every setting, typed, in one place; unsafe values are refused in production."""

import re
import secrets
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


def network(text: str) -> str:
    try:
        ip_network(text)
    except ValueError:
        raise ValueError("must be addresses or networks such as 10.0.0.0/8") from None
    return text


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
    secret_key: SecretStr = SecretStr("")
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["console", "json"] | None = None
    docs_enabled: bool | None = None
    cors_origins: Annotated[list[str], NoDecode, BeforeValidator(split_commas)] = []

    database_url: Annotated[SecretStr, AfterValidator(asyncpg_url)] | None = None
    db_pool_size: Annotated[int, Field(ge=1)] = 10
    db_max_overflow: Annotated[int, Field(ge=0)] = 5
    # Each limit strikes before the one after it, so that the most precise error is the one seen.
    db_pool_timeout: Seconds = 2.0
    db_connect_timeout: Seconds = 2.0
    db_lock_timeout: Seconds = 2.0
    db_statement_timeout: Seconds = 5.0
    db_command_timeout: Seconds = 6.0
    db_idle_timeout: Seconds = 10.0
    request_timeout: Seconds = 10.0

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
    # NIST 800-63B-4, 3.1.1.2: at least 15 characters where the password is the only factor.
    password_min_length: Annotated[int, Field(ge=8, le=256)] = 15
    throttle_enabled: bool = True
    max_body_size: Annotated[int, Field(ge=1024)] = 1024 * 1024
    max_bulk_body_size: Annotated[int, Field(ge=1024)] = 10 * 1024 * 1024
    max_bulk_rows: Annotated[int, Field(ge=1, le=10_000)] = 1000
    total_limit: Annotated[int, Field(ge=1, le=1_000_000_000)] = 10_000

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
    if problems := _unsafe(settings):
        raise SettingsError("\n".join(problems))
    if not settings.secret_key.get_secret_value():
        key = SecretStr(_development_secret(settings.data_dir))
        return settings.model_copy(update={"secret_key": key})
    return settings


def _unsafe(settings: Settings) -> list[str]:
    if not settings.production:
        return []
    problems = []
    url = settings.database_url.get_secret_value() if settings.database_url else ""
    if not url:
        problems.append("DATABASE_URL: is required in production")
    elif _is_placeholder(str(make_url(url).password)):
        problems.append("DATABASE_URL: has a placeholder for a password")
    secret = settings.secret_key.get_secret_value()
    if not secret:
        problems.append("SECRET_KEY: is required in production: openssl rand -base64 32")
    elif _is_placeholder(secret):
        problems.append("SECRET_KEY: looks like a placeholder: openssl rand -base64 32")
    elif len(secret) < MIN_SECRET_LENGTH or len(set(secret)) < 10:
        problems.append(f"SECRET_KEY: needs {MIN_SECRET_LENGTH} random characters or more")
    if not settings.throttle_enabled:
        problems.append("THROTTLE_ENABLED: may not be false in production")
    return problems


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
