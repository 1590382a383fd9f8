"""Limits attempts with counters in PostgreSQL: atomic, shared by all workers, restart-proof.

The generic cell rate algorithm (ITU-T I.371) needs one time for each key: when the next attempt
would be due if they came evenly.
"""

import hmac
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from ipaddress import IPv6Address, ip_address
from math import ceil
from random import random

from sqlalchemy import DateTime, Interval, LargeBinary, bindparam, case, delete, extract, func
from sqlalchemy.dialects.postgresql import insert

from app.auth.models import Throttle
from app.config import Settings
from app.database import UnitOfWork
from app.exceptions import RateLimited
from app.sql import Statement

PURGE_SHARE = 0.01  # of the attempts clear away what is long due

_interval = bindparam("interval", None, Interval())
_burst = bindparam("burst", None, Interval())
_longest = bindparam("longest", None, Interval())
_key = bindparam("throttle_key", None, LargeBinary())
# Read when the row is locked: of many attempts at once, the first to start may count last.
_now = func.clock_timestamp(type_=DateTime(timezone=True))
_in_time = Throttle.due_at <= _now + _burst

# An attempt that comes too early is put off further, so that hammering takes ever longer.
# Autonomous: it counts even when the request that made it is rolled back.
ATTEMPT = Statement(
    insert(Throttle)
    .values(key=_key, due_at=_now + _interval)
    .on_conflict_do_update(
        index_elements=[Throttle.key],
        set_={
            "due_at": case(
                (_in_time, func.greatest(Throttle.due_at, _now) + _interval),
                else_=func.least(Throttle.due_at + _interval, _now + _longest),
            )
        },
    )
    .returning(
        (Throttle.due_at <= _now + _burst + _interval).label("judged"),
        extract("epoch", Throttle.due_at - _burst - _now).label("wait"),
    ),
    autonomous=True,
)
PURGE = Statement(delete(Throttle).where(Throttle.due_at < func.now()), autonomous=True)


@dataclass(frozen=True, slots=True)
class Limit:
    """`attempts` at once, and as many again over each `period`."""

    attempts: int
    period: timedelta = timedelta(minutes=1)
    longest: timedelta = timedelta(minutes=15)  # wait, after which hammering is forgotten


PER_ACCOUNT = Limit(5)  # from one address
PER_ADDRESS = Limit(20)


class Throttler:
    """Judges attempts of one kind, such as logins, from one network address."""

    def __init__(
        self, work: UnitOfWork, settings: Settings, kind: str, address: str | None
    ) -> None:
        self._work = work
        self._enabled = settings.throttle_enabled
        self._secret = settings.secret_key.get_secret_value().encode()
        self._prefix = f"{kind}\n{_source(address)}"

    async def attempt(self, account: str) -> None:
        """Count an attempt on the account; raises RateLimited when there were too many."""
        if not self._enabled:
            return
        # Before anything is refused: who only ever is leaves counters behind too.
        if random() < PURGE_SHARE:  # noqa: S311 - no secret hangs on it
            await self._work.execute(PURGE)
        await self._count(f"{self._prefix}\n{account}", PER_ACCOUNT)
        await self._count(self._prefix, PER_ADDRESS)

    async def _count(self, key: str, limit: Limit) -> None:
        interval = limit.period / limit.attempts
        values = {
            "throttle_key": hmac.digest(self._secret, key.encode(), sha256),
            "interval": interval,
            "burst": interval * (limit.attempts - 1),
            "longest": limit.longest,
        }
        row = await self._work.fetch_one(ATTEMPT, values)
        assert row is not None
        if not row["judged"]:
            raise RateLimited(ceil(row["wait"]))


def _source(address: str | None) -> str:
    """What counts as one address: with IPv6, everybody has 2^64 of them (RFC 6177)."""
    if address is None:
        return ""
    found = ip_address(address)
    if not isinstance(found, IPv6Address):
        return address
    return str(found.ipv4_mapped or int(found) >> 64)
