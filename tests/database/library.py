"""Articles with comments and tags, for tests of the ORM session alone."""

from uuid import UUID

from sqlalchemy import Column, ForeignKey, String, Table
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.common.postgres_repository import PostgresRepository
from app.core.models import Owned, reference, unique_among_live
from app.core.schemas import UNSET, Schema
from app.core.types import Id, Text
from tests.common.tables import IsolatedEntity


class Author(IsolatedEntity):
    __tablename__ = "test_authors"
    __table_args__ = (unique_among_live("test_authors", "name"),)

    name: Mapped[str] = mapped_column(String(50))
    articles: Mapped[list["Article"]] = relationship(back_populates="author")


article_tags = Table(
    "test_article_tags",
    IsolatedEntity.metadata,
    Column("article_id", ForeignKey("test_articles.id"), primary_key=True),
    Column("tag_id", ForeignKey("test_tags.id"), primary_key=True),
)


class Article(IsolatedEntity):
    __tablename__ = "test_articles"

    title: Mapped[str] = mapped_column(String(50))
    author_id: Mapped[UUID] = reference("test_authors", ondelete="restrict")
    author: Mapped[Author] = relationship(back_populates="articles")
    comments: Mapped[list["Comment"]] = relationship(
        back_populates="article", order_by="Comment.text"
    )
    tags: Mapped[list["Tag"]] = relationship(secondary=article_tags)


class Comment(IsolatedEntity):
    __tablename__ = "test_comments"

    text: Mapped[str] = mapped_column(String(50))
    article_id: Mapped[UUID] = reference("test_articles", ondelete="cascade")
    article: Mapped[Article] = relationship(back_populates="comments")


class Tag(IsolatedEntity):
    __tablename__ = "test_tags"

    name: Mapped[str] = mapped_column(String(50))


class Note(Owned, IsolatedEntity):
    __tablename__ = "test_notes"

    text: Mapped[str] = mapped_column(String(50))
    author_id: Mapped[UUID | None] = reference("test_authors", ondelete="setnull")
    author: Mapped[Author | None] = relationship()


class AuthorCreate(Schema):
    name: Text


class ArticleCreate(Schema):
    title: Text
    author_id: Id


class ArticleUpdate(Schema):
    title: Text = UNSET


class NoteCreate(Schema):
    text: Text
    author_id: Id | None = None


class Authors(PostgresRepository[Author, AuthorCreate, AuthorCreate]): ...


class Articles(PostgresRepository[Article, ArticleCreate, ArticleUpdate]): ...


class Notes(PostgresRepository[Note, NoteCreate, NoteCreate]): ...


TABLES = (Author, Article, Comment, Tag, Note, article_tags)
