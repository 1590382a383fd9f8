import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from app.accounts.throttle_sql import PURGE
from app.database.connections import Database
from app.main import Application
from tests.accounts.steps import (
    ALICE,
    AUTH,
    EMAIL,
    NEW_PASSWORD,
    WRONG_PASSWORD,
    execute,
    fetch,
    login,
    post,
    register,
)
from tests.accounts.throttling import client_at, statuses, throttling
from tests.factories import PASSWORD, SignIn, create_user
from tests.mailbox import Mailbox
from tests.problems import read_problem

ELSEWHERE = "203.0.113.7"

type Told = Callable[[], Awaitable[list[tuple[Any, ...]]]]


class TestPerAccount:
    async def test_of_forty_wrong_logins_at_once_five_are_judged(
        self, throttled: Application
    ) -> None:
        async with client_at(throttled) as client:
            attempts = [login(client, password=WRONG_PASSWORD) for _ in range(40)]
            responses = await asyncio.gather(*attempts)
        assert Counter(each.status_code for each in responses) == {401: 5, 429: 35}
        refused = [each for each in responses if each.status_code == 429]
        for each in refused:
            read_problem(each, 429, "RATE_LIMITED")
        # Each attempt delays the next one by another twelve seconds, or fifteen minutes at most.
        waits = sorted(int(each.headers["Retry-After"]) for each in refused)
        assert waits == [pytest.approx(12 * n, abs=3) for n in range(2, 37)]

    async def test_the_delay_grows_to_a_quarter_of_an_hour(
        self, throttled: Application, database: Database
    ) -> None:
        async with client_at(throttled) as client:
            for _ in range(5):
                await login(client, password=WRONG_PASSWORD)
            await execute(database, "UPDATE throttles SET due_at = now() + interval '14 minutes'")
            waits = [int((await login(client)).headers["Retry-After"]) for _ in range(8)]
        assert waits == sorted(waits)
        assert waits[-1] == pytest.approx(15 * 60 - 48, abs=3)

    async def test_an_attempt_is_judged_again_after_the_delay(
        self, throttled: Application, database: Database
    ) -> None:
        await create_user(database, EMAIL)
        async with client_at(throttled) as client:
            for _ in range(5):
                await login(client, password=WRONG_PASSWORD)
            refused = await login(client)
            wait = int(refused.headers["Retry-After"])
            assert wait == pytest.approx(24, abs=2)
            waited = "UPDATE throttles SET due_at = due_at - interval '{} seconds'"
            await execute(database, waited.format(wait))
            assert (await login(client)).status_code == 200
            assert (await login(client)).status_code == 429

    async def test_a_stranger_does_not_lock_the_owner_out(
        self, throttled: Application, database: Database
    ) -> None:
        await create_user(database, EMAIL)
        async with client_at(throttled, ELSEWHERE) as stranger, client_at(throttled) as owner:
            attempts = [login(stranger, password=WRONG_PASSWORD) for _ in range(12)]
            assert await statuses(*attempts) == {401: 5, 429: 7}
            assert (await login(owner)).status_code == 200

    async def test_a_restart_forgets_nothing(self, app: Application) -> None:
        for expected in ({401: 5, 429: 1}, {429: 6}):
            async with throttling(app) as enabled, client_at(enabled) as client:
                attempts = [login(client, password=WRONG_PASSWORD) for _ in range(6)]
                assert await statuses(*attempts) == expected

    async def test_the_address_counts_in_any_case(self, throttled: Application) -> None:
        async with client_at(throttled) as client:
            emails = [EMAIL, EMAIL.upper(), EMAIL.title()]
            attempts = [login(client, email=email) for email in emails * 3]
            assert await statuses(*attempts) == {401: 5, 429: 4}


