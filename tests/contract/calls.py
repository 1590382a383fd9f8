"""Requests as values, to be sent by whichever client."""

from typing import Any

from tests.problems import ITEMS, JSON

type Call = dict[str, Any]


def call(method: str, url: str, **options: Any) -> Call:
    return {"method": method, "url": url, **options}


def post_item(content: bytes) -> Call:
    return call("POST", ITEMS, content=content, headers=JSON)
