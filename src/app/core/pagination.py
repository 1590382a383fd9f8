"""Pages and places in a list, on fastapi-pagination's abstract bases; entities see this module."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil
from typing import Annotated, Any, ClassVar, Literal, Self

from fastapi_pagination.bases import AbstractPage, AbstractParams, RawParams
from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

MAX_SIZE = 100
MAX_OFFSET = 100_000


@dataclass(frozen=True, slots=True)
class Position:
    """A place in an ordered list, and the direction in which to walk on from it.

    It lies behind the row whose sort keys have the values of `key`, or before it when walking
    backwards; without a key at the start of the list, or at its end.
    """

    key: tuple[Any, ...] | None = None
    backwards: bool = False


class PageParams(BaseModel, AbstractParams):
    """Which part of a list is asked for: by the number of a page, or from a position on."""

    page: Annotated[
        int,
        Field(
            ge=1,
            le=MAX_OFFSET + 1,
            description="The number of the page; 1 without a `cursor`. Not both. "
            f"`(page - 1) * size` may not exceed {MAX_OFFSET:,}.",
        ),
    ] = 1
    cursor: (
        Annotated[
            str,
            Field(
                description="The `next_cursor` or `previous_cursor` of an answer to the same "
                "order and filters; the size may change.",
            ),
        ]
        | None
    ) = None
    size: Annotated[int, Field(ge=1, le=MAX_SIZE, description="Rows on a page.")] = 50
    total: Annotated[
        Literal["exact", "none"] | None,
        Field(description="Count the rows of all pages: `exact` by page, `none` by cursor."),
    ] = None

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if self.cursor is not None and "page" in self.model_fields_set:
            message = "Give either page or cursor: a cursor knows its place"
            raise PydanticCustomError("page_and_cursor", message)
        if self.offset > MAX_OFFSET:
            message = "(page - 1) * size may not exceed {limit}: walk on by next_cursor instead"
            raise PydanticCustomError("page_too_deep", message, {"limit": MAX_OFFSET})
        return self

    def at_position(self, position: Position) -> Self:
        """The same list, from this position on."""
        moved = self.model_copy()
        moved.seek(position)
        return moved

    def seek(self, position: Position) -> None:
        """Have this very list begin at the position, before anyone else has seen it."""
        vars(self)["cursor_position"] = position

    @cached_property
    def cursor_position(self) -> Position | None:
        """Where to walk on from; None in page mode.

        Raises LookupError for a cursor that nobody has read: it is for the API to verify it.
        """
        if self.cursor is not None:
            raise LookupError("the cursor was not read")
        return None

    @property
    def wants_total(self) -> bool:
        """Whether the total is asked for."""
        return self.total == "exact" or (self.total is None and self.cursor_position is None)

    @property
    def offset(self) -> int:
        return (self.page - 1) * self.size

    def to_raw_params(self) -> RawParams:
        return RawParams(limit=self.size, offset=self.offset)


@dataclass(frozen=True, slots=True)
class Window[T]:
    """The rows of a page, and the positions from which to walk on in either direction."""

    rows: list[T]
    following: Position | None
    preceding: Position | None


def window[T](found: list[T], params: PageParams, key: Callable[[T], tuple[Any, ...]]) -> Window[T]:
    """Cut a page out of the up to `size + 1` rows that were found, in the order of the walk.

    The row too many shows that the walk does not end here, whatever is written meanwhile.
    """
    rows, more = found[: params.size], len(found) > params.size
    position = params.cursor_position
    if position is not None and position.backwards:
        rows.reverse()
        came_from_end = position.key is None
        last = Position(key(rows[-1])) if rows else Position()
        return Window(
            rows,
            None if came_from_end else last,
            Position(key(rows[0]), backwards=True) if more else None,
        )
    at_start = params.offset == 0 if position is None else position.key is None
    first = Position(key(rows[0]) if rows else None, backwards=True)
    return Window(rows, Position(key(rows[-1])) if more else None, None if at_start else first)


class Page[T](AbstractPage[T]):
    """One page of a list. By cursor it has no number; `total` and `pages` only where counted."""

    # Most are made to annotate, or to declare what FastAPI would validate: built once needed.
    model_config = ConfigDict(defer_build=True)
    __params_type__ = PageParams

    items: Sequence[T]
    total: int | None
    page: int | None
    size: int
    pages: int | None
    next_cursor: Annotated[
        str | None, Field(description="Null at the end of the list, and only there.")
    ]
    previous_cursor: str | None

    # No fields, which an answer would have: the API makes cursors of them.
    following: ClassVar[Position | None] = None
    preceding: ClassVar[Position | None] = None

    @classmethod
    def create(
        cls,
        items: Sequence[T],
        params: AbstractParams,
        *,
        total: int | None = None,
        following: Position | None = None,
        preceding: Position | None = None,
        **_: Any,
    ) -> Self:
        """Build a page from rows that come from the database and need no validation."""
        assert isinstance(params, PageParams)
        by_cursor = params.cursor_position is not None
        fields = {
            "items": items,
            "total": total,
            "page": None if by_cursor else params.page,
            "size": params.size,
            "pages": None if total is None or by_cursor else ceil(total / params.size),
            "next_cursor": None,
            "previous_cursor": None,
        }
        page = cls.__new__(cls)
        # What model_construct does, which looks at every field and takes ten times as long.
        object.__setattr__(page, "__pydantic_fields_set__", set(fields))
        object.__setattr__(page, "__pydantic_extra__", None)
        object.__setattr__(page, "__pydantic_private__", None)
        vars(page).update(fields, following=following, preceding=preceding)
        return page
