"""Where ours answers otherwise than FastAPI on purpose: each difference, with its reason.

A rule looks at one exchange and names the differences that it explains; what none explains is a
defect. A rule that no feature needs fails the tests, so this list holds what is true.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from typing import Any, NamedTuple, Self

import httpx2 as httpx

IGNORED = {"date", "server"}
ADDED = {
    "x-correlation-id",
    "cache-control",
    "x-content-type-options",
    "referrer-policy",
    "content-security-policy",
}
MEMBERS = {"type", "title", "status", "detail", "error_code", "correlation_id", "timestamp"}


@dataclass(frozen=True)
class Answer:
    """A response, and as much of the request as rules need."""

    method: str
    url: str
    request_type: str
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
                headers.setdefault(name, []).append(value)
        if "allow" in headers:  # made from a set, which has no order
            headers["allow"] = sorted(headers["allow"][0].split(", "))
        request = response.request
        get = response.extensions.get("get")
        return cls(
            request.method,
            str(request.url),
            request.headers.get("content-type", ""),
            response.status_code,
            headers,
            response.content,
            cls.of(get) if get else None,
        )

    @cached_property
    def media_type(self) -> str:
        return self.headers.get("content-type", [""])[0]

    @cached_property
    def json(self) -> Any:
        """None where the body is not JSON."""
        is_json = self.media_type.partition(";")[0].endswith(("/json", "+json"))
        return json.loads(self.body) if is_json and self.body else None

    @property
    def text(self) -> str:
        return self.body.decode(errors="backslashreplace")

    @cached_property
    def problem(self) -> dict[str, Any] | None:
        """The body, if it is a problem of ours with all its members."""
        if self.media_type != "application/problem+json" or not isinstance(self.json, dict):
            return None
        return self.json if set(self.json) >= MEMBERS else None


class Exchange(NamedTuple):
    """One request, and what the two applications answered."""

    stock: Answer
    ours: Answer

    @property
    def differences(self) -> dict[str, tuple[Any, Any]]:
        stock, ours = self
        pairs: dict[str, tuple[Any, Any]] = {
            "status": (stock.status, ours.status),
            "body": (stock.text, ours.text),
        }
        for name in stock.headers | ours.headers:
            pairs[name] = stock.headers.get(name), ours.headers.get(name)
        return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


@dataclass(frozen=True)
class Rule:
    name: str
    reason: str
    explains: Callable[[Exchange], set[str]]
    plain: bool
    """Whether it holds with FastAPI's own exception handlers too."""


RULES: list[Rule] = []


def rule(name: str, reason: str, *, plain: bool = False) -> Callable[[Any], Any]:
    def add(explains: Callable[[Exchange], set[str]]) -> Callable[[Exchange], set[str]]:
        RULES.append(Rule(name, reason, explains, plain))
        return explains

    return add


ERROR_BODY = {"body", "content-type", "content-length"}


@rule(
    "Headers",
    "Every answer carries a correlation id and tells browsers and proxies what they may do. What "
    "a route sets itself stays.",
    plain=True,
)
def added_headers(exchange: Exchange) -> set[str]:
    return ADDED - set(exchange.stock.headers)


@rule("HEAD", "HEAD answers as GET does, without the body (RFC 9110).", plain=True)
def head_is_get(exchange: Exchange) -> set[str]:
    get = exchange.stock.get
    if get is None or exchange.ours.body:
        return set()
    differences = set(Exchange(get, exchange.ours).differences) - {"body"}
    return set() if differences - ADDED else set(exchange.differences)


@rule(
    "Allow",
    "A 405 names the methods of all routes of a path, not only of the first one.",
    plain=True,
)
def complete_allow(exchange: Exchange) -> set[str]:
    stock, ours = (each.headers.get("allow", []) for each in exchange)
    return {"allow"} if stock and set(stock) < set(ours) else set()


@rule(
    "Error shape",
    "Every error is an RFC 9457 problem that echoes no input. The status, the headers and the "
    "detail of an HTTPException stay; `errors` names the fields that FastAPI's 422 would.",
)
def error_shape(exchange: Exchange) -> set[str]:
    stock, ours = exchange
    if ours.problem is None or stock.status != ours.status or ours.problem["status"] != ours.status:
        return set()
    return ERROR_BODY if _says_the_same(stock, ours.problem) else set()


def _says_the_same(stock: Answer, problem: dict[str, Any]) -> bool:
    if not isinstance(stock.json, dict):  # FastAPI says nothing but the status
        return stock.text == HTTPStatus(stock.status).phrase
    detail: Any = stock.json.get("detail")
    if set(stock.json) != {"detail"}:
        return False
    if detail in ("", HTTPStatus(stock.status).phrase):  # ours says more
        return bool(problem["detail"])
    if stock.status == 422 and _are_field_errors(detail):
        found = [(each["loc"], each["code"]) for each in problem.get("errors", ())]
        return found == [(each["loc"], each["type"]) for each in detail]
    return bool(problem["detail"] == detail)


def _are_field_errors(detail: Any) -> bool:
    return isinstance(detail, list) and all(
        isinstance(each, dict) and {"loc", "type", "msg"} <= set(each) for each in detail
    )


@rule("Not JSON", "A body that cannot be parsed is a 400, not a 422.")
def malformed_json(exchange: Exchange) -> set[str]:
    return _refused(exchange, {"json_invalid"}, 400)


@rule("Media type", "A JSON body that is not sent as application/json is a 415, not a 422.")
def other_media_type(exchange: Exchange) -> set[str]:
    if exchange.stock.request_type == "application/json":
        return set()
    return _refused(exchange, {"model_attributes_type", "dict_type", "list_type", "missing"}, 415)


def _refused(exchange: Exchange, types: set[str], status: int) -> set[str]:
    """What a problem with the status explains where FastAPI's 422 has errors of these types."""
    stock, ours = exchange
    if ours.problem is None or ours.status != status or stock.status != 422:
        return set()
    found = {each["type"] for each in stock.json["detail"]}
    return ERROR_BODY | {"status"} if found <= types else set()


@rule(
    "Unknown parameters",
    "A query parameter that the route does not declare, or a scalar that is sent twice, is a 422 "
    "that names it.",
)
def unknown_parameter(exchange: Exchange) -> set[str]:
    problem = exchange.ours.problem
    if problem is None or problem["error_code"] != "UNKNOWN_PARAMETER":
        return set()
    sent = httpx.URL(exchange.stock.url).params
    named = {each["loc"][-1] for each in problem["errors"]}
    return set(exchange.differences) if named and named <= set(sent) else set()
