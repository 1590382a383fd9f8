"""Rules of the API that OpenAPI has no words for: schemathesis learns them here."""

import json
import os
from itertools import count
from typing import Any
from urllib.parse import urljoin
from urllib.request import Request, urlopen

import schemathesis
from schemathesis.openapi.checks import (
    ObjectLevelAuthorizationViolation,
    RejectedPositiveData,
    UseAfterFree,
)

from app.middleware.request_limits import MAX_HEAD
from tests.fuzz.rows import Row, Rows, is_shared

REFUSALS = {
    "page_too_deep": "the product of two parameters has a limit",
    "repeated_sort_key": "`name` and `-name` are the same key",
    "unbalanced_quotes": "a value in a list that begins with a quote ends with one",
    "invalid_cursor": "cursors are signed",
    "invalid_token": "tokens come by mail",
    "must lie between 0001-01-02 and 9999-12-30": "so must it with another offset",
    "password_too_common": "passwords are judged",
    "password_too_short": "a password's characters are counted when they are normalised",
    "password_too_long": "a password's characters are counted when they are normalised",
}
PASSWORD = "correct horse battery staple"  # of users.json
NOBODY = "01900000-0000-7000-8000-000000000000"

_numbers = count(1)
_restored: set[str] = set()
_signed_in = os.environ["FUZZ_USERS"].split(",")
_rows: dict[str, Rows] = {}  # by the caller's credentials


def before_load_schema(_context: Any, document: dict[str, Any]) -> None:
    """Show an If-Match that holds: the phase of coverage knows no entity tags.

    A text that is as long as the head of a request may be leaves no room for the rest of it.
    """
    for operations in document["paths"].values():
        for operation in operations.values():
            for parameter in operation.get("parameters", ()):
                if parameter["name"] == "If-Match":
                    parameter["example"] = "*"
                schema = parameter["schema"]
                for each in (schema, schema.get("items", {})):
                    if each.get("maxLength") == MAX_HEAD:
                        del each["maxLength"]


def before_call(_context: Any, case: Any, _options: Any) -> None:
    """Spare who is signed in, and make what is to be accepted acceptable."""
    if case.path_parameters.get("user_id") in _signed_in and case.method != "GET":
        case.path_parameters["user_id"] = NOBODY
    if (case.method, case.path) == ("DELETE", "/api/v1/users/me"):
        _sign_in_someone_else(case)
    if case.meta and case.meta.generation.mode.is_positive:
        if key := case.headers.get("Idempotency-Key"):  # stands for one request
            case.headers["Idempotency-Key"] = f"{next(_numbers)} {key}"[:255]
        if "page" in case.query:  # excludes a cursor
            case.query.pop("cursor", None)
        _make_acceptable(case.body)
        if _is_signed_in(case):
            _rows_of(case).make_acceptable(f"{case.method} {case.path}", case.body)


def after_call(_context: Any, case: Any, response: Any) -> None:
    if case.path.endswith("/restore") and response.status_code == 200:
        _restored.update(case.path_parameters.values())
    if case.method == "DELETE" or case.path.endswith("/bulk/delete"):
        for each in _rows.values():
            each.forget()


def filter_failure(_context: Any, failure: Any, case: Any, response: Any) -> bool:
    """Keep all but the refusals that are right, and the sight of what is shared or restored."""
    if isinstance(failure, ObjectLevelAuthorizationViolation):
        return not is_shared(f"{case.method} {case.path}")
    if isinstance(failure, UseAfterFree):
        return _restored.isdisjoint(case.path_parameters.values())
    if not isinstance(failure, RejectedPositiveData):
        return True
    errors = json.loads(response.content).get("errors", ())
    return not errors or any(
        REFUSALS.keys().isdisjoint({each["code"], each["message"]}) for each in errors
    )


def _sign_in_someone_else(case: Any) -> None:
    if not _is_signed_in(case):
        return  # the request is to be refused
    account = {"email": f"{next(_numbers)}@leaver.example.com", "password": PASSWORD}
    base = case.operation.schema.get_base_url()
    _post(urljoin(base, "/api/v1/auth/register"), account)
    token = _post(urljoin(base, "/api/v1/auth/login"), account)["token"]
    case.headers["Authorization"] = f"Bearer {token}"


def _is_signed_in(case: Any) -> bool:
    return str(case.headers.get("Authorization", "")).startswith("Bearer plinth_")


def _rows_of(case: Any) -> Rows:
    credentials = {"Authorization": case.headers["Authorization"]}
    base = case.operation.schema.get_base_url()

    def send(path: str, body: Row) -> Row:
        return _post(urljoin(base, path), body, credentials)

    return _rows.setdefault(credentials["Authorization"], Rows(send, _signed_in))


def _post(url: str, body: Row, headers: dict[str, str] | None = None) -> Row:
    headers = {"Content-Type": "application/json"} | (headers or {})
    request = Request(url, json.dumps(body).encode(), headers)
    with urlopen(request, timeout=60) as response:
        answer: Row = json.load(response)
    return answer


def _make_acceptable(value: Any) -> None:
    if isinstance(value, list):
        for each in value:
            _make_acceptable(each)
    elif isinstance(value, dict):
        for name, each in value.items():
            if name in {"current_password", "new_password"}:  # are those of users.json
                value[name] = PASSWORD
            elif isinstance(each, float) and each.is_integer():  # JSON Schema's 1.0 is an integer
                value[name] = int(each)
            else:
                _make_acceptable(each)


for hook in (before_load_schema, before_call, after_call, filter_failure):
    schemathesis.hook(hook)
