"""The database of `app sql`: units of work find what they expect, and nothing stays."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from sqlalchemy import func, insert, select, text

from app.cli.rolled_back import RolledBack
from app.config import Settings
from app.database.connections import Database
from app.database.sql import Statement
from app.database.unit_of_work import UnitOfWork, unit_of_work
from app.exceptions import Conflict, Invalid
from app.users.models import User

WRONG = select(func.to_date("x", "YYYY"))
COUNT = select(func.count()).select_from(User)


@pytest.fixture
async def rolled_back(settings: Settings, database: Database) -> AsyncIterator[RolledBack]:
    url = database.engine.url.render_as_string(hide_password=False)
    async with RolledBack(url, settings) as made:
        yield made
    async with UnitOfWork(database) as work:
        assert await count(work) == 0


def user(email: str = "a@b.cd", **options: bool) -> Statement:
    values = {"id": uuid4(), "email": email, "password_hash": ""}
    return Statement(insert(User).values(values), **options)


async def count(work: UnitOfWork) -> int:
    row = await work.fetch_one(COUNT)
    assert row is not None
    return int(row[0])


async def test_what_is_committed_is_seen_by_the_next(rolled_back: RolledBack) -> None:
    async with unit_of_work(rolled_back) as work:
        await work.execute(user())
    async with UnitOfWork(rolled_back) as work:
        assert await count(work) == 1


async def test_what_is_not_committed_is_gone(rolled_back: RolledBack) -> None:
    async with UnitOfWork(rolled_back) as work:
        await work.execute(user())
    async with UnitOfWork(rolled_back) as work:
        await work.execute(user("b@b.cd"))
        await work.rollback()
        assert await count(work) == 0


async def test_a_read_that_fails_spoils_nothing(rolled_back: RolledBack) -> None:
    async with UnitOfWork(rolled_back) as work:
        with pytest.raises(Invalid):
            await work.fetch(WRONG)
        assert await count(work) == 0


async def test_a_failed_transaction_takes_no_more_and_no_commit(rolled_back: RolledBack) -> None:
    async with unit_of_work(rolled_back) as work:
        await work.execute(user())
    async with UnitOfWork(rolled_back) as work:
        with pytest.raises(Conflict):
            await work.execute(user())
        async with UnitOfWork(rolled_back) as other:
            assert await count(other) == 1
        with pytest.raises(Exception, match="transaction is aborted"):
            await count(work)
        with pytest.raises(RuntimeError, match="had failed before its commit"):
            await work.commit()


async def test_a_savepoint_lets_it_go_on(rolled_back: RolledBack) -> None:
    async with unit_of_work(rolled_back) as work:
        await work.execute(user())
        await work.savepoint()
        with pytest.raises(Conflict):
            await work.execute(user())
        await work.rollback()
        assert await count(work) == 1
    async with UnitOfWork(rolled_back) as work:
        assert await count(work) == 1


async def test_a_session_and_an_autonomous_statement(rolled_back: RolledBack) -> None:
    async with UnitOfWork(rolled_back) as work:
        await work.execute(user(autonomous=True))
    async with unit_of_work(rolled_back) as work:
        session = work.session()
        session.add(User(email="b@b.cd", password_hash=""))
        await session.flush()
        assert await session.scalar(COUNT) == 2
        await session.execute(text("SELECT 1"))
    async with UnitOfWork(rolled_back) as work:
        assert await count(work) == 2
