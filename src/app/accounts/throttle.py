"""Limits attempts with counters in PostgreSQL: atomic, shared by all workers, restart-proof.

The generic cell rate algorithm (ITU-T I.371) needs one time for each key: when the next attempt
would be due if they came evenly. Guesses at a password are counted besides: NIST SP 800-63B-4,
3.2.2, lets an account take 100 wrong ones in a row.
"""

import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from ipaddress import IPv6Address, ip_address, ip_network
from math import ceil
from random import random
from typing import NamedTuple

from app.accounts.throttle_sql import ATTEMPT, MAIL, PURGE, SUCCESS
from app.config import Settings
from app.database.sql import Statement, Values
from app.database.unit_of_work import UnitOfWork

PURGE_SHARE = 0.01  # of the attempts also delete old counters


@dataclass(frozen=True, slots=True)
class Limit:
    """`attempts` at once, and as many again over each `period`."""

    attempts: int
    period: timedelta = timedelta(minutes=1)
    longest: timedelta = timedelta(minutes=15)  # wait, however many were refused


PER_ACCOUNT = Limit(5)  # from one address
# By the bits of a network: users of IPv6 have a /64 each, sites a /56 or a /48 (RFC 6177).
PER_ADDRESS = {64: Limit(20), 56: Limit(40), 48: Limit(80)}
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
        self._secret = settings.secret_keys[0].encode()
        self._kind = kind

    async def attempt(
        self, account: str, address: str | None, *, guesses: bool = False
    ) -> Refusal | None:
        """Count an attempt on the account, from a network address.

        One that guesses at the password counts as a failure too, until there is a `success`.
        """
        # Purge before refusing: refused attempts leave counters behind too.
        if self._enabled and random() < PURGE_SHARE:  # noqa: S311 - no secret hangs on it
            await self._work.execute(PURGE)
        sources = dict(_networks(address))
        values = self._limit("account", f"{self._kind}\n{sources[64]}\n{account}", PER_ACCOUNT)
        for bits, source in sources.items():
            values |= self._limit(f"net{bits}", f"{self._kind}\n{source}", PER_ADDRESS[bits])
        if guesses:
            values |= self._failures(account, sources[64])
        return await self._count(ATTEMPT, values)

    async def success(self, account: str, address: str | None) -> None:
        """The last attempt was none of a row of failures, and the address is known from now on."""
        if self._enabled:
            source = dict(_networks(address))[64]
            await self._work.execute(SUCCESS, self._failures(account, source))

    async def mail(self, to: str) -> Refusal | None:
        """Count a mail to the address."""
        limit = self._limit("mailbox", f"mail {self._kind}\n{to}", PER_MAILBOX)
        return await self._count(MAIL, limit)

    async def _count(self, statement: Statement, values: Values) -> Refusal | None:
        row = await self._work.fetch_one(statement, values) if self._enabled else None
        return Refusal(max(1, ceil(row["wait"])), row["refusals"] == 1) if row else None

    def _limit(self, name: str, key: str, limit: Limit) -> dict[str, object]:
        interval = limit.period / limit.attempts
        return {
            f"{name}_key": self._hash(key),
            f"{name}_interval": interval,
            f"{name}_burst": interval * (limit.attempts - 1),
            f"{name}_longest": limit.longest,
        }

    def _failures(self, account: str, source: str) -> dict[str, object]:
        """The keys under which failures count: of whichever kind, since the password is one."""
        return {
            "strangers_key": self._hash(f"failures\n{account}"),
            "own_key": self._hash(f"failures\n{account}\n{source}"),
        }

    def _hash(self, key: str) -> bytes:
        return hmac.digest(self._secret, key.encode(), sha256)


def _networks(address: str | None) -> Iterator[tuple[int, str]]:
    """What counts as one address, by bits: one of IPv4 as a user's /64 of IPv6, and no larger."""
    found = ip_address(address) if address is not None else None
    if isinstance(found, IPv6Address) and found.ipv4_mapped is None:
        for bits in PER_ADDRESS:
            yield bits, str(ip_network((found, bits), strict=False))
    else:
        yield 64, str(getattr(found, "ipv4_mapped", found) or "")
