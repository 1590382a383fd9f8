"""What the API adds to a list: cursors for its positions, and links to the pages around."""

import re
from collections.abc import Sequence
from functools import lru_cache, partial
from math import ceil
from typing import Any
from urllib.parse import quote, unquote_plus

from starlette.types import Scope

from app.core.filters import Filter
from app.core.list_query import Serving
from app.core.pagination import MAX_OFFSET, Page
from app.dispatch.cursors import Cursors, cursor_key
from app.dispatch.routes import Route
from app.request_state import HeaderPairs, RequestState

PLACES = {"page", "cursor"}
PERHAPS_PLACES = re.compile("page|cursor|[%+]")  # a name may be quoted
MAX_LINKS = 4096  # bytes of a Link header: what proxies take for all headers begins at that

_quoted = lru_cache(1000)(quote)


class List:
    """One route that lists; `argument` is the endpoint's for its filters."""

    def __init__(self, argument: str, secrets: Sequence[str]) -> None:
        self._argument = argument
        self._keys = [cursor_key(each) for each in secrets]

    def serve(self, scope: Scope, state: RequestState, arguments: dict[str, Any]) -> None:
        """Have the list begin where its cursor says, and write cursors of its own.

        Raises InvalidCursor.
        """
        filters: Filter = arguments[self._argument]
        caller_and_route = f"{state.user_id} {scope['path']}"
        cursors = partial(Cursors, self._keys, filters.Constants.model, caller_and_route)
        serving = Serving(cursors, scope["app"].settings.total_limit)
        arguments[self._argument] = filters.served(serving)

    def link(self, scope: Scope, arguments: dict[str, Any], page: Page[Any]) -> HeaderPairs:
        """The Link header (RFC 8288)."""
        link = _links(scope["path"], scope["query_string"], arguments[self._argument], page)
        return [(b"link", link.encode("latin-1"))] if link else []


def filter_argument(route: Route) -> str | None:
    """The endpoint's argument that has the filters of a list, if it lists.

    Raises TypeError where a dependency takes them: a cursor could not be read for it.
    """
    own, of_dependencies = route.query_models()
    if any(map(_is_filter, of_dependencies.values())):
        message = "a list's filters are an argument of the endpoint itself, not of a dependency"
        raise TypeError(f"{route.path}: {message}")
    return next((name for name, model in own.items() if _is_filter(model)), None)


def _is_filter(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, Filter)


def _links(path: str, query: bytes, filters: Filter, page: Page[Any]) -> str:
    """Those of the pages around. The least needed go first where a proxy would refuse so much."""
    targets: dict[str, str] = {}
    if page.next_cursor:
        by_number = page.page is not None and page.page * page.size <= MAX_OFFSET
        targets["next"] = f"page={filters.page + 1}" if by_number else f"cursor={page.next_cursor}"
    if page.page is None:
        if page.previous_cursor:
            targets["prev"] = f"cursor={page.previous_cursor}"
        # Where counting was not asked for, the first page shall not begin to.
        targets["first"] = "page=1" if filters.total else "page=1&total=none"
    else:
        if page.page > 1:
            targets["prev"] = f"page={page.page - 1}"
        targets["first"] = "page=1"
    if page.total is not None and page.total_relation == "eq":
        last = max(ceil(page.total / page.size), 1)
        if (last - 1) * page.size <= MAX_OFFSET:
            targets["last"] = f"page={last}"
    base = f"<{_quoted(path)}?{_without_place(query.decode('latin-1'))}"
    links, length = [], 0
    for name, target in targets.items():
        link = f'{base}{target}>; rel="{name}"'
        length += len(link) + 2
        if length <= MAX_LINKS:
            links.append(link)
    return ", ".join(links)


def _without_place(query: str) -> str:
    """A query string as it was sent, without `page` and `cursor`, to be followed by one."""
    safe = query.replace("<", "%3C").replace(">", "%3E").replace('"', "%22")
    parts = safe.split("&")
    if PERHAPS_PLACES.search(safe):
        parts = [part for part in parts if _name(part) not in PLACES]
    return "&".join([*filter(None, parts), ""])


def _name(part: str) -> str:
    name = part.partition("=")[0]
    return unquote_plus(name) if "%" in name or "+" in name else name
