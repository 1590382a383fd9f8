"""The statements that count attempts. Where a key is null, nothing is counted under it."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    DateTime,
    Interval,
    LargeBinary,
    and_,
    bindparam,
    case,
    delete,
    exists,
    extract,
    func,
    literal_column,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import insert

from app.accounts.models import Throttle
from app.database.sql import Statement

MAX_FAILURES = 100  # in a row, before the delays between them begin to grow

# After a sign-in, a network address counts its failures alone for so long.
_KNOWN_FOR = literal_column("interval '90 days'", Interval())
# For each failure in a row, so that addresses without an account leave little behind.
_REMEMBERED_FOR = literal_column("interval '1 day' * (throttles.failures + 1)", Interval())
_NO_DELAY = literal_column("interval '0'", Interval())
# From a minute on, doubled with each failure; eleven times are more than a day.
_DELAY = literal_column(
    f"interval '1 minute' * power(2, least(throttles.failures + 1 - {MAX_FAILURES}, 11))",
    Interval(),
)
_A_DAY = literal_column("interval '1 day'", Interval())

# Read after the row is locked: concurrent attempts may be counted in any order.
_now = func.clock_timestamp(type_=DateTime(timezone=True))


def _key(name: str) -> ColumnElement[bytes]:
    return bindparam(f"{name}_key", None, LargeBinary())


def _interval(name: str, what: str) -> ColumnElement[timedelta]:
    return bindparam(f"{name}_{what}", None, Interval())


def _counts(name: str, before: Sequence[CTE]) -> ColumnElement[bool]:
    """Whether there is a key, and no limit before has refused the attempt."""
    refused = (exists().where(each.c.refusals > 0) for each in before)
    return and_(_key(name).is_not(None), *(~each for each in refused))


def _attempt(name: str, before: Sequence[CTE]) -> CTE:
    """Count an attempt under a key, unless that is null or one before was refused.

    One that comes too early delays the next one, so that hammering makes the wait longer.
    """
    interval, burst = _interval(name, "interval"), _interval(name, "burst")
    in_time = Throttle.due_at <= _now + burst
    latest = _now + _interval(name, "longest")
    return (
        insert(Throttle)
        .from_select(
            ["key", "due_at"],
            select(_key(name), _now + interval).where(_counts(name, before)),
        )
        .on_conflict_do_update(
            index_elements=[Throttle.key],
            set_={
                "due_at": case(
                    (in_time, func.greatest(Throttle.due_at, _now) + interval),
                    else_=func.greatest(
                        Throttle.due_at, func.least(Throttle.due_at + interval, latest)
                    ),
                ),
                "refusals": case((in_time, 0), else_=Throttle.refusals + 1),
            },
        )
        .returning(Throttle.refusals, _seconds(Throttle.due_at - burst - _now))
        .cte(name)
    )


def _failure(before: Sequence[CTE]) -> CTE:
    """Count an attempt as a failure, until `succeed` says that it was none.

    Addresses that have signed in to the account count under a key of their own.
    """
    in_time = Throttle.due_at <= _now
    failures = Throttle.failures + 1
    delay = case((failures < MAX_FAILURES, _NO_DELAY), else_=func.least(_DELAY, _A_DAY))
    key = case((_is_known, _key("own")), else_=_key("strangers"))
    return (
        insert(Throttle)
        .from_select(
            ["key", "due_at", "failures", "kept_until"],
            select(key, _now, 1, _now + _A_DAY).where(_counts("strangers", before)),
        )
        .on_conflict_do_update(
            index_elements=[Throttle.key],
            set_={
                "due_at": case((in_time, _now + delay), else_=Throttle.due_at),
                "failures": case((in_time, failures), else_=Throttle.failures),
                "kept_until": func.greatest(Throttle.kept_until, _now + _REMEMBERED_FOR),
                "refusals": case((in_time, 0), else_=Throttle.refusals + 1),
            },
        )
        .returning(Throttle.refusals, _seconds(Throttle.due_at - _now))
        .cte("failures")
    )


def _seconds(wait: ColumnElement[Any]) -> ColumnElement[Any]:
    return extract("epoch", wait).label("wait")


def _attempts(*names: str, failures: bool = False) -> Statement:
    """Count an attempt under each key in turn, up to the first that refuses it.

    Autonomous: an attempt counts even when its request is rolled back. Keys are locked in the same
    order by all, so that no two wait for each other.
    """
    counted: list[CTE] = []
    for name in names:
        counted.append(_attempt(name, counted))
    if failures:
        counted.append(_failure(counted))
    refused = (select(each.c.refusals, each.c.wait).where(each.c.refusals > 0) for each in counted)
    return Statement(union_all(*refused).add_cte(*counted), autonomous=True)


_known = Throttle.__table__.alias("known")
_is_known = exists().where(_known.c.key == _key("own"), _known.c.kept_until > func.now())

ATTEMPT = _attempts("account", "net64", "net56", "net48", failures=True)
MAIL = _attempts("mailbox")
_fresh = {"due_at": func.now(), "failures": 0, "refusals": 0, "kept_until": func.now() + _KNOWN_FOR}
SUCCESS = Statement(
    insert(Throttle)
    .values(key=_key("own"), **_fresh)
    .on_conflict_do_update(index_elements=[Throttle.key], set_=_fresh)
    .add_cte(delete(Throttle).where(Throttle.key == _key("strangers"), ~_is_known).cte("forgiven")),
    autonomous=True,
)
_old = (
    select(Throttle.key)
    .where(func.greatest(Throttle.due_at, Throttle.kept_until) < func.now())
    .with_for_update(skip_locked=True)
    .cte("old")
)
PURGE = Statement(delete(Throttle).where(Throttle.key.in_(select(_old))), autonomous=True)
