"""The rules of entities in an ORM session: versions, soft deletes and references."""

import asyncio
from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import delete, exists, func, inspect, select, update
from sqlalchemy.orm import joinedload, selectinload
from sqlalchemy.orm.exc import StaleDataError

from app.core.repository import EVERYONE
from app.database.connections import Database
from app.database.errors import translate_sqlalchemy
from app.database.unit_of_work import UnitOfWork, unit_of_work
from app.exceptions import Conflict, Invalid
from app.main import Application
from tests import factories
from tests.database.library import (
    Article,
    ArticleCreate,
    Articles,
    Author,
    Authors,
    Comment,
    Note,
    Notes,
)

EVERY = {"include_deleted": True}


async def delete_article(database: Database, id: UUID) -> None:
    async with unit_of_work(database) as work:
        assert await Articles(work, EVERYONE).delete(id)


class TestVersions:
    async def test_of_two_who_change_a_row_the_second_is_refused(
        self, library: Database, article: Article
    ) -> None:
        async with UnitOfWork(library) as mine:
            own = await mine.session().get_one(Article, article.id)
            async with unit_of_work(library) as other:
                theirs = await other.session().get_one(Article, article.id)
                theirs.title = "theirs"
            own.title = "mine"
            with pytest.raises(StaleDataError) as raised:
                await mine.commit()
            assert isinstance(translate_sqlalchemy(raised.value), Conflict)
        async with unit_of_work(library) as work:
            found = await work.session().get_one(Article, article.id)
            assert (found.title, found.version) == ("theirs", 2)

    async def test_a_stale_delete_is_refused(self, library: Database, article: Article) -> None:
        async with UnitOfWork(library) as mine:
            own = await mine.session().get_one(Article, article.id)
            async with unit_of_work(library) as other:
                (await other.session().get_one(Article, article.id)).title = "theirs"
            await mine.session().delete(own)
            with pytest.raises(StaleDataError):
                await mine.commit()


class TestSoftDelete:
    async def test_deletes_as_the_repository_does(
        self, library: Database, article: Article
    ) -> None:
        async with unit_of_work(library) as work:
            session = work.session()
            found = await session.get_one(Article, article.id)
            await session.delete(found)
            await session.flush()
            assert found.deleted_at is not None
            assert found.deleted_at == found.updated_at
            assert found.version == 2
            assert inspect(found).deleted
            assert await session.get(Article, article.id) is None
        async with unit_of_work(library) as work:
            assert await Articles(work, EVERYONE).get(article.id) is None
            assert (await work.session().scalars(select(Comment))).all() == []
            everything = select(Comment).execution_options(**EVERY)
            comments = (await work.session().scalars(everything)).all()
            assert {each.deleted_at == found.deleted_at for each in comments} == {True}
            assert await Articles(work, EVERYONE).restore(article.id)

    async def test_a_row_that_is_still_referred_to_stays(
        self, library: Database, article: Article
    ) -> None:
        async with UnitOfWork(library) as work:
            session = work.session()
            author = await session.get_one(Author, article.author_id)
            await session.delete(author)
            with pytest.raises(Conflict, match="still referred to by test articles"):
                await session.flush()
            await session.rollback()
            assert await session.get(Author, article.author_id) is not None

    async def test_goes_with_what_refers_to_it_in_one_flush(
        self, library: Database, article: Article
    ) -> None:
        async with unit_of_work(library) as work:
            session = work.session()
            query = select(Author).options(selectinload(Author.articles))
            author = (await session.scalars(query)).one()
            for each in (author, *author.articles):
                await session.delete(each)
        async with unit_of_work(library) as work:
            for model in (Author, Article, Comment):
                assert await work.session().scalar(select(func.count(model.id))) == 0
        assert article.deleted_at is None

    async def test_a_reference_is_cleared(
        self, app: Application, library: Database, article: Article
    ) -> None:
        user = await factories.create_user(app.database, "alice@example.com")
        async with unit_of_work(library) as work:
            grace = Author(name="Grace")
            work.session().add_all([grace, Note(text="n", owner_id=user.id, author=grace)])
        async with unit_of_work(library) as work:
            await work.session().delete(await work.session().get_one(Author, grace.id))
        async with unit_of_work(library) as work:
            [note] = await Notes(work, EVERYONE).all(Notes(work, EVERYONE).query())
            assert (note.author_id, note.version) == (None, 2)
        assert article.version == 1

    async def test_a_rollback_takes_it_back(self, library: Database, article: Article) -> None:
        async with unit_of_work(library) as work:
            session = work.session()
            found = await session.get_one(Article, article.id)
            nested = await session.begin_nested()
            await session.delete(found)
            await session.flush()
            await nested.rollback()
            await session.refresh(found)
            assert (found in session, found.deleted_at) == (True, None)
            assert await session.scalar(select(func.count(Comment.id))) == 2

    async def test_by_hand_is_no_different(self, library: Database, article: Article) -> None:
        async with unit_of_work(library) as work:
            found = await work.session().get_one(Article, article.id)
            found.deleted_at = datetime.now(UTC)
            await work.session().flush()
            assert await work.session().scalar(select(func.count(Comment.id))) == 0

    async def test_statements_that_would_go_past_the_rules_are_refused(
        self, library: Database
    ) -> None:
        async with unit_of_work(library) as work:
            for statement in (delete(Article), update(Article).values(deleted_at=func.now())):
                with pytest.raises(TypeError, match=r"session\.delete"):
                    await work.session().execute(statement)