class TestPerAddress:
    async def test_one_address_cannot_try_many_accounts(self, throttled: Application) -> None:
        async with client_at(throttled) as client, client_at(throttled, ELSEWHERE) as other:
            emails = [f"user{n}@example.com" for n in range(25)]
            attempts = [post(client, "password-reset", email=email) for email in emails]
            assert await statuses(*attempts) == {202: 20, 429: 5}
            assert (await post(other, "password-reset", email=EMAIL)).status_code == 202

    @pytest.mark.parametrize(
        ("one", "other", "same"),
        [
            ("2001:db8::1", "2001:db8::ffff:1", True),  # one network of 2^64 addresses
            ("2001:db8::1", "2001:db8:0:1::1", False),
            ("::ffff:203.0.113.7", ELSEWHERE, True),
            ("::ffff:203.0.113.7", "::ffff:203.0.113.8", False),
        ],
    )
    async def test_of_ipv6_a_network_counts(
        self, throttled: Application, one: str, other: str, *, same: bool
    ) -> None:
        async with client_at(throttled, one) as client, client_at(throttled, other) as neighbour:
            await statuses(*(post(client, "password-reset", email=EMAIL) for _ in range(6)))
            answer = await post(neighbour, "password-reset", email=EMAIL)
            assert answer.status_code == (429 if same else 202)


class TestPerMailbox:
    async def test_many_strangers_do_not_flood_it_nor_keep_mail_from_it(
        self, throttled: Application, mailbox: Mailbox, database: Database
    ) -> None:
        throttled.mailer = mailbox
        user = await create_user(database, EMAIL)

        async def ask(*addresses: int) -> Counter[int]:
            answers = []
            for number in addresses:
                async with client_at(throttled, f"198.51.100.{number}") as stranger:
                    answers.append(await post(stranger, "password-reset", email=EMAIL))
            return Counter(each.status_code for each in answers)

        assert await ask(*range(20)) == {202: 20}
        assert mailbox.sent == [("password_reset", EMAIL)] * 5
        told = await fetch(
            database, "SELECT user_id, ip FROM security_events WHERE event = 'throttled'"
        )
        assert [tuple(row) for row in told] == [(user.id, "198.51.100.5")]
        await execute(database, "UPDATE throttles SET due_at = due_at - interval '12 minutes'")
        assert await ask(20, 21) == {202: 2}
        assert len(mailbox.sent) == 6
        async with client_at(throttled) as owner:
            reset = {"token": mailbox.token(), "new_password": NEW_PASSWORD}
            assert (await post(owner, "password-reset/confirm", **reset)).status_code == 204

    @pytest.mark.parametrize(
        ("path", "body"),
        [
            ("email-verification", {}),
            ("email-change", {"current_password": PASSWORD, "new_email": EMAIL}),
        ],
    )
    async def test_gets_five_of_any_other_kind_wherever_they_are_asked_for(
        self,
        throttled: Application,
        mailbox: Mailbox,
        alice: httpx.AsyncClient,
        path: str,
        body: dict[str, str],
    ) -> None:
        throttled.mailer = mailbox
        headers = {"Authorization": alice.headers["Authorization"]}
        answers = []
        for number in range(7):
            async with client_at(throttled, f"198.51.100.{number}", **headers) as client:
                answers.append(await post(client, path, **body))
        assert [each.status_code for each in answers] == [202] * 5 + [429] * 2
        waits = [int(each.headers["Retry-After"]) for each in answers[5:]]
        assert waits == [pytest.approx(12 * 60, abs=3)] * 2  # of which hammering makes no more
        assert len(mailbox.sent) == 5


