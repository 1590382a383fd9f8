from collections.abc import AsyncIterator

import pytest

from app.database.connections import Database
from app.database.unit_of_work import unit_of_work
from tests.common.tables import created
from tests.database.library import TABLES, Article, Author, Comment


@pytest.fixture
async def library(database: Database) -> AsyncIterator[Database]:
    """A database with the library's tables. No test may leave a connection in use."""
    async with created(database, *TABLES):
        yield database
    assert database.in_use == 0


@pytest.fixture
async def article(library: Database) -> Article:
    """A detached article with an author and two comments."""
    async with unit_of_work(library) as work:
        comments = [Comment(text="first"), Comment(text="second")]
        article = Article(title="title", author=Author(name="Ada"), comments=comments)
        work.session().add(article)
    return article
