"""The bodies and answers of bulk calls."""

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field

from app.core.repository import Upserted
from app.core.schemas import Schema, from_settings
from app.core.types import Id

MAX_ROWS = 10_000  # that a body can hold at all; how many it may is a setting
ROWS: Any = Field(
    min_length=1, max_length=MAX_ROWS, json_schema_extra=from_settings(maxItems="max_bulk_rows")
)


class BulkBody(Schema):
    """The base of bodies whose one field is a list, for which limits of their own hold."""


class BulkItems[T](BulkBody):
    items: Annotated[list[T], ROWS]


class BulkIds(BulkBody):
    ids: Annotated[list[Id], ROWS]


class BulkCreated[T](BaseModel):
    """In the order in which they were sent."""

    model_config = ConfigDict(arbitrary_types_allowed=True, defer_build=True)

    items: Sequence[T]

    @classmethod
    def of(cls, items: Sequence[T]) -> Self:
        return cls.model_construct(items=items)


class BulkUpserted(BaseModel):
    """What became of each item, in the order in which they were sent, and how often."""

    model_config = ConfigDict(defer_build=True)

    created: int
    updated: int
    unchanged: int
    results: Sequence[Upserted]

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
    model_config = ConfigDict(defer_build=True)

    deleted: int
