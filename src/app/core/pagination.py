"""Pages of a list, on fastapi-pagination's abstract bases; entities see this module."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil
from typing import Annotated, Any, Literal, Self

from fastapi_pagination.bases import (
    AbstractPage,
    AbstractParams,
    BaseRawParams,
    CursorRawParams,
    RawParams,
)
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, field_validator, model_validator
from pydantic_core import PydanticCustomError

from app.core.limits import INT8_MAX
from app.core.list_query import (
    NOTHING_ADDED,
    TOTAL_LIMIT,
    Additions,
    Condition,
    ListQuery,
    Position,
    Selection,
    Serving,
    Total,
)
from app.core.schemas import NO_DEFAULT, documented

MAX_SIZE = 100
MAX_OFFSET = 100_000
MAX_CURSOR = 65_536  # characters, as many as the head of a request

type Relation = Literal["eq", "gte"]

Count = Annotated[int, documented(minimum=0, maximum=INT8_MAX)]
Cursor = Annotated[str, documented(maxLength=MAX_CURSOR)]

_set = object.__setattr__


class PageParams(BaseModel, AbstractParams):
    """Which part of a list is asked for: by the number of a page, or from a position on."""

    page: Annotated[
        int,
        Field(
            ge=1,
            le=MAX_OFFSET + 1,
            description="The number of the page, by default 1. Not together with `cursor`. "
            f"`(page - 1) * size` may not exceed {MAX_OFFSET:,}.",
            json_schema_extra={NO_DEFAULT: True},  # it would be sent along with a cursor
        ),
    ] = 1
    cursor: (
        Annotated[
            Cursor,
            Field(
                description="The `next_cursor` or `previous_cursor` of an answer to the same "
                "order and filters; the size may change.",
            ),
        ]
        | None
    ) = None
    size: Annotated[int, Field(ge=1, le=MAX_SIZE, description="Rows on a page.")] = 50
    total: Annotated[
        Total | None,
        Field(
            description="Whether the rows of all pages are counted: up to a limit (`bounded`, the "
            "default by page), all of them (`exact`), or not (`none`, the default by cursor)."
        ),
    ] = None

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if self.cursor is not None and "page" in self.model_fields_set:
            message = "Give either page or cursor, not both"
            raise PydanticCustomError("page_and_cursor", message)
        if (self.page - 1) * self.size > MAX_OFFSET:
            message = "(page - 1) * size may not exceed {limit}: follow next_cursor instead"
            raise PydanticCustomError("page_too_deep", message, {"limit": MAX_OFFSET})
        return self

    def at_position(self, position: Position) -> Self:
        """The same list, from this position on."""
        narrowed, _, serving = self._added
        return self._with(Additions(narrowed, position, serving))

    def served(self, serving: Serving) -> Self:
        """The same list, with the cursors and the limit of the API."""
        narrowed, position, _ = self._added
        return self._with(Additions(narrowed, position, serving))

    @property
    def list_query(self) -> ListQuery:
        """All that is asked for.

        Raises InvalidCursor, and LookupError for a cursor outside of the API, which can read it.
        """
        narrowed, position, serving = self._added
        selection = self._selection(narrowed)
        cursors, total_limit = None, TOTAL_LIMIT
        if serving is not None:
            cursors, total_limit = serving.cursors(selection), serving.total_limit
        if position is None and self.cursor is not None:
            if cursors is None:
                raise LookupError("a cursor is read by the API that serves the list")
            position = cursors.read(self.cursor)
        total = self.total or ("bounded" if position is None else "none")
        return ListQuery(selection, self.page, self.size, position, total, total_limit, cursors)

    def to_raw_params(self) -> BaseRawParams:
        query = self.list_query
        counts = query.total != "none"
        if query.position is not None:
            return CursorRawParams(self.cursor, query.size, include_total=counts)
        return RawParams(query.size, query.offset, include_total=counts)

    @cached_property
    def _added(self) -> Additions:
        """What code has added. A private attribute of pydantic's would cost each request 4 µs."""
        return NOTHING_ADDED

    def _with(self, additions: Additions) -> Self:
        copied = self.__copy__()
        _set(copied, "_added", additions)
        return copied

    def _selection(self, narrowed: tuple[Condition, ...]) -> Selection:
        return Selection(narrowed=narrowed)


