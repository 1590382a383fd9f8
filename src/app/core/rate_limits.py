"""How many requests a minute one user, or one network address, may send to a worker.

Each worker counts by itself and in memory: a counter in PostgreSQL would be a write for each
request, and what is protected here is the worker. So it costs about a microsecond.
"""

from collections.abc import Hashable
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from math import ceil
from time import monotonic

from app.config import Settings
from app.exceptions import RateLimited

WINDOW = 60.0  # seconds
MAX_KEYS = 50_000  # of a generation, of which there are two: some ten megabytes


class RateLimit:
    """`per_minute` at once, and as many again over each minute; 0 is no limit.

    The generic cell rate algorithm: of each key it is known until when its requests would take if
    they came evenly. Keys are forgotten by generations, since after a minute all is forgiven.
    """

    def __init__(self, name: str, per_minute: int) -> None:
        self._interval = WINDOW / per_minute if per_minute else 0.0
        self._burst = WINDOW - self._interval
        self._policy = f'"{name}";q={per_minute};w={WINDOW:.0f}'
        self._name = name
        self._due: dict[Hashable, float] = {}
        self._due_before: dict[Hashable, float] = {}
        self._next_generation = 0.0

    def require(self, key: Hashable) -> None:
        """Count a request; raises RateLimited when it is one too many."""
        if not self._interval:
            return
        now = monotonic()
        if now >= self._next_generation or len(self._due) >= MAX_KEYS:
            self._due_before, self._due = self._due, {}
            self._next_generation = now + WINDOW
        due = self._due.get(key) or self._due_before.get(key, now)
        if due < now:  # not max(): this is done twice for each request
            due = now
        elif due > now + self._burst:
            raise self._refusal(ceil(due - now - self._burst))
        self._due[key] = due + self._interval

    def __len__(self) -> int:
        return len(self._due) + len(self._due_before)

    def _refusal(self, wait: int) -> RateLimited:
        """With the headers of draft-ietf-httpapi-ratelimit-headers-10."""
        error = RateLimited(wait, f"Too many requests: try again in {wait} s")
        error.headers["RateLimit"] = f'"{self._name}";r=0;t={wait}'
        error.headers["RateLimit-Policy"] = self._policy
        return error


class RateLimits:
    """Those of one worker."""

    def __init__(self, settings: Settings) -> None:
        self.per_user = RateLimit("user", settings.user_requests_per_minute)
        self.per_address = RateLimit("address", settings.address_requests_per_minute)


@lru_cache(10_000)
def network_of(host: str) -> str:
    """What counts as one address: of IPv6 a /64, since one user has all of it (RFC 6177)."""
    try:
        found = ip_address(host.partition("%")[0])
    except ValueError:  # what a trusted proxy forwarded is no address
        return host[:100]
    if not isinstance(found, IPv6Address):
        return host
    return str(found.ipv4_mapped or int(found) >> 64)
