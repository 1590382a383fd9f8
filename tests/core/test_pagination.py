from typing import Any

import pytest
from pydantic import ValidationError

from app.config import Settings
from app.core.list_query import TOTAL_LIMIT, Position, Selection, Serving
from app.core.pagination import MAX_OFFSET, MAX_SIZE, Page, PageParams, Window, window

PARAMS = PageParams(size=2)
BACK = Position(backwards=True)


def cut(found: list[int], position: Position | None = None, page: int = 1) -> Window[int]:
    params = PageParams(page=page, size=2)
    params = params.at_position(position) if position else params
    return window(found, params.list_query, lambda row: (row,))


def before(row: int | None) -> Position:
    return Position(None if row is None else (row,), backwards=True)


def behind(row: int | None) -> Position:
    return Position(None if row is None else (row,))


class Numbers:
    """Writes the position of a number as so many signs."""

    def __init__(self, selection: Selection) -> None:
        assert selection == Selection()

    def read(self, cursor: str) -> Position:
        return behind(cursor.count("x"))

    def write(self, position: Position) -> str:
        assert position.key is not None
        return "-" * position.backwards + "x" * position.key[0]


class TestParams:
    @pytest.mark.parametrize(
        "query",
        [
            {"page": 0},
            {"size": 0},
            {"size": MAX_SIZE + 1},
            {"page": MAX_OFFSET // MAX_SIZE + 2, "size": MAX_SIZE},
            {"page": MAX_OFFSET + 2, "size": 1},
            {"page": 1, "cursor": "x"},
            {"total": "some"},
        ],
    )
    def test_refuses(self, query: dict[str, Any]) -> None:
        with pytest.raises(ValidationError):
            PageParams.model_validate(query)

    def test_the_deepest_page_begins_at_the_limit(self) -> None:
        for params in (
            PageParams(page=MAX_OFFSET + 1, size=1),
            PageParams(page=MAX_OFFSET // MAX_SIZE + 1, size=MAX_SIZE),
        ):
            assert params.list_query.offset == MAX_OFFSET

    def test_a_cursor_that_nobody_can_read_is_no_position(self) -> None:
        params = PageParams(cursor="x")
        with pytest.raises(LookupError):
            _ = params.list_query
        assert params.at_position(behind(1)).list_query.position == behind(1)
        assert params.served(Serving(Numbers)).list_query.position == behind(1)

    def test_what_is_made_of_params_leaves_them_as_they_are(self) -> None:
        before = PARAMS.list_query
        PARAMS.at_position(Position())
        PARAMS.served(Serving(Numbers))
        assert PARAMS.list_query == before

    def test_a_copy_is_asked_for_what_it_says(self) -> None:
        served = PARAMS.served(Serving(Numbers))
        assert (served.list_query.size, served.list_query.page) == (2, 1)
        copied = served.model_copy(update={"size": 7, "cursor": "xx"})
        assert (copied.list_query.size, copied.list_query.position) == (7, behind(2))

    @pytest.mark.parametrize(
        ("total", "by_page", "by_cursor"),
        [
            (None, "bounded", "none"),
            ("bounded", "bounded", "bounded"),
            ("exact", "exact", "exact"),
            ("none", "none", "none"),
        ],
    )
    def test_what_is_counted(self, total: Any, by_page: str, by_cursor: str) -> None:
        params = PageParams(total=total)
        moved = params.at_position(Position())
        assert (params.list_query.total, moved.list_query.total) == (by_page, by_cursor)

    def test_what_fastapi_pagination_is_told(self) -> None:
        raw = PageParams(page=3, size=2, total="none").to_raw_params().as_limit_offset()
        assert (raw.limit, raw.offset, raw.include_total) == (2, 4, False)
        by_cursor = PARAMS.served(Serving(Numbers)).model_copy(update={"cursor": "x"})
        assert by_cursor.to_raw_params().as_cursor().cursor == "x"


class TestWindow:
    """Of up to three rows that were found for a page of two."""

    def test_the_start_of_a_list(self) -> None:
        for position in (None, Position()):
            assert cut([], position) == Window([], None, None)
            assert cut([1, 2], position) == Window([1, 2], None, None)
            assert cut([1, 2, 3], position) == Window([1, 2], behind(2), None)

    def test_further_on(self) -> None:
        assert cut([5, 6, 7], behind(4)) == Window([5, 6], behind(6), before(5))
        assert cut([5, 6], behind(4)) == Window([5, 6], None, before(5))
        assert cut([3, 4, 5], page=2) == Window([3, 4], behind(4), before(3))

    def test_past_the_end_the_way_back_begins_there(self) -> None:
        assert cut([], behind(4)) == Window([], None, BACK)
        assert cut([], page=9) == Window([], None, BACK)

    def test_backwards_the_rows_come_in_the_order_of_the_list(self) -> None:
        assert cut([4, 3, 2], before(5)) == Window([3, 4], behind(4), before(3))
        assert cut([4, 3], before(5)) == Window([3, 4], behind(4), None)

    def test_the_end_of_a_list_has_nothing_behind_it(self) -> None:
        assert cut([9, 8, 7], BACK) == Window([8, 9], None, before(8))
        assert cut([9], BACK) == Window([9], None, None)

    def test_before_the_start_the_way_on_begins_there(self) -> None:
        assert cut([], before(1)) == Window([], behind(None), None)


class TestPage:
    def test_knows_its_number_and_how_many_there_are(self) -> None:
        page = Page[int].create([3, 4], PageParams(page=2, size=2), total=5)
        assert (page.page, page.pages, page.total, page.total_relation) == (2, 3, 5, "eq")
        empty = Page[int].create([], PARAMS, total=0)
        assert (empty.page, empty.pages, empty.total) == (1, 0, 0)

    def test_by_cursor_it_has_no_number(self) -> None:
        page = Page[int].create([1], PARAMS.at_position(Position()), total=5)
        assert (page.page, page.pages, page.total) == (None, None, 5)

    def test_without_a_total_nobody_knows_how_many_there_are(self) -> None:
        page = Page[int].create([1], PARAMS)
        assert (page.page, page.pages, page.total, page.total_relation) == (1, None, None, None)

    @pytest.mark.parametrize(
        ("asked", "counted", "told"),
        [
            (None, 4, (4, "eq", 2)),
            (None, 5, (4, "gte", None)),
            ("bounded", 5, (4, "gte", None)),
            ("exact", 5, (5, "eq", 3)),
        ],
    )
    def test_a_bounded_total_ends_at_the_limit(
        self, asked: Any, counted: int, told: tuple[Any, ...]
    ) -> None:
        params = PageParams(size=2, total=asked).served(Serving(Numbers, total_limit=4))
        page = Page[int].create([1], params, total=counted)
        assert (page.total, page.total_relation, page.pages) == told

    def test_the_limit_is_that_of_the_settings_where_no_api_says_another(self) -> None:
        assert PARAMS.list_query.total_limit == TOTAL_LIMIT
        assert Settings.model_fields["total_limit"].default == TOTAL_LIMIT

    def test_is_complete_when_it_is_made(self) -> None:
        places = {"following": behind(2), "preceding": before(1)}
        page = Page[int].create([1, 2], PARAMS, **places)
        assert (page.next_cursor, page.previous_cursor) == (None, None)
        assert (page.following, page.preceding) == (behind(2), before(1))
        page = Page[int].create([1, 2], PARAMS.served(Serving(Numbers)), **places)
        assert (page.next_cursor, page.previous_cursor) == ("xx", "-x")
        members = "items total total_relation page size pages next_cursor previous_cursor"
        assert [*page.model_dump()] == members.split()
