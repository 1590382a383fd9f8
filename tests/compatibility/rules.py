"""Where ours answers otherwise than FastAPI on purpose: each difference, with its reason.

A rule looks at one exchange and names the differences that it explains; what none explains is a
defect. A rule that no feature needs fails the tests, so this list holds what is true.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx2 as httpx

from tests.compatibility.applications import Mode
from tests.compatibility.exchange import Answer, Exchange, phrase

ADDED = {
    "x-correlation-id",
    "cache-control",
    "x-content-type-options",
    "referrer-policy",
    "content-security-policy",
}
ERROR_BODY = {"body", "content-type", "content-length"}
SIZE = {"content-type", "content-length"}
NOTHING: set[str] = set()

type Explains = Callable[[Exchange], set[str]]


@dataclass(frozen=True)
class Rule:
    """`mode` is the first in which it holds; `only` names the features that it is about."""

    name: str
    reason: str
    explains: Explains
    mode: Mode
    only: frozenset[str] = frozenset()

    def covers(self, feature: str, mode: Mode) -> bool:
        return mode >= self.mode and (not self.only or feature in self.only)


RULES: list[Rule] = []


def rule(mode: Mode, name: str, reason: str, *only: str) -> Callable[[Explains], Explains]:
    def add(explains: Explains) -> Explains:
        RULES.append(Rule(name, reason, explains, mode, frozenset(only)))
        return explains

    return add


@rule(
    Mode.PLAIN,
    "Headers",
    "Every answer carries a correlation id and tells browsers and proxies what they may do. What "
    "a route sets itself stays.",
)
def added_headers(exchange: Exchange) -> set[str]:
    return ADDED - set(exchange.stock.headers)


@rule(
    Mode.PLAIN, "HEAD", "HEAD answers as GET does, without the body (RFC 9110); FastAPI's is a 405."
)
def head_is_get(exchange: Exchange) -> set[str]:
    get = exchange.stock.get
    if get is None or exchange.ours.body:
        return NOTHING
    unlike = set(Exchange(get, exchange.ours).differences) - {"body"} - ADDED
    return NOTHING if unlike else set(exchange.differences)


@rule(
    Mode.PLAIN,
    "Allow",
    "A 405 names the methods of all routes of a path, and HEAD; FastAPI's names the first route's.",
)
def complete_allow(exchange: Exchange) -> set[str]:
    stock, ours = (each.headers.get("allow", []) for each in exchange)
    return {"allow"} if stock and set(stock) < set(ours) else NOTHING


@rule(
    Mode.PLAIN,
    "No body, no type",
    "A 204, 205 or 304 has no content, so neither type nor length of it.",
)
def no_type(exchange: Exchange) -> set[str]:
    ours = exchange.ours
    return SIZE - set(ours.headers) if ours.status in {204, 205, 304} else NOTHING


@rule(Mode.PLAIN, "Tag of the document", "The OpenAPI document is made once, and has an ETag.")
def tag_of_the_document(exchange: Exchange) -> set[str]:
    document = exchange.ours.json
    return {"etag"} if isinstance(document, dict) and "openapi" in document else NOTHING


@rule(
    Mode.PLAIN,
    "Repeated errors",
    "A dependency that is used twice says once what is wrong with its parameters.",
)
def repeated_errors(exchange: Exchange) -> set[str]:
    stock, ours = exchange.stock.errors, exchange.ours.errors
    unique = [each for at, each in enumerate(stock) if each not in stock[:at]]
    return ERROR_BODY if len(unique) < len(stock) and unique == ours else NOTHING


@rule(
    Mode.PLAIN,
    "Refused handshakes",
    "A WebSocket that is refused gets the error that a request would; FastAPI's is a bare 403.",
)
def refused_handshake(exchange: Exchange) -> set[str]:
    stock, ours = exchange
    closed_first = stock.status == 403 and "x-close" in stock.headers
    return set(exchange.differences) if closed_first and ours.status >= 400 else NOTHING


@rule(
    Mode.SHAPED,
    "Error shape",
    "Every error is an RFC 9457 problem that echoes no input. The status, the headers and the "
    "detail of an HTTPException stay; `errors` names the fields that FastAPI's 422 would.",
)
def error_shape(exchange: Exchange) -> set[str]:
    stock, ours = exchange
    if stock.status != ours.status or stock.status < 400:
        return NOTHING
    if ours.method == "HEAD":
        return ERROR_BODY if ours.is_problem and not ours.body else NOTHING
    if ours.problem is None or ours.problem["status"] != ours.status:
        return NOTHING
    return ERROR_BODY if _says_the_same(stock, ours, ours.problem) else NOTHING


def _says_the_same(stock: Answer, ours: Answer, problem: dict[str, Any]) -> bool:
    if not isinstance(stock.json, dict):  # FastAPI says nothing but the status
        return stock.says_status
    if stock.errors:
        return stock.errors == ours.errors
    detail: Any = stock.json.get("detail")
    if set(stock.json) != {"detail"}:
        return False
    # Where nothing was said, ours says more.
    return detail in ("", phrase(stock.status)) or problem["detail"] == detail


@rule(
    Mode.SHAPED,
    "Errors of others",
    "A mounted FastAPI, and a handler that is FastAPI's own, answer errors in FastAPI's shape.",
    "Behind a proxy: root_path of the server",
    "Exception handlers: FastAPI's own, used again",
    "Sub-applications: FastAPI in FastAPI",
)
def errors_of_others(exchange: Exchange) -> set[str]:
    return {"shape"} if exchange.stock.text == exchange.ours.text else NOTHING


@rule(
    Mode.SHAPED,
    "Body limit of the application",
    "What `FastAPI(max_body_size=…)` refuses is answered by FastAPI's middleware, as text. "
    "MAX_BODY_SIZE and the limits of routes have the one shape.",
    "Request body limits: of the application",
)
def body_limit_of_the_application(exchange: Exchange) -> set[str]:
    return {"shape"} if exchange.stock.text == exchange.ours.text else NOTHING


@rule(
    Mode.SHAPED,
    "Usual headers",
    "A 401 has WWW-Authenticate and a 503 Retry-After, where the route sets none.",
)
def usual_headers(exchange: Exchange) -> set[str]:
    usual = {401: "www-authenticate", 503: "retry-after"}.get(exchange.ours.status)
    return {usual} if usual and usual not in exchange.stock.headers else NOTHING


@rule(
    Mode.SHAPED,
    "NaN",
    "A 422 echoes no input. FastAPI's does, and is a 500 where that is no number.",
)
def not_a_number(exchange: Exchange) -> set[str]:
    stock, ours = exchange
    is_cause = stock.status == 500 and b"NaN" in stock.sent and ours.status in {400, 422}
    return ERROR_BODY | {"status"} if is_cause and ours.problem else NOTHING


@rule(Mode.STRICT, "Not JSON", "A body that cannot be parsed is a 400; FastAPI's is a 422.")
def malformed_json(exchange: Exchange) -> set[str]:
    stock, ours = exchange
    is_cause = {code for _, code in stock.errors} == {"json_invalid"} or stock.status == 400
    return ERROR_BODY | {"status"} if is_cause and _is_refusal(ours, "BAD_REQUEST") else NOTHING


@rule(Mode.STRICT, "Repeated members", "A JSON object with the same member twice is a 400.")
def repeated_members(exchange: Exchange) -> set[str]:
    repeated = False

    def look(pairs: list[tuple[str, Any]]) -> None:
        nonlocal repeated
        repeated |= len(dict(pairs)) < len(pairs)

    if _is_refusal(exchange.ours, "BAD_REQUEST") and exchange.stock.sent_json is not None:
        json.loads(exchange.stock.sent, object_pairs_hook=look)
    return ERROR_BODY | {"status"} if repeated else NOTHING


@rule(
    Mode.STRICT,
    "Media type",
    "A body that is not sent as application/json is a 415, where the route takes JSON.",
)
def other_media_type(exchange: Exchange) -> set[str]:
    stock, ours = exchange
    is_json = stock.sent_type.partition(";")[0] == "application/json"
    refused = stock.sent and not is_json and _is_refusal(ours, "UNSUPPORTED_MEDIA_TYPE")
    return ERROR_BODY | {"status"} if refused else NOTHING


@rule(
    Mode.STRICT,
    "Bodies that are no object",
    "One error says so; FastAPI names each part that is missing.",
)
def no_object(exchange: Exchange) -> set[str]:
    stock, ours = exchange
    if ours.problem is None or stock.status != ours.status or isinstance(stock.sent_json, dict):
        return NOTHING
    only_body = bool(stock.errors) and all(loc[0] == "body" for loc, _ in stock.errors)
    return ERROR_BODY if only_body and [loc for loc, _ in ours.errors] == [["body"]] else NOTHING


@rule(Mode.STRICT, "Unknown members", "Beside several bodies, or an embedded one, none is taken.")
def unknown_members(exchange: Exchange) -> set[str]:
    stock, ours = exchange
    unknown = [each for each in ours.errors if each[1] == "extra_forbidden"]
    rest = [each for each in ours.errors if each not in unknown]
    if ours.problem is None or not unknown or rest != stock.errors:
        return NOTHING
    return ERROR_BODY | {"status"} if stock.status in {200, 422} else NOTHING


@rule(
    Mode.STRICT,
    "No input in errors",
    "A handler of RequestValidationError gets neither the body nor the `input` of its errors.",
)
def no_input(exchange: Exchange) -> set[str]:
    stock, ours = exchange
    if not isinstance(stock.json, dict) or not {"body", "detail"} <= set(stock.json):
        return NOTHING
    bare = [
        {name: value for name, value in each.items() if name != "input"}
        for each in stock.json["detail"]
    ]
    same = {**stock.json, "detail": bare, "body": None} == ours.json
    return {"body", "content-length"} if same else NOTHING


@rule(
    Mode.STRICT,
    "Unknown parameters",
    "A query parameter that the route does not declare, or a scalar that is sent twice, is a 422 "
    "that names it.",
)
def unknown_parameter(exchange: Exchange) -> set[str]:
    sent = httpx.QueryParams(urlsplit(exchange.ours.url).query)
    named = {loc[-1] for loc, _ in exchange.ours.errors}
    refused = _is_refusal(exchange.ours, "UNKNOWN_PARAMETER") and named and named <= set(sent)
    return set(exchange.differences) if refused else NOTHING


@rule(
    Mode.STRICT,
    "Numbers in the query",
    "`1_0`, `1.0` for an integer, blanks around a number and digits of other scripts are a 422.",
)
def loose_number(exchange: Exchange) -> set[str]:
    stock, ours = exchange
    codes = {code for _, code in ours.errors}
    refused = stock.status == 200 and codes and codes <= {"int_parsing", "float_parsing"}
    return ERROR_BODY | {"status"} if refused else NOTHING


@rule(Mode.STRICT, "Encoding of the query", "A query that is not UTF-8 is a 400.")
def other_encoding(exchange: Exchange) -> set[str]:
    refused = "%FF" in exchange.ours.url and _is_refusal(exchange.ours, "BAD_REQUEST")
    return ERROR_BODY | {"status"} if refused else NOTHING


@rule(
    Mode.STRICT,
    "Fixed paths first",
    "`/users/me` is never a user whose id is `me`, in whatever order the routes are declared.",
    "Order of paths: the first that fits",
    "Order of paths: methods apart",
)
def fixed_first(exchange: Exchange) -> set[str]:
    return set(exchange.differences) if exchange.ours.status in {200, 405} else NOTHING


@rule(
    Mode.STRICT,
    "Encoded bodies",
    "A body is JSON as it is sent: a route class that decodes it needs an API that is not strict.",
    "Route classes: another Request, and errors with the body",
)
def encoded_body(exchange: Exchange) -> set[str]:
    encoded = exchange.stock.sent_json is None and _is_refusal(exchange.ours, "BAD_REQUEST")
    return ERROR_BODY | {"status"} if encoded else NOTHING


def _is_refusal(answer: Answer, error_code: str) -> bool:
    return answer.problem is not None and answer.problem["error_code"] == error_code
