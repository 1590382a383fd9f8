"""What the database holds, which every process knows without asking.

Of each 20 items the big owner has 14, and the list of W2 finds 11 of those: 55 % of the table.
Prices are all different, so that every contender has to deliver the same 50 rows.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from app.auth.tokens import new_token
from app.core.models import uuid7

OWNERS = 20
CYCLE = 20
BIG_OWNERS = 14
MATCHING = 11
STATUS = "active"
MIN_QUANTITY = 10
PRICE_STEP = 7_919  # a prime, which strews the prices over the rows

COLUMNS = (
    "id", "owner_id", "name", "description", "sku", "price", "quantity", "status",
    "created_at", "updated_at", "version",
)  # fmt: skip


@dataclass(frozen=True)
class Dataset:
    rows: int
    owners: list[UUID] = field(default_factory=lambda: [uuid7() for _ in range(OWNERS)])
    reader_token: str = field(default_factory=new_token)
    writer_token: str = field(default_factory=new_token)

    @property
    def reader(self) -> UUID:
        """The big owner, who gets and lists."""
        return self.owners[0]

    @property
    def writer(self) -> UUID:
        """Who posts: the lists of the reader stay as they are."""
        return self.owners[1]

    @property
    def bulk_writer(self) -> UUID:
        """Who upserts, and has no items before."""
        return self.owners[2]

    @property
    def matching(self) -> int:
        """What the filters of the list find."""
        return self.rows // CYCLE * MATCHING

    def items(self) -> Iterator[tuple[Any, ...]]:
        start = datetime.now(UTC) - timedelta(seconds=self.rows)
        for number in range(self.rows):
            place = number % CYCLE
            created = start + timedelta(seconds=number)
            yield (
                uuid7(),
                self.reader if place < BIG_OWNERS else self.owners[3 + number % (OWNERS - 3)],
                f"Item {number}",
                None if number % 3 == 0 else f"What there is to say of item {number}, in a line",
                f"SKU-{number:07d}",
                Decimal(number * PRICE_STEP % self.rows + 100).scaleb(-2),
                MIN_QUANTITY + number % 90 if place < MATCHING else number % MIN_QUANTITY,
                "draft" if place == BIG_OWNERS - 1 else STATUS,
                created,
                created,
                1,
            )
