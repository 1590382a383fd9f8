"""The bodies and answers of bulk calls."""

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from app.core.repository import Upserted
from app.core.schemas import Schema, documented, from_settings
from app.core.types import Id

MAX_ROWS = 10_000  # in any body; the setting max_bulk_rows may be lower
ROWS: Any = Field(
    min_length=1, max_length=MAX_ROWS, json_schema_extra=from_settings(maxItems="max_bulk_rows")
)
Rows = Annotated[int, documented(minimum=0, **from_settings(maximum="max_bulk_rows"))]

T = TypeVar("T")
Answered = Annotated[Sequence[T], documented(**from_settings(maxItems="max_bulk_rows"))]


class BulkBody(Schema):
    """The base of bulk bodies, which have one field, a list, and limits of their own."""


class BulkItems[T](BulkBody):
    items: Annotated[list[T], ROWS]


class BulkIds(BulkBody):
    ids: Annotated[list[Id], ROWS]


class BulkCreated[T](BaseModel):
    """In the order in which they were sent."""

    model_config = ConfigDict(arbitrary_types_allowed=True, defer_build=True)

    items: Answered[T]

    @classmethod
    def of(cls, items: Sequence[T]) -> Self:
        return cls.model_construct(items=items)


class BulkUpserted(BaseModel):
    """The outcome of each item, in the order in which they were sent, and how many had which."""

    model_config = ConfigDict(defer_build=True)

    created: Annotated[Rows, Field(examples=[1])]
    updated: Annotated[Rows, Field(examples=[0])]
    unchanged: Annotated[Rows, Field(examples=[0])]
    results: Answered[Upserted]

    @classmethod
    def of(cls, results: Sequence[Upserted]) -> Self:
        counted = Counter(each.outcome for each in results)
        return cls.model_construct(
            created=counted["created"],
            updated=counted["updated"],
            unchanged=counted["unchanged"],
            results=results,
        )


class BulkDeleted(BaseModel):
    """How many there were."""

    model_config = ConfigDict(defer_build=True)

    deleted: Annotated[Rows, Field(examples=[1])]
