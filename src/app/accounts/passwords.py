"""Checks, hashes and verifies passwords: off the event loop, and a limited number at once."""

import asyncio
import os
import re
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from threading import get_native_id
from unicodedata import normalize

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from zxcvbn import zxcvbn

from app.accounts.breaches import is_breached
from app.config import Settings
from app.exceptions import FieldError, Invalid, ServiceUnavailable

MAX_LENGTH = 256  # characters of the normal form
MAX_TYPED = 4 * MAX_LENGTH  # before NFKC, which may compose four characters to one

# OWASP Password Storage Cheat Sheet: argon2id with 19 MiB, 2 passes and 1 lane, or more.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_WORKERS = 2 * (os.cpu_count() or 1)
_MAX_WAITING = 128
_NICENESS = 10  # a tenth of the share of the processors that an ordinary thread has
_JUDGED = 24  # characters; zxcvbn's time grows with the square of them
_TOO_GUESSABLE = 1  # zxcvbn's score for fewer than 10^6 guesses
_SHORTEST_NAME = 3  # letters or digits; shorter names occur in any text
_SHORTEST_REST = 8  # characters, the least that password_min_length may be
# zxcvbn tries every combination of the letters that such a sign may stand for, which would take
# seconds for some passwords.
_ALIKE = str.maketrans("@{[<|!$+", "4(((1157")


def _go_last() -> None:
    """Give hashing a lower priority than other work, on Linux, where threads have priorities."""
    if sys.platform == "linux":
        with suppress(OSError):  # in a sandbox that forbids it
            os.setpriority(os.PRIO_PROCESS, get_native_id(), _NICENESS)


_threads = ThreadPoolExecutor(_WORKERS, thread_name_prefix="argon2", initializer=_go_last)
_waiting = 0


async def hash_password(password: str) -> str:
    """Raises ServiceUnavailable when too many are waiting already."""
    return await _off_the_loop(lambda: _HASHER.hash(_normal(password)))


async def verify_password(password_hash: str | None, password: str) -> bool:
    """Without a hash, takes the time that verifying one would have taken, and fails."""

    def verify() -> bool:
        try:
            return _HASHER.verify(password_hash or _dummy(), _normal(password))
        except (VerificationError, InvalidHashError):
            return False

    return await _off_the_loop(verify) and password_hash is not None


def needs_rehash(password_hash: str) -> bool:
    return _HASHER.check_needs_rehash(password_hash)


async def require_strong(password: str, *, email: str, settings: Settings, field: str) -> None:
    """Raises Invalid for a password that is too short, common, breached or made of known names.

    NIST 800-63B-4, 3.1.1.2: length and a blocklist, but no rules of composition. The known names
    (ASVS 5, 6.1.2) are the product's, the address, and the parts of it.
    """
    normal, minimum = _normal(password), settings.password_min_length
    # NFKC may make eighteen characters of one.
    if min(len(password), len(normal)) < minimum:
        message = f"must have at least {minimum} characters"
        raise _refused(field, message, "password_too_short")
    if len(normal) > MAX_LENGTH:
        message = f"may have at most {MAX_LENGTH} characters"
        raise _refused(field, message, "password_too_long")
    names = _names(settings.app_name, email)
    if await _off_the_loop(lambda: _is_guessable(normal, names)):
        message = "is too easy to guess: it is common, repetitive, or made of a known name"
        raise _refused(field, message, "password_too_common")
    if settings.password_breach_url and await is_breached(password, settings.password_breach_url):
        raise _refused(field, "is known from a breach: choose another", "password_breached")


def _names(product: str, email: str) -> list[str]:
    """The known names for an address, in plain letters and digits; the longest first."""
    wholes = [product, *email.split("@")]
    parts = [part for whole in wholes for part in re.split(r"[\W_]+", whole)]
    names = {_plain(name) for name in [email, *wholes, *parts]}
    return sorted((each for each in names if len(each) >= _SHORTEST_NAME), key=len, reverse=True)


def _is_guessable(password: str, names: list[str]) -> bool:
    """Whether the password is common, or what is left of it without the names."""
    plain = rest = _plain(password)
    for name in names:
        rest = rest.replace(name, "")
    if rest != plain and (len(rest) < _SHORTEST_REST or _is_common(rest, names)):
        return True
    return _is_common(password, names)


def _is_common(text: str, names: list[str]) -> bool:
    inputs = [name[:_JUDGED].translate(_ALIKE) for name in names]
    score: int = zxcvbn(text[:_JUDGED].translate(_ALIKE), user_inputs=inputs)["score"]
    return score <= _TOO_GUESSABLE


def _plain(text: str) -> str:
    return "".join(filter(str.isalnum, _normal(text).casefold()))


def _refused(field: str, message: str, code: str) -> Invalid:
    return Invalid(errors=[FieldError(("body", field), message, code)])


def _normal(password: str) -> str:
    return normalize("NFKC", password)


@cache
def _dummy() -> str:
    return _HASHER.hash(os.urandom(16))


async def _off_the_loop[T](work: Callable[[], T]) -> T:
    global _waiting  # noqa: PLW0603 - one limit for the process
    if _waiting >= _MAX_WAITING:
        raise ServiceUnavailable
    _waiting += 1
    try:
        return await asyncio.get_running_loop().run_in_executor(_threads, work)
    finally:
        _waiting -= 1
