import re

import pytest

from app.core.rate_limits import RateLimit, network_of
from app.exceptions import RateLimited


class Clock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr("app.core.rate_limits.monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def taken(limit: RateLimit, key: str, attempts: int) -> int:
    """How many of the attempts are let through."""
    count = 0
    for _ in range(attempts):
        try:
            limit.require(key)
        except RateLimited:
            continue
        count += 1
    return count


@pytest.mark.usefixtures("clock")
def test_so_many_at_once_for_each_key() -> None:
    limit = RateLimit("user", 60)
    assert taken(limit, "a", 100) == 60
    assert taken(limit, "b", 100) == 60


def test_and_as_many_again_over_a_minute(clock: Clock) -> None:
    limit = RateLimit("user", 60)
    taken(limit, "a", 60)
    for _ in range(200):
        clock.now += 1
        assert taken(limit, "a", 5) == 1
    clock.now += 60
    assert taken(limit, "a", 100) == 60


def test_hammering_makes_the_wait_no_longer(clock: Clock) -> None:
    limit = RateLimit("user", 60)
    taken(limit, "a", 1000)
    clock.now += 1
    assert taken(limit, "a", 1) == 1


def test_a_refusal_says_when_there_is_more(clock: Clock) -> None:
    limit = RateLimit("user", 6)
    taken(limit, "a", 6)
    clock.now += 3
    with pytest.raises(RateLimited) as refused:
        limit.require("a")
    headers = refused.value.headers
    assert headers["Retry-After"] == "7"
    assert re.fullmatch(r'"user";r=0;t=7', headers["RateLimit"])
    assert headers["RateLimit-Policy"] == '"user";q=6;w=60'
    clock.now += 7
    limit.require("a")


def test_zero_is_no_limit() -> None:
    limit = RateLimit("user", 0)
    assert taken(limit, "a", 10_000) == 10_000
    assert len(limit) == 0


def test_memory_is_bounded(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.core.rate_limits.MAX_KEYS", 100)
    limit = RateLimit("user", 2)
    for number in range(10_000):
        taken(limit, str(number), 1)
        assert len(limit) <= 200
    clock.now += 60
    taken(limit, "a", 1)
    clock.now += 60
    taken(limit, "a", 1)
    assert len(limit) == 2  # of which one is from the generation before


def test_what_was_counted_lives_over_the_change_of_generations(clock: Clock) -> None:
    limit = RateLimit("user", 60)
    limit.require("first")  # its generation ends in a minute
    clock.now += 59
    assert taken(limit, "a", 100) == 60
    clock.now += 2
    assert taken(limit, "a", 100) == 2


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("203.0.113.7", "203.0.113.8", False),
        ("203.0.113.7", "::ffff:203.0.113.7", True),
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::2%eth1", True),
        ("unknown", "unknown", True),
    ],
)
def test_what_counts_as_one_address(one: str, other: str, *, same: bool) -> None:
    assert (network_of(one) == network_of(other)) is same
