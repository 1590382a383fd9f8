"""Pages, on fastapi-pagination's abstract base; the rest of the application sees this module."""

from collections.abc import Sequence
from math import ceil
from typing import Annotated, Any, Self

from fastapi_pagination.bases import AbstractPage, AbstractParams, RawParams
from pydantic import BaseModel, Field, model_validator

MAX_SIZE = 100
MAX_OFFSET = 100_000


class PageParams(BaseModel, AbstractParams):
    page: Annotated[int, Field(ge=1, description="The number of the page, from 1.")] = 1
    size: Annotated[int, Field(ge=1, le=MAX_SIZE, description="Rows on a page.")] = 50

    @model_validator(mode="after")
    def _shallow(self) -> Self:
        if self.offset > MAX_OFFSET:
            raise ValueError(f"(page - 1) * size may not exceed {MAX_OFFSET}")
        return self

    @property
    def offset(self) -> int:
        return (self.page - 1) * self.size

    def to_raw_params(self) -> RawParams:
        return RawParams(limit=self.size, offset=self.offset)


class Page[T](AbstractPage[T]):
    """One page of a list. `total` counts the rows of all pages."""

    __params_type__ = PageParams

    items: Sequence[T]
    total: int
    page: int
    size: int
    pages: int

    @classmethod
    def create(
        cls, items: Sequence[T], params: AbstractParams, *, total: int = 0, **_: Any
    ) -> Self:
        """Build a page from rows that come from the database and need no validation."""
        assert isinstance(params, PageParams)
        return cls.model_construct(
            items=items,
            total=total,
            page=params.page,
            size=params.size,
            pages=ceil(total / params.size),
        )
