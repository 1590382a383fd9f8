"""Who takes part, and in which words each is asked for the list of W2."""

from dataclasses import dataclass

from bench.dataset import MIN_QUANTITY, STATUS
from bench.settings import PAGE_SIZE

_FILTERS = f"status={STATUS}&quantity__gte={MIN_QUANTITY}"
_CONTRACT = f"{_FILTERS}&order_by=-price&size={PAGE_SIZE}"


@dataclass(frozen=True, slots=True)
class Contender:
    """`name` is that of its module below `bench.contenders`; `items` and `total` are its words."""

    name: str
    what: str
    list_query: str = _CONTRACT
    items: str = "items"
    total: str = "total"
    has_cursors: bool = False  # takes cursor=… and answers next_cursor: W3 and W4
    can_skip_total: bool = False  # takes page=… with total=none: W4p


LIMIT = Contender(
    "limit", "raw ASGI, asyncpg, hand-written SQL, orjson", has_cursors=True, can_skip_total=True
)
OURS = Contender(
    "ours", "Plinth in production, log line and all", has_cursors=True, can_skip_total=True
)
CONTENDERS = (
    LIMIT,
    OURS,
    Contender("tutorial", "async ORM, BaseHTTPMiddleware, FilterDepends, Page"),
    Contender(
        "fastcrud",
        "FastCRUD in routes of one's own",
        f"{_FILTERS}&sort=-price&itemsPerPage={PAGE_SIZE}",
        items="data",
        total="total_count",
    ),
    Contender(
        "advanced_alchemy",
        "its FastAPI extension, service and filters",
        f"{_FILTERS}&orderBy=price&sortOrder=desc&pageSize={PAGE_SIZE}",
    ),
    Contender(
        "sqlmodel_sync",
        "SQLModel and psycopg in def routes",
        f"{_FILTERS}&order_by=-price&limit={PAGE_SIZE}",
        items="data",
        total="count",
    ),
)