class TestWhatIsTold:
    @pytest.fixture
    async def told(self, database: Database) -> Told:
        """The user and the network address of each THROTTLED event."""

        async def read() -> list[tuple[Any, ...]]:
            rows = await fetch(
                database, "SELECT user_id, ip FROM security_events WHERE event = 'throttled'"
            )
            return [tuple(row) for row in rows]

        return read

    async def test_is_the_first_refusal_on_an_account(
        self, throttled: Application, database: Database, told: Told
    ) -> None:
        user = await create_user(database, EMAIL)
        async with client_at(throttled, ELSEWHERE) as client:
            await statuses(*(login(client, password=WRONG_PASSWORD) for _ in range(20)))
            assert await told() == [(user.id, ELSEWHERE)]
            await execute(database, "UPDATE throttles SET due_at = now()")
            await statuses(*(login(client, password=WRONG_PASSWORD) for _ in range(6)))
        assert await told() == [(user.id, ELSEWHERE)] * 2

    async def test_is_the_first_refusal_of_an_address(
        self, throttled: Application, told: Told
    ) -> None:
        async with client_at(throttled, ELSEWHERE) as client:
            await statuses(*(login(client, email=f"{n}@example.com") for n in range(25)))
        assert await told() == [(None, ELSEWHERE)]

    async def test_names_the_session_that_guesses_at_its_users_password(
        self, throttled: Application, alice: httpx.AsyncClient, database: Database
    ) -> None:
        headers = {"Authorization": alice.headers["Authorization"]}
        async with client_at(throttled, **headers) as client:
            for _ in range(7):
                await post(client, "reauthenticate", current_password=WRONG_PASSWORD)
        [event] = await fetch(database, "SELECT * FROM security_events WHERE event = 'throttled'")
        [session] = await fetch(database, "SELECT id, user_id FROM sessions")
        assert (event["session_id"], event["user_id"]) == tuple(session)


class TestWhatIsThrottled:
    @pytest.mark.parametrize(
        ("request_by", "judged"),
        [
            (lambda client: login(client, email=ALICE, password=WRONG_PASSWORD), 401),
            (lambda client: register(client, password="too short"), 422),
            (lambda client: post(client, "password-reset", email=ALICE), 202),
            (lambda client: post(client, "password-reset", email="nobody@example.com"), 202),
            (lambda client: post(client, "email-verification"), 202),
            (
                lambda client: post(
                    client, "password", current_password=WRONG_PASSWORD, new_password=NEW_PASSWORD
                ),
                401,
            ),
            (
                lambda client: post(client, "reauthenticate", current_password=WRONG_PASSWORD),
                401,
            ),
            (
                lambda client: post(
                    client, "email-change", current_password=WRONG_PASSWORD, new_email=EMAIL
                ),
                401,
            ),
        ],
    )
    async def test_after_five_attempts(
        self,
        throttled: Application,
        alice: httpx.AsyncClient,
        request_by: Callable[[httpx.AsyncClient], Awaitable[httpx.Response]],
        judged: int,
    ) -> None:
        async with client_at(throttled) as client:
            client.headers["Authorization"] = alice.headers["Authorization"]
            attempts = [request_by(client) for _ in range(8)]
            assert await statuses(*attempts) == {judged: 5, 429: 3}

    async def test_a_password_is_guessed_no_faster_by_way_of_several_routes(
        self, throttled: Application, alice: httpx.AsyncClient
    ) -> None:
        body = {"current_password": WRONG_PASSWORD}
        async with client_at(throttled) as client:
            client.headers["Authorization"] = alice.headers["Authorization"]
            attempts = [
                *(post(client, "reauthenticate", **body) for _ in range(3)),
                *(post(client, "password", **body, new_password=NEW_PASSWORD) for _ in range(3)),
                *(post(client, "email-change", **body, new_email=EMAIL) for _ in range(3)),
            ]
            assert await statuses(*attempts) == {401: 5, 429: 4}

    async def test_nothing_else(self, throttled: Application, alice: httpx.AsyncClient) -> None:
        async with client_at(throttled) as client:
            client.headers["Authorization"] = alice.headers["Authorization"]
            reads = [client.get(f"{AUTH}/sessions") for _ in range(30)]
            assert await statuses(*reads) == {200: 30}


