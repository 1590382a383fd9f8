"""Addresses of the API, and how an error that it answers is read."""

import re
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

import httpx

V1 = "/api/v1"
LAMPS = f"{V1}/lamps"
LOGIN = f"{V1}/auth/login"
REGISTER = f"{V1}/auth/register"
ME = f"{V1}/users/me"
NO_LAMP = "0198f3c2-0000-7000-8000-000000000000"
JSON = {"Content-Type": "application/json"}
LIMIT = 1024 * 1024
CANARY = "canary7f3a9"

MEMBERS = {"type", "title", "status", "detail", "error_code", "correlation_id", "timestamp"}


def read_problem(response: httpx.Response, status: int, error_code: str) -> dict[str, Any]:
    """The problem a response holds, once it is seen to have the one shape."""
    assert response.status_code == status, response.text[:1000]
    assert response.headers["Content-Type"] == "application/problem+json"
    problem: dict[str, Any] = response.json()
    assert problem.keys() >= MEMBERS
    assert problem.keys() <= MEMBERS | {"errors"}
    assert problem["type"] == "about:blank"
    assert problem["title"] == HTTPStatus(status).phrase
    assert problem["status"] == status
    assert problem["error_code"] == error_code
    assert problem["correlation_id"] == response.headers["X-Correlation-ID"]
    assert datetime.fromisoformat(problem["timestamp"]).utcoffset() == timedelta(0)
    assert isinstance(problem["detail"], str)
    assert problem["detail"]
    assert problem.get("errors") != []
    for error in problem.get("errors", []):
        assert error.keys() == {"loc", "message", "code"}
        assert error["loc"][0] in {"path", "query", "header", "body"}
        assert error["message"]
        assert re.fullmatch("[a-z_]+", error["code"])
    return problem
