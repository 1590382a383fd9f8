"""Where the API is while developing, for the requests that other commands print."""

import socket
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

from app.config import Settings

EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what a client calls it
PATIENCE = 0.5  # seconds to find out whether somebody listens


def url(host: str, port: int) -> str:
    host = EVERYWHERE.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextmanager
def announced(data_dir: Path, address: str) -> Generator[None]:
    """Lets other commands find it, within the context."""
    file = _file(data_dir)
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    file.write_text(address)
    try:
        yield
    finally:
        with suppress(OSError):
            if file.read_text() == address:
                file.unlink()


def base_url(settings: Settings) -> str:
    """That of the `app dev` that runs, or else the one that the settings lead to."""
    with suppress(OSError, ValueError):
        address = _file(settings.data_dir).read_text()
        parts = urlsplit(address)
        with socket.create_connection((parts.hostname or "", parts.port or 0), PATIENCE):
            return address
    return url(settings.host, settings.port)


def _file(data_dir: Path) -> Path:
    return data_dir / "address"
