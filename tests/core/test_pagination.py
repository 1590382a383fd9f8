from typing import Any

import pytest
from pydantic import ValidationError

from app.core.pagination import (
    MAX_OFFSET,
    MAX_SIZE,
    Page,
    PageParams,
    Position,
    Window,
    window,
)

PARAMS = PageParams(size=2)
BACK = Position(backwards=True)


def cut(found: list[int], position: Position | None = None, page: int = 1) -> Window[int]:
    params = PageParams(page=page, size=2)
    return window(found, params.at_position(position) if position else params, lambda row: (row,))


def before(row: int | None) -> Position:
    return Position(None if row is None else (row,), backwards=True)


def behind(row: int | None) -> Position:
    return Position(None if row is None else (row,))


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
        assert PageParams(page=MAX_OFFSET + 1, size=1).offset == MAX_OFFSET
        assert PageParams(page=MAX_OFFSET // MAX_SIZE + 1, size=MAX_SIZE).offset == MAX_OFFSET

    def test_a_cursor_that_nobody_verified_is_no_position(self) -> None:
        params = PageParams(cursor="x")
        with pytest.raises(LookupError):
            _ = params.cursor_position
        assert params.at_position(Position((1,))).cursor_position == Position((1,))

    def test_a_position_leaves_the_params_it_came_from(self) -> None:
        PARAMS.at_position(Position())
        assert PARAMS.cursor_position is None

    @pytest.mark.parametrize(
        ("total", "by_page", "by_cursor"),
        [(None, True, False), ("exact", True, True), ("none", False, False)],
    )
    def test_what_is_counted(self, total: Any, *, by_page: bool, by_cursor: bool) -> None:
        params = PageParams(total=total)
        assert (params.wants_total, params.at_position(Position()).wants_total) == (
            by_page,
            by_cursor,
        )


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
        assert (page.page, page.pages, page.total) == (2, 3, 5)
        empty = Page[int].create([], PARAMS, total=0)
        assert (empty.page, empty.pages, empty.total) == (1, 0, 0)

    def test_by_cursor_it_has_no_number(self) -> None:
        page = Page[int].create([1], PARAMS.at_position(Position()), total=5)
        assert (page.page, page.pages, page.total) == (None, None, 5)

    def test_without_a_total_nobody_knows_how_many_there_are(self) -> None:
        page = Page[int].create([1], PARAMS)
        assert (page.page, page.pages, page.total) == (1, None, None)
