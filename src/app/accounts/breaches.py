"""Whether a password is known from breaches, asked without telling which one it is.

The first five digits of its SHA-1 are sent, and the rest is looked for in the hundreds of hashes
that come back (https://haveibeenpwned.com/API/v3#PwnedPasswords, whose range API others offer too).
"""

import asyncio
from hashlib import sha1
from http.client import HTTPException
from urllib.request import Request, urlopen

import structlog

PATIENCE = 1.0  # seconds; a service that is slow or away keeps nobody from signing up
MAX_ANSWER = 1024 * 1024  # bytes
SENT = 5  # digits

_log = structlog.get_logger(__name__)


async def is_breached(password: str, url: str) -> bool:
    """False if the service at the URL does not answer in time."""
    digest = sha1(password.encode(), usedforsecurity=False).hexdigest().upper()
    try:
        async with asyncio.timeout(PATIENCE):
            answer = await asyncio.to_thread(_range, f"{url}/range/{digest[:SENT]}")
    except (OSError, HTTPException, TimeoutError) as error:
        _log.warning("breach_check_failed", error=type(error).__name__)
        return False
    # With padding, there are hashes that nobody had, zero times.
    found = (line.partition(b":") for line in answer.split())
    rest = digest[SENT:].encode()
    return any(suffix.upper() == rest and count.strip(b"0") for suffix, _, count in found)


def _range(url: str) -> bytes:
    request = Request(url, headers={"Add-Padding": "true", "User-Agent": "plinth"})  # noqa: S310 - of our settings
    with urlopen(request, timeout=PATIENCE) as response:  # noqa: S310
        answer: bytes = response.read(MAX_ANSWER)
        return answer
