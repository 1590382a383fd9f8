"""What repositories return, and what their own methods may ask for."""

from collections.abc import AsyncIterator, Sequence
from typing import Literal
from uuid import UUID

import pytest
from sqlalchemy import func, inspect
from sqlalchemy.orm import contains_eager, selectinload
from sqlalchemy.orm.exc import DetachedInstanceError

from app.core.filters import Filter, OrderBy
from app.core.repository import EVERYONE
from app.database.connections import Database
from app.database.unit_of_work import UnitOfWork, unit_of_work
from tests import factories
from tests.common.tables import created
from tests.database.library import (
    TABLES,
    Article,
    ArticleCreate,
    Articles,
    ArticleUpdate,
    Author,
    AuthorCreate,
    Authors,
    Comment,
    Note,
    NoteCreate,
    Notes,
)


class OwnArticles(Articles):
    """With methods of its own, as an entity's repository has them."""

    async def with_comments(self, title: str) -> Article | None:
        query = self.query().where(Article.title == title)
        return await self.first(query.options(selectinload(Article.comments)))

    async def commented(self, text: str) -> Sequence[Article]:
        query = self.query().join(Article.comments).where(Comment.text == text)
        return await self.all(query.options(contains_eager(Article.comments)))

    async def of_author(self, name: str) -> Sequence[Article]:
        return await self.all(self.query().join(Article.author).where(Author.name == name))


class ArticleFilter(Filter):
    order_by: OrderBy[Literal["title", "-title"]] = None

    class Constants(Filter.Constants):
        model = Article


@pytest.fixture
async def work(database: Database) -> AsyncIterator[UnitOfWork]:
    async with created(database, *TABLES):
        async with UnitOfWork(database) as work:
            yield work
        assert database.in_use == 0


@pytest.fixture
async def article(work: UnitOfWork) -> Article:
    author = await Authors(work, EVERYONE).create(AuthorCreate(name="Ada"))
    article = await Articles(work, EVERYONE).create(
        ArticleCreate(title="title", author_id=author.id)
    )
    for text in ("first", "second"):
        work.session().add(Comment(text=text, article_id=article.id))
    await work.commit()
    return article


class TestDetached:
    async def test_a_relationship_that_was_not_loaded_raises(
        self, work: UnitOfWork, article: Article
    ) -> None:
        articles = Articles(work, EVERYONE)
        page = await articles.list(ArticleFilter())
        updated = await articles.update(article.id, ArticleUpdate(title="other"))
        for each in (article, await articles.get(article.id), page.items[0], updated):
            assert each is not None
            assert inspect(each).detached
            for name in ("comments", "author", "tags"):
                with pytest.raises(DetachedInstanceError):
                    getattr(each, name)

    async def test_is_attached_by_add_and_its_changes_are_flushed(
        self, work: UnitOfWork, article: Article
    ) -> None:
        found = await Articles(work, EVERYONE).get(article.id)
        assert found is not None
        found.title = "before"
        work.session().add(found)
        assert await work.session().get(Article, article.id) is found
        await work.session().flush()
        assert (found.title, found.version) == ("before", 2)
        await work.session().refresh(found, ["comments"])
        assert len(found.comments) == 2
        await work.session().delete(found)
        await work.commit()
        assert await Articles(work, EVERYONE).get(article.id) is None

    async def test_one_of_a_list_has_the_same_identity(
        self, work: UnitOfWork, article: Article
    ) -> None:
        page = await Articles(work, EVERYONE).list(ArticleFilter())
        merged = await work.session().merge(page.items[0])
        assert await work.session().get(Article, article.id) is merged
        assert inspect(page.items[0]).identity == (article.id,)


class TestOwnMethods:
    async def test_may_load_relationships(self, work: UnitOfWork, article: Article) -> None:
        articles = OwnArticles(work, EVERYONE)
        found = await articles.with_comments("title")
        assert found is not None
        assert {each.text for each in found.comments} == {"first", "second"}
        assert await articles.with_comments("unknown") is None
        assert found.id == article.id

    async def test_may_join(self, work: UnitOfWork, article: Article) -> None:
        articles = OwnArticles(work, EVERYONE)
        [found] = await articles.commented("second")
        assert [each.text for each in found.comments] == ["second"]
        assert [each.id for each in await articles.of_author("Ada")] == [article.id]
        assert await articles.of_author("Grace") == []

    async def test_answer_instances_alone(self, work: UnitOfWork) -> None:
        query = OwnArticles(work, EVERYONE).query().add_columns(func.now())
        with pytest.raises(TypeError, match="further columns"):
            await OwnArticles(work, EVERYONE).all(query)

    def test_may_not_be_called_query(self) -> None:
        with pytest.raises(TypeError, match=r"Narrowed\.query: get, list and the writes"):

            class Narrowed(Articles):
                def query(self) -> object:  # pyrefly: ignore[bad-override]
                    return super().query().where(Article.title != "")


class TestTheCallersQuery:
    async def owner(self, work: UnitOfWork, database: Database, name: str) -> UUID:
        user = await factories.create_user(database, f"{name}@example.com")
        await Notes(work, user.id).create(NoteCreate(text=name))
        await work.commit()
        return user.id

    async def test_is_the_callers_in_a_session(self, work: UnitOfWork, database: Database) -> None:
        alice, bob = [await self.owner(work, database, name) for name in ("alice", "bob")]
        session = work.session()
        for caller, texts in ((alice, ["alice"]), (bob, ["bob"]), (EVERYONE, ["alice", "bob"])):
            query = Notes(work, caller).query().order_by(Note.text)
            assert [each.text for each in await session.scalars(query)] == texts
            query = query.options(selectinload(Note.author))
            assert [each.text for each in await Notes(work, caller).all(query)] == texts

    async def test_hides_deleted_rows_from_any_session(
        self, work: UnitOfWork, article: Article, database: Database
    ) -> None:
        await Articles(work, EVERYONE).delete(article.id)
        await work.commit()
        async with unit_of_work(database) as other:
            query = Articles(work, EVERYONE).query()
            assert (await other.session().scalars(query)).all() == []