@dataclass(frozen=True, slots=True)
class Window[T]:
    """The rows of a page, and the positions from which to walk on in either direction."""

    rows: list[T]
    following: Position | None
    preceding: Position | None


def window[T](found: list[T], query: ListQuery, key: Callable[[T], tuple[Any, ...]]) -> Window[T]:
    """Make a page of up to `size + 1` rows that were found, in the order of the walk.

    The extra row shows that the walk does not end here.
    """
    rows, more = found[: query.size], len(found) > query.size
    position = query.position
    if position is not None and position.backwards:
        rows.reverse()
        came_from_end = position.key is None
        last = Position(key(rows[-1])) if rows else Position()
        return Window(
            rows,
            None if came_from_end else last,
            Position(key(rows[0]), backwards=True) if more else None,
        )
    at_start = query.offset == 0 if position is None else position.key is None
    first = Position(key(rows[0]) if rows else None, backwards=True)
    return Window(rows, Position(key(rows[-1])) if more else None, None if at_start else first)


class Page[T](AbstractPage[T]):
    """One page of a list. By cursor it has no number; `total` and `pages` only where counted."""

    # Most are made to annotate, or to declare what FastAPI would validate: built once needed.
    model_config = ConfigDict(defer_build=True)
    __params_type__ = PageParams

    items: Annotated[Sequence[T], documented(maxItems=MAX_SIZE)]
    total: Annotated[Count, Field(examples=[1])] | None
    total_relation: Annotated[
        Relation | None,
        Field(
            description="`eq`: `total` is exact. `gte`: there are more rows than that.",
            examples=["eq"],
        ),
    ]
    page: (
        Annotated[Count, Field(examples=[1], description="Null where a cursor was followed.")]
        | None
    )
    size: Annotated[int, Field(ge=1, le=MAX_SIZE, examples=[50])]
    pages: Annotated[Count, Field(examples=[1])] | None
    next_cursor: Annotated[
        Cursor | None, Field(description="Null at the end of the list, and only there.")
    ]
    previous_cursor: Cursor | None

    @field_validator("items", mode="before")
    @classmethod
    def _as_list(cls, items: Any) -> Any:
        """Of rows as they come from the database pydantic could make no sequence of their kind."""
        return list(items) if isinstance(items, Sequence) and not isinstance(items, str) else items

    _following: Position | None = PrivateAttr(None)
    _preceding: Position | None = PrivateAttr(None)

    @property
    def following(self) -> Position | None:
        """Where the next page begins: the position that `next_cursor` stands for."""
        return self._following

    @property
    def preceding(self) -> Position | None:
        return self._preceding

    @classmethod
    def create(
        cls,
        items: Sequence[T],
        params: AbstractParams,
        *,
        total: int | None = None,
        following: Position | None = None,
        preceding: Position | None = None,
        query: ListQuery | None = None,
        **_: Any,
    ) -> Self:
        """Make a page of rows that need no validation.

        `query` may be given where the params' `list_query` is known already.
        """
        assert isinstance(params, PageParams)
        query = query or params.list_query
        by_cursor = query.position is not None
        total, relation = _told(total, query)
        no_pages = total is None or relation == "gte" or by_cursor
        pages = None if no_pages else ceil(total / query.size)
        write = query.cursors.write if query.cursors else _no_cursor
        fields = {
            "items": items,
            "total": total,
            "total_relation": relation,
            "page": None if by_cursor else query.page,
            "size": query.size,
            "pages": pages,
            "next_cursor": write(following) if following else None,
            "previous_cursor": write(preceding) if preceding else None,
        }
        page = cls.__new__(cls)
        # The same as model_construct, which takes ten times as long.
        _set(page, "__dict__", fields)
        _set(page, "__pydantic_fields_set__", set(fields))
        _set(page, "__pydantic_extra__", None)
        _set(page, "__pydantic_private__", {"_following": following, "_preceding": preceding})
        return page


def _told(total: int | None, query: ListQuery) -> tuple[int, Relation] | tuple[None, None]:
    """The total to answer: where it is bounded, no more than the limit."""
    if total is None:
        return None, None
    if query.total == "bounded" and total > query.total_limit:
        return query.total_limit, "gte"
    return total, "eq"


def _no_cursor(_: Position) -> None:
    """Outside of the API there are none."""
