"""Session tokens: 256 random bits behind a prefix that secret scanners can look for."""

from hashlib import sha256
from secrets import token_urlsafe

PREFIX = "plinth_"
RANDOM_BYTES = 32


def new_token() -> str:
    return PREFIX + token_urlsafe(RANDOM_BYTES)


def token_hash(token: str) -> bytes:
    """What the database stores. A fast hash is enough: 256 random bits cannot be guessed."""
    return sha256(token.encode()).digest()
