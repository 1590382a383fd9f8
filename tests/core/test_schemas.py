import re
from collections.abc import Sequence
from datetime import time
from typing import Annotated

import pytest
from fastapi import APIRouter, Query
from pydantic import PydanticSchemaGenerationError, TypeAdapter

from app.core.bulk import BulkCreated
from app.core.pagination import Page
from app.core.schemas import LOCAL_TIME, ReadSchema


class NoSchema:
    """What pydantic cannot read or write."""


class Row(ReadSchema):
    name: str


def test_a_wrong_annotation_is_told_when_the_class_is_made() -> None:
    with pytest.raises(PydanticSchemaGenerationError, match="NoSchema"):

        class Wrong(ReadSchema):
            value: NoSchema


def test_an_annotation_may_name_a_class_that_comes_later() -> None:
    class First(ReadSchema):
        second: "Second | None" = None

    class Second(ReadSchema):
        name: str

    First.model_rebuild(_types_namespace={"Second": Second})
    assert First.model_validate({"second": {"name": "a"}}).second == Second(name="a")


@pytest.mark.parametrize("answer", [Row, Page[Row], BulkCreated[Row]])
def test_what_fastapi_would_build_again_for_each_route_is_left_until_it_is_used(
    answer: type,
) -> None:
    router = APIRouter()

    @router.get("/rows", response_model=answer)
    async def rows(page: Annotated[int, Query()] = 1) -> None: ...

    [route] = router.routes
    adapter: TypeAdapter[object] = route.response_field._type_adapter  # pyrefly: ignore[missing-attribute]
    assert not adapter.pydantic_complete
    assert adapter.json_schema()["title"] == answer.__name__
    assert adapter.pydantic_complete


def test_a_page_is_written_by_the_schema_of_its_rows() -> None:
    page = {"items": [Row(name="a")], "total": 1, "page": 1, "size": 1, "pages": 1}
    page |= {"total_relation": "eq", "next_cursor": None, "previous_cursor": None}
    lamps: Sequence[Row] = Page[Row].model_validate(page).items
    assert [each.name for each in lamps] == ["a"]


def test_a_time_of_day_in_an_answer_has_no_offset() -> None:
    class Hours(ReadSchema):
        opening: time
        closing: time | None
        breaks: list[time]

    found = Hours.model_json_schema(mode="serialization")["properties"]
    shown = (found["opening"], found["closing"]["anyOf"][0], found["breaks"]["items"])
    assert all(LOCAL_TIME.items() <= each.items() for each in shown)
    row = Hours(opening=time(8), closing=time(23, 59, 59, 999999), breaks=[])
    for each in ("opening", "closing"):
        assert re.search(LOCAL_TIME["pattern"], row.model_dump(mode="json")[each])