class TestDeletedRowsAreHidden:
    async def test_in_each_place_of_a_select(self, library: Database, article: Article) -> None:
        await delete_article(library, article.id)
        async with unit_of_work(library) as work:
            session = work.session()
            assert await session.get(Article, article.id) is None
            assert await session.scalar(select(func.count()).select_from(Article)) == 0
            assert await session.scalar(select(exists().where(Article.title == "title"))) is False
            joined = select(Author.name).join(Author.articles)
            assert (await session.scalars(joined)).all() == []
            for load in (selectinload, joinedload):
                query = select(Author).options(load(Author.articles))
                found = await session.scalars(query.execution_options(populate_existing=True))
                assert [each.articles for each in found.unique()] == [[]]
            author = await session.get_one(Author, article.author_id)
            await session.refresh(author, ["articles"])
            assert author.articles == []
            await session.execute(update(Article).values(title="unseen"))

    async def test_unless_they_are_asked_for(self, library: Database, article: Article) -> None:
        await delete_article(library, article.id)
        async with unit_of_work(library) as work:
            session = work.session()
            query = select(Author).options(selectinload(Author.articles))
            author = (await session.scalars(query.execution_options(**EVERY))).one()
            assert [each.title for each in author.articles] == ["title"]
            await session.refresh(author.articles[0])  # is known already
            author.articles[0].deleted_at = None
        async with unit_of_work(library) as work:
            assert await Articles(work, EVERYONE).get(article.id) is not None


class TestReferences:
    async def test_to_a_deleted_row_are_refused(self, library: Database, article: Article) -> None:
        await delete_article(library, article.id)
        async with UnitOfWork(library) as work:
            work.session().add(Comment(text="late", article_id=article.id))
            with pytest.raises(Invalid) as raised:
                await work.commit()
            assert [each.loc for each in raised.value.errors] == [("body", "article_id")]

    async def test_changed_ones_and_those_of_restored_rows_too(
        self, library: Database, article: Article
    ) -> None:
        async with unit_of_work(library) as work:
            comment = Comment(text="moved", article_id=article.id)
            other = Article(title="other", author_id=article.author_id)
            work.session().add_all([comment, other])
        await delete_article(library, other.id)
        async with UnitOfWork(library) as work:
            found = await work.session().get_one(Comment, comment.id)
            found.article_id = other.id
            with pytest.raises(Invalid):
                await work.session().flush()
        await delete_article(library, article.id)
        async with UnitOfWork(library) as work:
            found = await work.session().get_one(Comment, comment.id, execution_options=EVERY)
            found.deleted_at = None
            with pytest.raises(Invalid):
                await work.session().flush()

    async def test_who_deletes_waits_for_who_refers_and_then_sees_it(
        self, library: Database
    ) -> None:
        async with unit_of_work(library) as work:
            author = Author(name="Ada")
            work.session().add(author)
        async with UnitOfWork(library) as mine, UnitOfWork(library) as other:
            mine.session().add(Article(title="new", author_id=author.id))
            await mine.session().flush()
            deleting = asyncio.create_task(Authors(other, EVERYONE).delete(author.id))
            await asyncio.sleep(0.1)
            assert not deleting.done()
            await mine.commit()
            with pytest.raises(Conflict):
                await deleting

    async def test_rows_of_one_flush_may_refer_to_each_other(self, library: Database) -> None:
        async with unit_of_work(library) as work:
            author = Author(name="Ada")
            work.session().add(Article(title="new", author=author))
            await work.session().flush()
            assert work.statements == 3  # BEGIN and one INSERT for each
            created = await Articles(work, EVERYONE).create(
                ArticleCreate(title="raw", author_id=author.id)
            )
            assert created.author_id == author.id
