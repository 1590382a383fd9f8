"""What was asked and what was answered, as far as two applications can be compared by it."""

import json
import re
from dataclasses import dataclass, replace
from functools import cached_property
from http import HTTPStatus
from typing import Any, NamedTuple, Self

import httpx2 as httpx

IGNORED = {"date", "server"}
EXPIRES = re.compile(r"(?<=; expires=)[^;]+")  # of a cookie: when, by the clock
PROBLEM = "application/problem+json"
MEMBERS = {"type", "title", "status", "detail", "error_code", "correlation_id", "timestamp"}
ACCEPTED = 101  # the status of an open WebSocket

type FieldError = tuple[list[str | int], str]
"""Where it is, and its code."""


def phrase(status: int) -> str:
    """What says nothing but the status."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:  # a route may have a status of its own
        return ""


@dataclass(frozen=True)
class Answer:
    """A response, and what of its request the rules look at."""

    method: str
    url: str
    sent: bytes
    sent_type: str
    status: int
    headers: dict[str, list[str]]
    body: bytes
    get: "Answer | None" = None
    """For a HEAD that was refused: the answer to a GET."""

    @classmethod
    def of(cls, response: httpx.Response) -> Self:
        headers: dict[str, list[str]] = {}
        for name, value in response.headers.multi_items():
            if name not in IGNORED:
                headers.setdefault(name, []).append(EXPIRES.sub("…", value))
        if "allow" in headers:  # made from a set, which has no order
            headers["allow"] = sorted(headers["allow"][0].split(", "))
        request = response.request
        get = response.extensions.get("get")
        return cls(
            request.method,
            str(request.url),
            request.read(),
            request.headers.get("content-type", ""),
            response.status_code,
            headers,
            response.content,
            cls.of(get) if get else None,
        )

    def said(self, text: str) -> "Answer":
        """In its place, what came over a WebSocket."""
        return replace(self, status=ACCEPTED, headers={}, body=text.encode(), get=None)

    @property
    def text(self) -> str:
        return self.body.decode(errors="backslashreplace")

    @property
    def media_type(self) -> str:
        return self.headers.get("content-type", [""])[0]

    @property
    def is_problem(self) -> bool:
        return self.media_type == PROBLEM

    @cached_property
    def json(self) -> Any:
        """None where the body is not JSON."""
        is_json = self.media_type.partition(";")[0].endswith(("/json", "+json"))
        return json.loads(self.body) if is_json and self.body else None

    @cached_property
    def problem(self) -> dict[str, Any] | None:
        """The body, if it is a problem of ours with all its members."""
        is_whole = self.is_problem and isinstance(self.json, dict) and set(self.json) >= MEMBERS
        return self.json if is_whole else None

    @cached_property
    def errors(self) -> list[FieldError]:
        """Those of single fields, in FastAPI's shape or in ours; the input they repeat aside."""
        if self.problem is not None:
            return [(each["loc"], each["code"]) for each in self.problem.get("errors") or ()]
        detail = self.json.get("detail") if isinstance(self.json, dict) else None
        if not isinstance(detail, list):
            return []
        return [
            (each["loc"], each["type"])
            for each in detail
            if isinstance(each, dict) and {"loc", "type"} <= set(each)
        ]

    @property
    def is_fastapis_error(self) -> bool:
        """Whether it is an error that no route, handler or middleware has written itself."""
        if self.status < 400 or not self.body or self.method == "HEAD":
            return False
        return self.says_status or (isinstance(self.json, dict) and set(self.json) == {"detail"})

    @property
    def says_status(self) -> bool:
        """Whether the body is a text that says nothing but the status."""
        # Of a 413, Python 3.12 has another phrase.
        return self.text == phrase(self.status) or self.text == "Content Too Large"

    @cached_property
    def sent_json(self) -> Any:
        try:
            return json.loads(self.sent)
        except ValueError:
            return None


class Exchange(NamedTuple):
    """One request, and what the two applications answered."""

    stock: Answer
    ours: Answer

    @property
    def differences(self) -> dict[str, tuple[Any, Any]]:
        """By `status`, `body` and the names of headers."""
        stock, ours = self
        pairs: dict[str, tuple[Any, Any]] = {
            "status": (stock.status, ours.status),
            "body": (stock.text, ours.text),
        }
        for name in stock.headers | ours.headers:
            pairs[name] = stock.headers.get(name), ours.headers.get(name)
        return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
