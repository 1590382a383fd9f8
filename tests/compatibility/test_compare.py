"""The comparison finds what differs, and a rule explains no more than what it is about."""

from typing import Any

import httpx2 as httpx
from fastapi import FastAPI, HTTPException
from fastapi.responses import JSONResponse

from tests.compatibility.applications import Mode
from tests.compatibility.compare import Outcome, compare, run
from tests.compatibility.exchange import Answer
from tests.compatibility.feature import Feature, get, head

PROBLEM: dict[str, Any] = {
    "type": "about:blank",
    "title": "Not Found",
    "status": 404,
    "detail": "No such thing",
    "error_code": "NOT_FOUND",
    "correlation_id": "a",
    "timestamp": "2026-01-05T12:00:00Z",
}


def held_against(ours: Any, *, mode: Mode = Mode.PLAIN, status: int = 200) -> Outcome:
    """What FastAPI answers with `{"a": 1}`, or a 404 with a detail, beside another response."""
    return _compare(mode, lambda: _raise() if status == 404 else {"a": 1}, lambda: ours)


def _raise() -> None:
    raise HTTPException(404, "No such thing")


def _compare(mode: Mode, *endpoints: Any) -> Outcome:
    found = []
    for endpoint in endpoints:
        feature = Feature("made", lambda _: None, (get("/"),), {})
        app = FastAPI()
        app.add_api_route("/", endpoint, name="endpoint")
        found.append(run(lambda app=app: app, feature))
    stock, ours = found
    return compare("made", stock, ours, mode)


def problem(**changes: Any) -> JSONResponse:
    body = PROBLEM | changes
    return JSONResponse(body, body["status"], media_type="application/problem+json")


def test_the_same_is_not_wrong() -> None:
    assert held_against({"a": 1}) == Outcome()


def test_another_value_a_type_and_a_notation_are_wrong() -> None:
    assert held_against({"a": 2}).wrong
    assert held_against({"a": 1.0}).wrong
    assert held_against(JSONResponse({"a": 1}, media_type="application/x+json")).wrong


def test_another_status_and_header_are_wrong() -> None:
    assert held_against(JSONResponse({"a": 1}, 201)).wrong
    assert held_against(JSONResponse({"a": 1}, headers={"X-Own": "1"})).wrong


def test_added_headers_are_explained() -> None:
    outcome = held_against(JSONResponse({"a": 1}, headers={"Cache-Control": "no-store"}))
    assert (outcome.wrong, [each.name for each in outcome.rules]) == ([], ["Headers"])


def test_the_shape_of_errors_is_explained_where_it_says_the_same() -> None:
    assert not held_against(problem(), mode=Mode.SHAPED, status=404).wrong
    assert held_against(problem(), status=404).wrong
    assert held_against(problem(detail="Other"), mode=Mode.SHAPED, status=404).wrong
    assert held_against(problem(status=400), mode=Mode.SHAPED, status=404).wrong


def test_what_is_raised_is_an_answer_too() -> None:
    def fails(_: Any) -> None:
        raise LookupError("nothing")

    feature = Feature("fails", lambda _: None, (fails,), {})
    assert run(FastAPI, feature) == [['"LookupError: nothing"']]


def test_a_head_that_fastapi_refuses_is_held_against_its_get() -> None:
    feature = Feature("head", _with_text, (head("/"),), {})
    [[answer]] = run(FastAPI, feature)
    assert not isinstance(answer, str)
    assert answer.get is not None
    assert (answer.status, answer.get.text) == (405, '"text"')


def _with_text(app: FastAPI) -> None:
    app.add_api_route("/", lambda: "text", name="text")


def test_a_cookie_expires_by_the_clock() -> None:
    def answer(second: int) -> Answer:
        cookie = f'a=""; expires=Sat, 28 Nov 2026 08:47:{second} GMT; Max-Age=0; Path=/'
        request = httpx.Request("GET", "http://test/")
        return Answer.of(httpx.Response(200, headers={"set-cookie": cookie}, request=request))

    assert answer(39) == answer(40)
    assert answer(39).headers["set-cookie"] == ['a=""; expires=…; Max-Age=0; Path=/']