class TestForwardedFor:
    async def attempts(self, app: Application, peer: str, *forwarded: str) -> Counter[int]:
        """What comes of requests to reset a password, each with an X-Forwarded-For."""
        answers = []
        for value in forwarded:
            async with client_at(app, peer, **{"X-Forwarded-For": value}) as client:
                answers.append(await post(client, "password-reset", email=EMAIL))
        return Counter(each.status_code for each in answers)

    async def test_means_nothing_unless_a_proxy_is_trusted(self, throttled: Application) -> None:
        many = [f"198.51.100.{n}" for n in range(7)]
        assert await self.attempts(throttled, "127.0.0.1", *many) == {202: 5, 429: 2}

    async def test_means_nothing_from_another_peer(self, proxied: Application) -> None:
        many = [f"198.51.100.{n}" for n in range(7)]
        assert await self.attempts(proxied, ELSEWHERE, *many) == {202: 5, 429: 2}

    async def test_names_the_client_of_a_trusted_proxy(
        self, proxied: Application, database: Database
    ) -> None:
        await create_user(database, EMAIL)
        many = [f"198.51.100.{n}" for n in range(7)]
        assert await self.attempts(proxied, "10.1.2.3", *many) == {202: 7}
        requested = "event = 'password_reset_requested'"
        told = await fetch(database, f"SELECT ip FROM security_events WHERE {requested}")  # noqa: S608 - ours
        assert [row["ip"] for row in told] == many[:5]  # which is all that one mailbox gets

    async def test_what_the_client_wrote_itself_is_not_believed(
        self, proxied: Application, database: Database
    ) -> None:
        await create_user(database, EMAIL)
        # A proxy appends the address that it sees.
        many = [f"198.51.100.{n}, {ELSEWHERE}, 10.9.9.9" for n in range(7)]
        assert await self.attempts(proxied, "10.1.2.3", *many) == {202: 5, 429: 2}
        told = await fetch(database, "SELECT DISTINCT ip FROM security_events")
        assert [row["ip"] for row in told] == [ELSEWHERE]

    @pytest.mark.parametrize(
        "garbage",
        [
            "", ",", "unknown", "x" * 5000, "1.2.3.4.5", "1.2.3.4:99999999999", "[::1", "'; --",
            "999.999.999.999", "\x7f", "10.1.2.3", "fe80::1%eth0", "fe80::1%" + "x" * 100,
        ],
        ids=lambda garbage: garbage[:20],
    )  # fmt: skip
    async def test_garbage_does_no_harm(
        self, proxied: Application, sign_in: SignIn, garbage: str
    ) -> None:
        await sign_in(EMAIL)
        assert await self.attempts(proxied, "10.1.2.3", garbage) == {202: 1}
        async with client_at(proxied, "10.1.2.3", **{"X-Forwarded-For": garbage}) as client:
            assert (await login(client, password=PASSWORD)).status_code == 200


class TestCounters:
    async def test_name_nobody(self, throttled: Application, database: Database) -> None:
        async with client_at(throttled) as client:
            await login(client)
        keys = [row["key"] for row in await fetch(database, "SELECT key FROM throttles")]
        assert len(keys) == 3  # the account from there, the address, and failures in a row
        assert all(len(key) == 32 and b"carol" not in key for key in keys)

    async def test_what_is_long_due_is_purged(
        self, throttled: Application, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with client_at(throttled) as client:
            await login(client)
            long_due = "due_at = now() - interval '1 second'"
            await execute(database, f"UPDATE throttles SET {long_due} WHERE kept_until IS NULL")  # noqa: S608 - ours
            monkeypatch.setattr("app.accounts.throttle.PURGE_SHARE", 1)
            await login(client, email="other@example.com")
            kept = await fetch(database, "SELECT failures FROM throttles WHERE failures > 0")
            assert len(await fetch(database, "SELECT key FROM throttles")) == len(kept) + 2 == 4
            day = "kept_until = now() - interval '1 second', due_at = now() - interval '1 day'"
            await execute(database, f"UPDATE throttles SET {day} WHERE kept_until IS NOT NULL")  # noqa: S608 - ours
            await login(client, email="other@example.com")
        assert len(await fetch(database, "SELECT key FROM throttles")) == 3
        assert PURGE.autonomous  # it holds no rows until the request ends
