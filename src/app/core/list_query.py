"""What a list is asked for, once the parameters are read: filters make it, repositories run it."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, NamedTuple, Protocol

TOTAL_LIMIT = 10_000  # rows that a bounded total counts, unless the API has another setting

type Deleted = Literal["exclude", "only", "include"]
type Total = Literal["bounded", "exact", "none"]


class Operator(StrEnum):
    EQ = "eq"
    NEQ = "neq"
    IN = "in"
    NOT_IN = "not_in"
    GT = "gt"
    GTE = "gte"
    LT = "lt"
    LTE = "lte"
    ISNULL = "isnull"
    ICONTAINS = "icontains"
    ISTARTSWITH = "istartswith"


class Condition(NamedTuple):
    """`parameter` is the name in the query string, and of the bind parameter in SQL."""

    parameter: str
    field: str
    operator: Operator
    value: Any


class SortKey(NamedTuple):
    field: str
    descending: bool = False


class Selection(NamedTuple):
    """Which rows a list has, and in which order.

    They fulfil the conditions that the client `asked` for and those that code `narrowed` the list
    to, and contain the term in one of the fields. The last key of the `order` is the id.
    """

    asked: tuple[Condition, ...] = ()
    narrowed: tuple[Condition, ...] = ()
    search_term: str | None = None
    search_fields: tuple[str, ...] = ()
    deleted: Deleted = "exclude"
    order: tuple[SortKey, ...] = (SortKey("id"),)

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """All of them."""
        return self.asked + self.narrowed


@dataclass(frozen=True, slots=True)
class Position:
    """A place in an ordered list, and the direction in which to walk on from it.

    It is after the row whose sort keys have the values of `key`, or before that row when walking
    backwards. Without a key it is the start of the list, or its end when walking backwards.
    """

    key: tuple[Any, ...] | None = None
    backwards: bool = False


class Cursors(Protocol):
    """Writes positions in one list as texts for clients, and reads them again."""

    def read(self, cursor: str) -> Position: ...

    def write(self, position: Position) -> str: ...


class Serving(NamedTuple):
    """How the API serves a list: with which cursors, and how far a bounded total counts."""

    cursors: Callable[[Selection], Cursors]
    total_limit: int = TOTAL_LIMIT


class Additions(NamedTuple):
    """What code adds to the parameters that a client sent."""

    narrowed: tuple[Condition, ...] = ()
    position: Position | None = None
    serving: Serving | None = None


NOTHING_ADDED = Additions()


class ListQuery(NamedTuple):
    """A part of a selection: the page of a number, or the rows behind a position."""

    selection: Selection
    page: int
    size: int
    position: Position | None
    total: Total
    total_limit: int
    cursors: Cursors | None

    @property
    def offset(self) -> int:
        """Rows to skip in page mode."""
        return (self.page - 1) * self.size if self.position is None else 0
