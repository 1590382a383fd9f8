"""Requests as values, to be sent by whichever client."""

from typing import Any

from tests.problems import JSON, LAMPS

type Call = dict[str, Any]


def call(method: str, url: str, **options: Any) -> Call:
    return {"method": method, "url": url, **options}


def post_lamp(content: bytes) -> Call:
    return call("POST", LAMPS, content=content, headers=JSON)
