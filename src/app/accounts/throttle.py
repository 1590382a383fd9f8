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
from typing import NamedTuple

from sqlalchemy import DateTime, Interval, LargeBinary, bindparam, case, delete, extract, func
from sqlalchemy.dialects.postgresql import insert

from app.accounts.models import Throttle
from app.config import Settings
from app.database.sql import Statement
from app.database.unit_of_work import UnitOfWork

PURGE_SHARE = 0.01  # of the attempts also delete old counters

_interval = bindparam("interval", None, Interval())
_burst = bindparam("burst", None, Interval())
_longest = bindparam("longest", None, Interval())
_key = bindparam("throttle_key", None, LargeBinary())
# Read after the row is locked: concurrent attempts may be counted in any order.
_now = func.clock_timestamp(type_=DateTime(timezone=True))
_in_time = Throttle.due_at <= _now + _burst

# An attempt that comes too early delays the next one, so that hammering makes the wait longer.
# Autonomous: an attempt counts even when its request is rolled back.
ATTEMPT = Statement(
    insert(Throttle)
    .values(key=_key, due_at=_now + _interval)
    .on_conflict_do_update(
        index_elements=[Throttle.key],
        set_={
            "due_at": case(
                (_in_time, func.greatest(Throttle.due_at, _now) + _interval),
                else_=func.greatest(
                    Throttle.due_at, func.least(Throttle.due_at + _interval, _now + _longest)
                ),
            ),
            "refusals": case((_in_time, 0), else_=Throttle.refusals + 1),
        },
    )
    .returning(Throttle.refusals, extract("epoch", Throttle.due_at - _burst - _now).label("wait")),
    autonomous=True,
)
PURGE = Statement(delete(Throttle).where(Throttle.due_at < func.now()), autonomous=True)


@dataclass(frozen=True, slots=True)
class Limit:
    """`attempts` at once, and as many again over each `period`."""

    attempts: int
    period: timedelta = timedelta(minutes=1)
    longest: timedelta = timedelta(minutes=15)  # wait, however many were refused


PER_ACCOUNT = Limit(5)  # from one address
PER_ADDRESS = Limit(20)
# From all network addresses. However often a stranger asks for them, the mailbox still gets one
# mail each twelve minutes.
PER_MAILBOX = Limit(5, timedelta(hours=1), longest=timedelta(0))


class Refusal(NamedTuple):
    wait: int  # seconds
    is_first: bool  # since the last attempt that was allowed


class Throttler:
    """Counts attempts of one kind, such as logins; returns a Refusal when there were too many."""

    def __init__(self, work: UnitOfWork, settings: Settings, kind: str) -> None:
        self._work = work
        self._enabled = settings.throttle_enabled
        self._secret = settings.secret_key.get_secret_value().encode()
        self._kind = kind

    async def attempt(self, account: str, address: str | None) -> Refusal | None:
        """Count an attempt on the account, from a network address."""
        source = f"{self._kind}\n{_source(address)}"
        # Purge before refusing: refused attempts leave counters behind too.
        if self._enabled and random() < PURGE_SHARE:  # noqa: S311 - no secret hangs on it
            await self._work.execute(PURGE)
        refusal = await self._count(f"{source}\n{account}", PER_ACCOUNT)
        return refusal or await self._count(source, PER_ADDRESS)

    async def mail(self, to: str) -> Refusal | None:
        """Count a mail to the address."""
        return await self._count(f"mail {self._kind}\n{to}", PER_MAILBOX)

    async def _count(self, key: str, limit: Limit) -> Refusal | None:
        if not self._enabled:
            return None
        interval = limit.period / limit.attempts
        values = {
            "throttle_key": hmac.digest(self._secret, key.encode(), sha256),
            "interval": interval,
            "burst": interval * (limit.attempts - 1),
            "longest": limit.longest,
        }
        row = await self._work.fetch_one(ATTEMPT, values)
        assert row is not None
        refusals: int = row["refusals"]
        return Refusal(ceil(row["wait"]), is_first=refusals == 1) if refusals else None


def _source(address: str | None) -> str:
    """What counts as one address: with IPv6 the /64, since one user has all of it (RFC 6177)."""
    if address is None:
        return ""
    found = ip_address(address)
    if not isinstance(found, IPv6Address):
        return address
    return str(found.ipv4_mapped or int(found) >> 64)
