import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import asyncpg
import pytest

from app.core.models import uuid7
from app.database.shares import Shares
from app.exceptions import RateLimited
from app.main import Application, create_app
from tests.accounts.steps import ME
from tests.conftest import connect, new_client
from tests.factories import SignIn, lamp
from tests.problems import LAMPS, read_problem

ALICE, BOB = uuid7(), uuid7()


class TestShares:
    def test_each_user_has_their_own(self) -> None:
        shares = Shares(2, patience=60)
        assert [shares.take(number, ALICE) for number in range(3)] == [True, True, False]
        assert shares.take("another", BOB)

    async def test_who_waits_has_what_is_returned(self) -> None:
        shares = Shares(1, patience=60)
        shares.take(0, ALICE)
        waiting = [asyncio.create_task(shares.wait(unit, ALICE)) for unit in (1, 2)]
        await asyncio.sleep(0)
        for unit, each in enumerate(waiting):
            assert not each.done()
            shares.leave(unit)
            await each
            assert not shares.take("another", ALICE)
        shares.leave(2)
        assert len(shares) == 0

    async def test_who_waits_too_long_is_refused_and_forgotten(self) -> None:
        shares = Shares(1, patience=0.01)
        shares.take(0, ALICE)
        with pytest.raises(RateLimited) as refused:
            await shares.wait(1, ALICE)
        assert refused.value.headers["Retry-After"] == "1"
        shares.leave(0)
        assert len(shares) == 0

    @pytest.mark.parametrize("is_woken", [True, False])
    async def test_who_gives_up_leaves_the_place_to_others(self, *, is_woken: bool) -> None:
        shares = Shares(1, patience=60)
        shares.take(0, ALICE)
        waiting = [asyncio.create_task(shares.wait(unit, ALICE)) for unit in (1, 2)]
        await asyncio.sleep(0)
        if is_woken:
            shares.leave(0)
        waiting[0].cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting[0]
        if not is_woken:
            shares.leave(0)
        await asyncio.wait_for(waiting[1], 30)
        shares.leave(2)
        assert len(shares) == 0


LONG = ("db_lock_timeout", "db_statement_timeout", "db_command_timeout")


@pytest.fixture
async def small(app: Application, request: pytest.FixtureRequest) -> AsyncIterator[Application]:
    """Has four connections, of which a user may hold two."""
    changes = {"db_pool_size": 3, "db_max_overflow": 1, "db_pool_timeout": request.param}
    changes |= dict.fromkeys(LONG, 60.0)
    small = create_app(app.settings.model_copy(update=changes))
    assert isinstance(small, Application)
    yield small
    await small.database.close()


@pytest.fixture
async def other(database_name: str) -> AsyncIterator["asyncpg.Connection"]:
    """A connection beside the application's."""
    connection = await connect(database_name)
    yield connection
    await connection.close()


class TestRequests:
    @pytest.mark.parametrize("small", [0.5], indirect=True)  # seconds to wait
    async def test_of_one_user_keep_no_other_from_the_pool(
        self, small: Application, sign_in: SignIn, other: "asyncpg.Connection"
    ) -> None:
        alice, bob = [(await sign_in(f"{name}@example.com")).headers for name in ("alice", "bob")]
        async with new_client(small) as client, asyncio.TaskGroup() as group:
            lock = other.transaction()
            await lock.start()
            await other.execute("LOCK TABLE lamps")
            running = [
                group.create_task(client.get(LAMPS, headers=alice, timeout=60)) for _ in range(12)
            ]
            finished = asyncio.as_completed(running)
            refused = [await next(finished) for _ in range(10)]
            for each in refused:
                read_problem(each, 429, "RATE_LIMITED")
                assert each.headers["Retry-After"] == "1"
            assert small.database.in_use == 2
            assert (await client.get(ME, headers=bob)).status_code == 200
            await lock.rollback()
        assert Counter(each.result().status_code for each in running) == {200: 2, 429: 10}
        assert small.database.in_use == 0
        assert len(small.database.shares) == 0

    @pytest.mark.parametrize("small", [60.0], indirect=True)
    async def test_wait_for_each_other_while_that_is_short(
        self, small: Application, sign_in: SignIn
    ) -> None:
        alice = (await sign_in("alice@example.com")).headers
        async with new_client(small) as client:
            calls = [client.post(LAMPS, json=lamp(), headers=alice) for _ in range(20)]
            responses = await asyncio.gather(*calls)
        assert [each.status_code for each in responses] == [201] * 20
        assert len(small.database.shares) == 0
