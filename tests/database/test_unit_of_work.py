"""A unit of work ends, and streams; nothing that would be lost is done without a word."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import Integer, bindparam, func, insert, literal_column, select, text
from sqlalchemy.orm import selectinload

from app.database.connections import Database
from app.database.sql import Statement
from app.database.unit_of_work import UnitOfWork, unit_of_work
from app.exceptions import Conflict, Invalid, ServiceUnavailable, TransientFailure
from tests.database.library import Article, Author, Comment, Tag

ONE = Statement(select(bindparam("one", 1, Integer)))
PID = Statement(select(func.pg_backend_pid()))
PAUSE = Statement(select(func.pg_sleep(bindparam("seconds", 0.2, Integer))))
COUNT = Statement(select(func.count()).select_from(Author))
WRITE = Statement(insert(Author).values(id=func.gen_random_uuid(), name=bindparam("name", "Ada")))

type Use = Callable[[UnitOfWork], Any]


async def nothing() -> None: ...


def extend(work: UnitOfWork) -> None:
    work.after_commit += [nothing]


USES: dict[str, Use] = {
    "fetch": lambda work: work.fetch(ONE),
    "fetch_one": lambda work: work.fetch_one(ONE),
    "execute": lambda work: work.execute(WRITE),
    "fetch_batches": lambda work: work.fetch_batches(ONE, [{}], list),
    "commit": lambda work: work.commit(),
    "savepoint": lambda work: work.savepoint(),
    "rollback": lambda work: work.rollback(),
    "release": lambda work: work.release(),
    "begin_streaming": lambda work: work.begin_streaming(),
    "session": lambda work: work.session(),
    "append": lambda work: work.after_commit.append(nothing),
    "extend": lambda work: work.after_commit.extend([nothing]),
    "insert": lambda work: work.after_commit.insert(0, nothing),
    "+=": extend,
}
READS = ("fetch", "fetch_one", "fetch_batches")


async def use(work: UnitOfWork, each: Use) -> None:
    result = each(work)
    if isinstance(result, Awaitable):
        await result


@pytest.fixture
async def ended(library: Database) -> AsyncIterator[UnitOfWork]:
    async with UnitOfWork(library) as work:
        await work.fetch(ONE)
    yield work
    assert library.in_use == 0


@pytest.fixture
async def streaming(library: Database) -> AsyncIterator[UnitOfWork]:
    async with UnitOfWork(library) as work:
        await work.execute(WRITE)
        await work.commit()
        await work.begin_streaming()
        assert library.in_use == 0
        yield work


async def count(database: Database) -> int:
    async with UnitOfWork(database) as work:
        row = await work.fetch_one(COUNT)
        assert row is not None
        return int(row[0])


class TestAnEndedUnit:
    @pytest.mark.parametrize("name", USES)
    async def test_says_what_to_do_instead(self, ended: UnitOfWork, name: str) -> None:
        with pytest.raises(RuntimeError, match=r"async with unit_of_work\(database\) as work"):
            await use(ended, USES[name])
        assert not ended.in_transaction

    async def test_may_end_again(self, ended: UnitOfWork) -> None:
        await ended.end()
        await ended.close()

    async def test_keeps_what_was_to_follow(self, library: Database) -> None:
        async with UnitOfWork(library) as work:
            await work.execute(WRITE)
            work.after_commit.append(nothing)
            await work.commit()
        assert work.after_commit == [nothing]

    async def test_drops_what_was_to_follow_what_it_rolls_back(self, library: Database) -> None:
        async with UnitOfWork(library) as work:
            await work.execute(WRITE)
            work.after_commit.append(nothing)
        assert work.after_commit == []
        assert await count(library) == 0

    @pytest.mark.parametrize("error", [ArithmeticError, asyncio.CancelledError])
    async def test_by_an_error_rolls_back_and_raises_it(
        self, library: Database, error: type[BaseException]
    ) -> None:
        async def fail() -> None:
            async with unit_of_work(library) as work:
                await work.execute(WRITE)
                work.session().add(Tag(name="pending"))
                raise error

        with pytest.raises(error):
            await fail()
        assert library.in_use == 0
        assert await count(library) == 0

    async def test_ends_although_its_connection_is_lost(self, library: Database) -> None:
        async with UnitOfWork(library) as work:
            await work.execute(WRITE)
            await terminate(library, work)
            for _ in range(2):  # and no statement gets out of the transaction
                with pytest.raises(TransientFailure):
                    await work.execute(WRITE)
            with pytest.raises(TransientFailure):
                await work.commit()
            with pytest.raises(ServiceUnavailable):
                await work.rollback()
        assert library.in_use == 0
        assert await count(library) == 0

    async def test_is_cancelled_in_a_statement_of_its_session(self, library: Database) -> None:
        async with UnitOfWork(library) as work:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await work.session().execute(text("SELECT pg_sleep(60)"))
            with pytest.raises(TransientFailure):
                await work.fetch(ONE)
        assert library.in_use == 0
        assert await count(library) == 0


async def terminate(database: Database, work: UnitOfWork) -> None:
    row = await work.fetch_one(PID)
    assert row is not None
    async with UnitOfWork(database) as other:
        await other.execute(text(f"SELECT pg_terminate_backend({row[0]})"))


class TestStreaming:
    @pytest.mark.parametrize("name", READS)
    async def test_reads_hold_no_connection(
        self, library: Database, streaming: UnitOfWork, name: str
    ) -> None:
        await use(streaming, USES[name])
        assert library.in_use == 0
        assert await count(library) == 1

    @pytest.mark.parametrize("name", [each for each in USES if each not in READS])
    async def test_all_else_says_why_not(self, streaming: UnitOfWork, name: str) -> None:
        with pytest.raises(RuntimeError, match="The answer has begun"):
            await use(streaming, USES[name])

    async def test_an_autonomous_statement_is_a_write(self, streaming: UnitOfWork) -> None:
        statement = Statement(WRITE.clause, autonomous=True)
        with pytest.raises(RuntimeError, match="The answer has begun"):
            await streaming.execute(statement)

    async def test_ends(self, streaming: UnitOfWork) -> None:
        await streaming.end()
        with pytest.raises(RuntimeError, match="has ended"):
            await streaming.fetch(ONE)

    async def test_begins_with_nothing_left_to_commit(self, library: Database) -> None:
        async with UnitOfWork(library) as work:
            work.session().add(Author(name="pending"))
            with pytest.raises(RuntimeError, match="Commit before"):
                await work.begin_streaming()

    async def test_a_failed_read_leaves_nothing(
        self, library: Database, streaming: UnitOfWork
    ) -> None:
        with pytest.raises(Invalid):
            await streaming.fetch(select(1 / literal_column("0")))
        async with asyncio.timeout(5):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await streaming.fetch(PAUSE, {"seconds": 60})
        assert library.in_use == 0
        await streaming.fetch(ONE)

    async def test_streams_leave_half_of_the_pool_to_requests(self, library: Database) -> None:
        half = library.pool.size() // 2
        works = [UnitOfWork(library) for _ in range(2 * library.pool.size())]
        for work in works:
            await work.begin_streaming()
        running = [asyncio.create_task(work.fetch(PAUSE)) for work in works]
        most = 0
        while not all(each.done() for each in running):
            most = max(most, library.in_use)
            await asyncio.sleep(0.01)
        await asyncio.gather(*running)
        assert most == half
        for work in works:
            await work.end()


class TestAUnitOfOnesOwn:
    async def test_commits_and_then_runs_what_follows(self, library: Database) -> None:
        seen: list[object] = []

        async def follow() -> None:
            seen.append(await count(library))
            seen.append(library.in_use)

        async with unit_of_work(library) as work:
            await work.execute(WRITE)
            work.after_commit.append(follow)
        assert seen == [1, 0]

    async def test_runs_nothing_when_the_commit_fails(self, library: Database) -> None:
        async def fail() -> None:
            async with unit_of_work(library) as work:
                work.after_commit.append(nothing_may_follow)
                await work.execute(WRITE)
                with pytest.raises(Conflict):
                    await work.execute(WRITE)

        with pytest.raises(RuntimeError, match="had failed before its commit"):
            await fail()
        assert await count(library) == 0


async def nothing_may_follow() -> None:
    raise AssertionError


class TestOptions:
    async def test_are_refused_where_no_session_keeps_them(self, library: Database) -> None:
        async with UnitOfWork(library) as work:
            query = select(Article).options(selectinload(Article.comments))
            with pytest.raises(TypeError, match="ORM session"):
                await work.fetch(query)
            assert await work.session().scalar(select(func.count(Comment.id))) == 0
