"""The ORM session of a unit of work: what SQLAlchemy promises, in the unit's own transaction."""

import asyncio
from uuid import UUID

import pytest
from sqlalchemy import func, insert, select, text, update
from sqlalchemy.exc import (
    DBAPIError,
    IntegrityError,
    InvalidRequestError,
    MissingGreenlet,
    PendingRollbackError,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import contains_eager, joinedload, selectinload
from sqlalchemy.orm.exc import DetachedInstanceError

from app.core.repository import EVERYONE
from app.database.connections import Database
from app.database.errors import translate_sqlalchemy
from app.database.unit_of_work import UnitOfWork, unit_of_work
from app.exceptions import Conflict, TransientFailure
from tests.common.tables import IsolatedEntity
from tests.database.library import Article, ArticleCreate, Articles, Author, Comment, Tag


async def count(work: UnitOfWork, model: type[IsolatedEntity]) -> int:
    """As a statement beside the session counts them."""
    row = await work.fetch_one(select(func.count()).select_from(model.__table__))
    assert row is not None
    return int(row[0])


class TestReading:
    async def test_a_connection_is_taken_by_the_first_statement(self, library: Database) -> None:
        async with UnitOfWork(library) as work:
            session = work.session()
            assert work.session() is session
            assert (library.in_use, work.in_transaction) == (0, False)
            assert await session.scalar(select(func.count()).select_from(Article)) == 0
            assert (library.in_use, work.in_transaction, work.statements) == (1, True, 2)

    async def test_relationships_load_as_they_are_asked_to(
        self, library: Database, article: Article
    ) -> None:
        async with unit_of_work(library) as work:
            query = select(Article).options(
                selectinload(Article.comments), joinedload(Article.author)
            )
            found = (await work.session().scalars(query)).one()
            assert [each.text for each in found.comments] == ["first", "second"]
            assert (found.id, found.author.name) == (article.id, "Ada")
            with pytest.raises(MissingGreenlet):
                _ = found.tags

    async def test_own_joins_and_aggregates(self, library: Database, article: Article) -> None:
        async with unit_of_work(library) as work:
            session = work.session()
            rows = await session.execute(
                select(Author.name, func.count(Comment.id))
                .join(Author.articles)
                .join(Article.comments)
                .group_by(Author.name)
            )
            assert [tuple(row) for row in rows] == [("Ada", 2)]
            joined = (
                select(Article)
                .join(Article.comments)
                .where(Comment.text == "second")
                .options(contains_eager(Article.comments))
            )
            found = (await session.scalars(joined)).unique().one()
            assert [each.text for each in found.comments] == ["second"]
            assert found.id == article.id

    async def test_rows_are_streamed(self, library: Database, article: Article) -> None:
        async with unit_of_work(library) as work:
            found = await work.session().stream_scalars(select(Comment.text).order_by(Comment.text))
            assert [each async for each in found] == ["first", "second"]
        assert article.version == 1


class TestWriting:
    async def test_a_graph_is_added_and_committed_with_the_unit(self, library: Database) -> None:
        async with unit_of_work(library) as work:
            author = Author(name="Ada", articles=[Article(title="one", tags=[Tag(name="new")])])
            work.session().add(author)
            assert work.in_transaction  # although nothing was sent
        assert (author.version, author.created_at) == (1, author.updated_at)
        async with unit_of_work(library) as work:
            query = select(Article).options(selectinload(Article.tags))
            [found] = (await work.session().scalars(query)).all()
            assert [each.name for each in found.tags] == ["new"]

    async def test_an_update_counts_and_leaves_nothing_to_load(
        self, library: Database, article: Article
    ) -> None:
        async with unit_of_work(library) as work:
            found = await work.session().get_one(Article, article.id)
            found.title = "other"
            await work.session().flush()
            assert found.version == 2
            assert found.updated_at > article.updated_at
            statements = work.statements
            found.title = "other"  # is no change
            await work.session().flush()
            assert (found.version, work.statements) == (2, statements)

    async def test_statements_and_the_session_see_each_other(
        self, library: Database, article: Article
    ) -> None:
        async with unit_of_work(library) as work:
            session = work.session()
            created = await Articles(work, EVERYONE).create(
                ArticleCreate(title="raw", author_id=article.author_id)
            )
            found = await session.get_one(Article, created.id)
            session.add(Article(title="pending", author_id=article.author_id))
            assert await count(work, Article) == 3
            found.title = "changed"
            again = await Articles(work, EVERYONE).get(created.id)
            assert again is not None
            assert (again.title, again.version) == ("changed", 2)
            with session.no_autoflush:
                session.add(Article(title="later", author_id=article.author_id))
                assert await count(work, Article) == 3

    async def test_an_update_of_many_rows_counts_as_well(
        self, library: Database, article: Article
    ) -> None:
        async with unit_of_work(library) as work:
            session = work.session()
            found = await session.get_one(Article, article.id)
            await session.execute(update(Article).values(title="all").where(Article.title != "x"))
            assert (found.title, found.version) == ("all", 2)
        async with unit_of_work(library) as work:
            with pytest.raises(TypeError, match="compares no version"):
                await work.session().execute(update(Article), [{"id": article.id, "title": "x"}])


class TestRollback:
    async def test_an_error_rolls_back_what_both_have_written(
        self, library: Database, article: Article
    ) -> None:
        async def fail() -> None:
            async with unit_of_work(library) as work:
                work.session().add(Author(name="Grace"))
                await work.session().flush()
                raise ArithmeticError

        with pytest.raises(ArithmeticError):
            await fail()
        async with unit_of_work(library) as work:
            assert await count(work, Author) == 1
        assert article.version == 1

    async def test_the_session_goes_on_after_its_rollback(self, library: Database) -> None:
        async with unit_of_work(library) as work:
            session = work.session()
            session.add_all([Author(name="Ada"), Author(name="Ada")])
            with pytest.raises(IntegrityError):
                await session.flush()
            with pytest.raises(PendingRollbackError):
                await session.scalar(select(Author))
            await session.rollback()
            assert not work.in_transaction
            session.add(Author(name="Ada"))
        async with unit_of_work(library) as work:
            assert await count(work, Author) == 1

    async def test_a_failed_flush_is_never_committed(self, library: Database) -> None:
        async with UnitOfWork(library) as work:
            work.session().add_all([Author(name="Ada"), Author(name="Ada")])
            with pytest.raises(IntegrityError):
                await work.session().flush()
            with pytest.raises(PendingRollbackError):
                await work.commit()

    async def test_the_units_rollback_is_the_sessions(self, library: Database) -> None:
        async with unit_of_work(library) as work:
            session = work.session()
            author = Author(name="Ada")
            session.add(author)
            await session.flush()
            await work.rollback()
            assert author not in session
            assert await count(work, Author) == 0

    async def test_to_the_units_savepoint(self, library: Database) -> None:
        async with unit_of_work(library) as work:
            work.session().add(Author(name="kept"))
            await work.session().flush()
            await work.savepoint()
            work.session().add(Author(name="undone"))
            await work.session().flush()
            await work.session().rollback()
            names = await work.session().scalars(select(Author.name))
            assert names.all() == ["kept"]
        async with unit_of_work(library) as work:
            assert await count(work, Author) == 1

    async def test_a_nested_part_fails_alone_with_all_that_is_in_it(
        self, library: Database, article: Article
    ) -> None:
        grace = Author(name="Grace")

        async def through_both(work: UnitOfWork) -> None:
            async with work.session().begin_nested():
                data = ArticleCreate(title="undone", author_id=article.author_id)
                await Articles(work, EVERYONE).create(data)
                work.session().add(Author(name="Ada"))

        async def beside_the_session(work: UnitOfWork) -> None:
            async with work.session().begin_nested():
                for _ in range(2):
                    await work.execute(insert(Tag).values(id=grace.id, name="undone"))

        async with unit_of_work(library) as work:
            work.session().add(grace)
            with pytest.raises(IntegrityError):
                await through_both(work)
            with pytest.raises(Conflict):
                await beside_the_session(work)
            async with work.session().begin_nested():
                work.session().add(Author(name="Mary"))
        async with unit_of_work(library) as work:
            assert [await count(work, each) for each in (Article, Author, Tag)] == [1, 3, 0]


class TestTheUnitCommits:
    async def test_commit_and_begin_are_refused(self, library: Database) -> None:
        async with UnitOfWork(library) as work:
            session = work.session()
            session.add(Author(name="Ada"))
            for use in (session.commit, session.begin().__aenter__):
                with pytest.raises(RuntimeError, match="flush"):
                    await use()
            connection = await session.connection()
            with pytest.raises(RuntimeError, match="flush"):
                await connection.commit()
        async with unit_of_work(library) as work:
            assert await count(work, Author) == 0

    async def test_close_is_harmless(self, library: Database) -> None:
        async with unit_of_work(library) as work:
            async with work.session() as session:
                session.add(Author(name="Ada"))
            await (await session.connection()).close()
            await session.close()
        await session.close()
        async with unit_of_work(library) as work:
            assert await count(work, Author) == 1

    async def test_reset_rolls_back(self, library: Database, article: Article) -> None:
        async with unit_of_work(library) as work:
            session = work.session()
            await session.merge(article)
            session.add(Author(name="Grace"))
            await session.flush()
            await session.reset()
            assert [*session] == []
        async with unit_of_work(library) as work:
            assert await count(work, Author) == 1


class TestAnEndedSession:
    async def test_each_use_says_what_to_do(self, library: Database, article: Article) -> None:
        async with unit_of_work(library) as work:
            session = work.session()
            loaded = await session.get_one(Article, article.id)
        uses = [
            lambda: session.add(Author(name="x")),
            lambda: session.new,
            lambda: loaded in session,
            session.expire_all,
        ]
        for use in uses:
            with pytest.raises(RuntimeError, match="unit of its own"):
                use()
        for awaited in (
            session.flush(),
            session.scalars(select(Article)),
            session.get(Article, article.id),
            session.refresh(loaded),
            session.delete(loaded),
            session.rollback(),
            session.commit(),
        ):
            with pytest.raises(RuntimeError, match="unit of its own"):
                await awaited
        with pytest.raises(DetachedInstanceError):
            _ = loaded.comments
        assert loaded.title == "title"

    async def test_a_commit_ends_it_and_the_unit_opens_the_next(self, library: Database) -> None:
        async with unit_of_work(library) as work:
            first = work.session()
            first.add(Author(name="Ada"))
            await work.commit()
            with pytest.raises(RuntimeError, match="opens another"):
                first.add(Author(name="lost"))
            work.session().add(Author(name="Grace"))
        async with unit_of_work(library) as work:
            assert await count(work, Author) == 2

    async def test_no_isolation_level_stays_on_the_connection(self, library: Database) -> None:
        async with unit_of_work(library) as work:
            await work.session().scalar(select(func.count(Author.id)))
        connection = await library.acquire()
        await library.return_to_pool(connection)
        async with AsyncSession(library.engine) as session:
            session.add(Author(name="lost"))
            await session.flush()
        async with unit_of_work(library) as work:
            assert await count(work, Author) == 0

    async def test_another_isolation_level_is_refused_and_harms_nobody(
        self, library: Database
    ) -> None:
        for name in ("first", "second"):
            async with unit_of_work(library) as work:
                session = work.session()
                with pytest.raises(RuntimeError, match="SET TRANSACTION ISOLATION LEVEL"):
                    await session.connection(execution_options={"isolation_level": "SERIALIZABLE"})
                await session.execute(text("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE"))
                assert await session.scalar(text("SHOW transaction_isolation")) == "serializable"
                session.add(Author(name=name))
            async with unit_of_work(library) as work:
                assert await work.session().scalar(text("SHOW transaction_isolation")) == (
                    "read committed"
                )


class TestErrors:
    async def test_a_unique_value_is_a_conflict(self, library: Database, article: Article) -> None:
        with pytest.raises(IntegrityError) as raised:
            async with unit_of_work(library) as work:
                work.session().add(Author(name="Ada"))
        assert isinstance(translate_sqlalchemy(raised.value), Conflict)
        assert article.version == 1

    async def test_a_lost_connection_is_to_be_tried_again(self, library: Database) -> None:
        async with UnitOfWork(library) as work:
            session = work.session()
            pid = await session.scalar(select(func.pg_backend_pid()))
            session.add(Author(name="Ada"))
            async with unit_of_work(library) as other:
                await other.execute(text(f"SELECT pg_terminate_backend({pid})"))
            with pytest.raises(DBAPIError) as raised:
                await session.flush()
            assert isinstance(translate_sqlalchemy(raised.value), TransientFailure)
            for use in (work.commit(), work.fetch(select(Author.__table__))):
                with pytest.raises((TransientFailure, PendingRollbackError)):
                    await use
        assert library.in_use == 0

    async def test_a_deadlock_is_to_be_tried_again(
        self, library: Database, article: Article
    ) -> None:
        other = Tag(name="other")
        async with unit_of_work(library) as work:
            work.session().add(other)

        async def rename(work: UnitOfWork, model: type[Article] | type[Tag], id: UUID) -> None:
            name = "title" if model is Article else "name"
            query = update(model).where(model.id == id).values({name: "new"})
            await work.session().execute(query)

        async with UnitOfWork(library) as one, UnitOfWork(library) as two:
            await rename(one, Article, article.id)
            await rename(two, Tag, other.id)
            results = await asyncio.gather(
                rename(one, Tag, other.id),
                rename(two, Article, article.id),
                return_exceptions=True,
            )
        [error] = [each for each in results if each is not None]
        assert isinstance(error, DBAPIError)
        assert isinstance(translate_sqlalchemy(error), TransientFailure)

    async def test_a_stranger_error_is_nobodys(self) -> None:
        assert translate_sqlalchemy(InvalidRequestError("x")) is None
