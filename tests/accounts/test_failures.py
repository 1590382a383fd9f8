"""Wrong passwords in a row, from however many addresses they come."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from app.accounts.throttle import PER_ADDRESS
from app.database.connections import Database
from app.main import Application
from tests.accounts.steps import (
    ALICE,
    EMAIL,
    NEW_PASSWORD,
    WRONG_PASSWORD,
    execute,
    fetch,
    login,
    post,
)
from tests.accounts.throttling import client_at, statuses
from tests.factories import create_user
from tests.mailbox import Mailbox
from tests.problems import read_problem
from tests.statements import recorded_statements

HOME = "203.0.113.7"
ELSEWHERE = "203.0.113.8"
LATER = "UPDATE throttles SET due_at = now()"


def strangers(count: int) -> Iterable[str]:
    return (f"198.51.{n // 250}.{n % 250}" for n in range(count))


async def guess(app: Application, addresses: Iterable[str], email: str = EMAIL) -> Counter[int]:
    """What comes of a wrong login from each address, all at once."""
    clients = [client_at(app, address) for address in addresses]
    try:
        return await statuses(
            *(login(each, email=email, password=WRONG_PASSWORD) for each in clients)
        )
    finally:
        for each in clients:
            await each.aclose()


async def sign_in_at(app: Application, address: str, email: str = EMAIL) -> httpx.Response:
    async with client_at(app, address) as client:
        return await login(client, email=email)


async def fail(database: Database, times: int, *, known: bool = False) -> None:
    """Have so many failures been counted, from strangers or from a known address."""
    later = "kept_until > now() + interval '89 days'"
    which = later if known else f"kept_until IS NOT NULL AND NOT {later}"
    await execute(database, f"UPDATE throttles SET failures = {times} WHERE {which}")  # noqa: S608 - ours


@pytest.fixture(autouse=True)
async def user(database: Database) -> None:
    await create_user(database, EMAIL)


class TestStrangers:
    async def test_a_hundred_failures_are_judged_over_all_addresses(
        self, throttled: Application
    ) -> None:
        assert await guess(throttled, strangers(110)) == {401: 100, 429: 10}

    async def test_then_the_delay_grows_from_a_minute_to_a_day(
        self, throttled: Application, database: Database
    ) -> None:
        await guess(throttled, ["198.51.100.1"])
        await fail(database, 99)
        waits = []
        for address in strangers(13):
            await execute(database, LATER)
            assert await guess(throttled, [address]) == {401: 1}
            refused = await sign_in_at(throttled, ELSEWHERE)
            read_problem(refused, 429, "RATE_LIMITED")
            waits.append(int(refused.headers["Retry-After"]))
        assert waits[:4] == [pytest.approx(60 * 2**n, abs=20) for n in range(4)]
        assert waits[-2:] == [pytest.approx(24 * 60 * 60, abs=20)] * 2

    async def test_who_is_refused_makes_nobody_wait_longer(
        self, throttled: Application, database: Database
    ) -> None:
        await guess(throttled, ["198.51.100.1"])
        await fail(database, 99)
        assert await guess(throttled, strangers(20)) == {401: 1, 429: 19}
        refused = await sign_in_at(throttled, ELSEWHERE)
        assert int(refused.headers["Retry-After"]) <= 60

    async def test_the_right_password_ends_the_row(
        self, throttled: Application, database: Database
    ) -> None:
        await guess(throttled, ["198.51.100.1"])
        await fail(database, 99)
        assert (await sign_in_at(throttled, HOME)).status_code == 200
        assert await guess(throttled, strangers(3)) == {401: 3}
        counted = await fetch(database, "SELECT failures FROM throttles WHERE failures > 0")
        assert [row["failures"] for row in counted] == [3]

    async def test_accounts_that_do_not_exist_are_treated_alike(
        self, throttled: Application, database: Database
    ) -> None:
        nobody = "nobody@example.com"
        await guess(throttled, ["198.51.100.1"], nobody)
        await fail(database, 99)
        assert await guess(throttled, strangers(3), nobody) == {401: 1, 429: 2}


class TestKnownAddresses:
    async def test_strangers_do_not_lock_their_owner_out(
        self, throttled: Application, database: Database
    ) -> None:
        assert (await sign_in_at(throttled, HOME)).status_code == 200
        await guess(throttled, ["198.51.100.1"])
        await fail(database, 100)
        await execute(database, "UPDATE throttles SET due_at = now() + interval '1 hour' "
                      "WHERE failures = 100")  # fmt: skip
        assert (await sign_in_at(throttled, ELSEWHERE)).status_code == 429
        assert (await sign_in_at(throttled, HOME)).status_code == 200
        # What was no stranger's success forgives no stranger.
        assert (await sign_in_at(throttled, ELSEWHERE)).status_code == 429

    async def test_have_a_hundred_failures_too(
        self, throttled: Application, database: Database
    ) -> None:
        await sign_in_at(throttled, HOME)
        await fail(database, 99, known=True)
        assert await guess(throttled, [HOME] * 2) == {401: 1, 429: 1}
        assert (await sign_in_at(throttled, ELSEWHERE)).status_code == 200

    async def test_are_forgotten_in_time(self, throttled: Application, database: Database) -> None:
        await sign_in_at(throttled, HOME)
        await guess(throttled, ["198.51.100.1"])
        await execute(database, "UPDATE throttles SET kept_until = now() WHERE failures = 0")
        await fail(database, 99)
        assert await guess(throttled, [HOME, "198.51.100.2"]) == {401: 1, 429: 1}

    async def test_are_those_where_a_password_was_reset(
        self, throttled: Application, database: Database, mailbox: Mailbox
    ) -> None:
        throttled.mailer = mailbox
        await guess(throttled, ["198.51.100.1"])
        await fail(database, 100)
        await execute(database, "UPDATE throttles SET due_at = now() + interval '1 hour'")
        async with client_at(throttled, HOME) as owner:
            assert (await post(owner, "password-reset", email=EMAIL)).status_code == 202
            reset = {"token": mailbox.token(), "new_password": NEW_PASSWORD}
            assert (await post(owner, "password-reset/confirm", **reset)).status_code == 204
            assert (await login(owner, password=NEW_PASSWORD)).status_code == 200


async def test_the_password_of_a_session_is_guessed_within_the_same_limit(
    throttled: Application, alice: httpx.AsyncClient, database: Database
) -> None:
    headers = {"Authorization": alice.headers["Authorization"]}
    await guess(throttled, ["198.51.100.1"], ALICE)
    await fail(database, 98)
    answers = []
    for address in strangers(3):
        async with client_at(throttled, address, **headers) as client:
            body = {"current_password": WRONG_PASSWORD}
            answers.append((await post(client, "reauthenticate", **body)).status_code)
    assert answers == [401, 401, 429]


@pytest.mark.parametrize(
    ("network", "bits", "judged"),
    [("2001:db8:0:00{:02x}::1", 56, 40), ("2001:db8:0:{:02x}00::1", 48, 80)],
)
async def test_wider_networks_of_ipv6_are_limited_too(
    throttled: Application, monkeypatch: pytest.MonkeyPatch, network: str, bits: int, judged: int
) -> None:
    slowly = replace(PER_ADDRESS[bits], period=timedelta(hours=1))  # so that none comes back
    monkeypatch.setitem(PER_ADDRESS, bits, slowly)
    answers: Counter[int] = Counter()
    for number in range(judged + 5):
        async with client_at(throttled, network.format(number)) as client:
            answer = await post(client, "password-reset", email=f"{number}@example.com")
            answers[answer.status_code] += 1
    assert answers == {202: judged, 429: 5}


async def test_a_login_asks_the_database_no_more_often_for_it(
    throttled: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.accounts.throttle.PURGE_SHARE", 0)  # which a hundredth would do too
    async with client_at(throttled) as client:
        await login(client)  # which replaces the cheap hash
        with recorded_statements() as statements:
            assert (await login(client)).status_code == 200
        with recorded_statements() as of_a_failure:
            assert (await login(client, password=WRONG_PASSWORD)).status_code == 401
    words = " ".join(each.split()[0] for each in statements)
    assert words == "WITH SELECT WITH BEGIN WITH DELETE INSERT COMMIT"
    assert " ".join(each.split()[0] for each in of_a_failure) == "WITH SELECT INSERT"
