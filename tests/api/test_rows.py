"""Answers that are rows: what the columns of their own entity say of them."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import JsonValue
from sqlalchemy import ARRAY, BigInteger, Numeric, String
from sqlalchemy.orm import Mapped, mapped_column

from app.config import Settings
from app.core.models import Document
from app.core.pagination import Page
from app.core.schemas import ReadSchema, Schema, example
from app.core.service import Service
from app.core.types import Array, Json, Text
from app.main import create_app
from tests.common.tables import IsolatedEntity

SENT: dict[str, JsonValue] = {"code": "B-1", "weight": "0.200", "words": ["blue"], "notes": {}}


class Shelf(IsolatedEntity):
    __tablename__ = "test_shelves"

    code: Mapped[str] = mapped_column(String(10))


class Book(IsolatedEntity):
    __tablename__ = "test_books"

    code: Mapped[str] = mapped_column(String(20))
    weight: Mapped[Any] = mapped_column(Numeric(5, 3))
    sold: Mapped[int] = mapped_column(BigInteger)
    words: Mapped[list[str]] = mapped_column(ARRAY(String(30)))
    notes: Mapped[Document]
    read_by: Mapped[str | None]


class ShelfCreate(Schema):
    code: Text


class BookCreate(Schema):
    model_config = example({**SENT})

    code: Text
    weight: Text
    words: Array[Text]
    notes: Json
    sold: int = 7


class BookRead(ReadSchema):
    id: UUID
    code: str
    weight: str
    sold: int
    words: list[str]
    notes: Document
    read_by: str | None
    version: int


ShelfCreate.__module__, BookCreate.__module__, BookRead.__module__ = "shelves", "books", "books"


class Shelves(Service[Shelf, ShelfCreate, ShelfCreate]): ...


class Books(Service[Book, BookCreate, BookCreate]): ...


async def get_shelves() -> Shelves: ...


async def get_books() -> Books: ...


def document(settings: Settings) -> dict[str, Any]:
    router = APIRouter()

    @router.get("/shelves/books", response_model=Page[BookRead])
    async def books_of_shelf(
        books: Annotated[Books, Depends(get_books)],
        shelves: Annotated[Shelves, Depends(get_shelves)],
    ) -> Any: ...

    app = create_app(settings)
    app.include_router(router)
    return app.openapi()


def test_bounds_are_those_of_its_own_columns(settings: Settings) -> None:
    found = document(settings)["components"]["schemas"]["BookRead"]["properties"]
    assert found["code"]["maxLength"] == 20
    assert (found["weight"]["maxLength"], found["weight"]["pattern"]) == (
        7,
        r"^-?\d{1,2}(\.\d{1,3})?$",
    )
    assert (found["sold"]["maximum"], found["sold"]["format"]) == (2**63 - 1, "int64")
    assert (found["version"]["maximum"], found["version"]["format"]) == (2**31 - 1, "int32")
    assert (found["words"]["maxItems"], found["words"]["items"]["maxLength"]) == (100, 30)
    array = next(each for each in found["notes"]["anyOf"] if each["type"] == "array")
    assert array["maxItems"] == 2**28 - 1
    assert found["read_by"]["anyOf"][0]["maxLength"] == 2**30 - 1


def test_the_example_is_what_comes_of_the_one_that_creates_it(settings: Settings) -> None:
    found = document(settings)
    book = found["components"]["schemas"]["BookRead"]["example"]
    assert book.items() >= SENT.items()
    assert (book["sold"], book["version"], book["read_by"]) == (7, 1, None)
    content = found["paths"]["/shelves/books"]["get"]["responses"]["200"]["content"]
    page = content["application/json"]["example"]
    assert page["items"] == [book]
    assert (page["total"], page["size"], page["next_cursor"]) == (1, 50, None)
