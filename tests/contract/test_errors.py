"""Section 2 of the contract: one shape for whatever goes wrong, and nothing of the input in it."""

import re
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import Response

from app.config import Settings
from app.logging import configure_logging
from app.main import Application, create_app
from tests.conftest import new_client
from tests.contract.calls import Call, call, post_lamp
from tests.factories import create_lamps, lamp
from tests.problems import CANARY, LAMPS, LIMIT, LOGIN, ME, NO_LAMP, REGISTER, V1, read_problem
from tests.shipped import shipped_document


def without_what_varies(response: httpx.Response, id: str) -> dict[str, Any]:
    """A 404 apart from the id asked for, the correlation id and the time."""
    problem = read_problem(response, 404, "NOT_FOUND")
    assert id in problem["detail"]
    problem["detail"] = problem["detail"].replace(id, "<id>")
    return {name: problem[name] for name in problem.keys() - {"correlation_id", "timestamp"}}


@pytest.fixture(scope="module")
async def throttling_app(settings: Settings) -> AsyncIterator[Application]:
    app = create_app(settings.model_copy(update={"throttle_enabled": True}))
    assert isinstance(app, Application)
    yield app
    await app.database.close()


@pytest.fixture(scope="module")
async def failing_app(settings: Settings) -> AsyncIterator[Application]:
    """An application whose database is away, and with routes that fail in every way."""
    configure_logging(settings)  # the default writes tracebacks for people, which takes long
    url = SecretStr("postgresql+asyncpg://nobody@127.0.0.1:1/nothing")
    app = create_app(settings.model_copy(update={"database_url": url}))
    assert isinstance(app, Application)

    @app.get("/fails/in-the-route")
    async def fail_in_the_route() -> None:
        raise RuntimeError(f"UPDATE users: {CANARY}")

    @app.get("/fails/in-the-answer", response_model=int)
    async def fail_in_the_answer() -> str:
        return CANARY

    async def fail_plainly(_: Request) -> Response:
        raise LookupError(CANARY)

    app.add_route("/fails/in-a-plain-route", fail_plainly)
    yield app
    await app.database.close()


PROBLEMS: dict[str, tuple[int, str, Call]] = {
    "a truncated body": (400, "BAD_REQUEST", post_lamp(b'{"name": "a')),
    "a wrong login": (
        401,
        "INVALID_CREDENTIALS",
        call("POST", LOGIN, json={"email": "nobody@example.com", "password": CANARY}),
    ),
    "another scheme": (
        401,
        "UNAUTHORIZED",
        call("GET", ME, headers={"Authorization": f"Basic {CANARY}"}),
    ),
    "an unknown token": (
        401,
        "UNAUTHORIZED",
        call("GET", ME, headers={"Authorization": f"Bearer plinth_{CANARY}"}),
    ),
    "an unknown path": (404, "NOT_FOUND", call("GET", f"/{CANARY}")),
    "an unknown path of the API": (404, "NOT_FOUND", call("GET", f"{V1}/{CANARY}")),
    "a slash too many": (404, "NOT_FOUND", call("GET", f"{LAMPS}/")),
    "a file that is not there": (404, "NOT_FOUND", call("GET", f"/docs/assets/{CANARY}")),
    "a way out of the folder": (404, "NOT_FOUND", call("GET", "/docs/assets/%2e%2e/%2e%2e/x")),
    "a missing lamp": (404, "NOT_FOUND", call("GET", f"{LAMPS}/{NO_LAMP}")),
    "a wrong method": (405, "METHOD_NOT_ALLOWED", call("PUT", LAMPS, json={"name": CANARY})),
    "a method nobody knows": (405, "METHOD_NOT_ALLOWED", call("BREW", LAMPS)),
    "a wrong method on the docs": (405, "METHOD_NOT_ALLOWED", call("POST", "/docs")),
    "a wrong method on a file": (405, "METHOD_NOT_ALLOWED", call("POST", "/docs/assets/x")),
    "a taken address": (
        409,
        "CONFLICT",
        call(
            "POST",
            REGISTER,
            json={"email": "ALICE@example.com", "password": "correct horse battery staple"},
        ),
    ),
    "a large body": (413, "PAYLOAD_TOO_LARGE", post_lamp(b" " * (LIMIT + 1))),
    "another media type": (
        415,
        "UNSUPPORTED_MEDIA_TYPE",
        call("POST", LAMPS, content=CANARY, headers={"Content-Type": "text/plain"}),
    ),
    "no body": (422, "VALIDATION_ERROR", call("POST", LAMPS)),
    "a wrong field": (422, "VALIDATION_ERROR", call("POST", LAMPS, json=lamp(status=CANARY))),
    "a wrong path": (422, "VALIDATION_ERROR", call("GET", f"{LAMPS}/{CANARY}")),
    "a wrong parameter": (422, "VALIDATION_ERROR", call("GET", LAMPS, params={"price": CANARY})),
    "an unknown parameter": (
        422,
        "UNKNOWN_PARAMETER",
        call("GET", LAMPS, params={"prize": CANARY}),
    ),
}


class TestShape:
    @pytest.mark.parametrize("kind", PROBLEMS)
    async def test_each_kind_has_the_one_shape_and_echoes_nothing(
        self, alice: httpx.AsyncClient, kind: str
    ) -> None:
        status, error_code, sent = PROBLEMS[kind]
        response = await alice.request(**sent)
        read_problem(response, status, error_code)
        assert CANARY not in response.text
        assert CANARY not in str(response.headers)

    @pytest.mark.parametrize(
        "range", ["bytes=abc", f"{CANARY}=1", "bytes=9-1", "bytes=99999999999-", "bytes="]
    )
    async def test_a_range_that_a_file_lacks_is_no_other_shape(
        self, client: httpx.AsyncClient, range: str
    ) -> None:
        response = await client.get("/docs/assets/favicon.png", headers={"Range": range})
        media_type = response.headers["Content-Type"] if response.content else None
        assert response.is_success or media_type in {None, "application/problem+json"}

    @pytest.mark.parametrize(
        ("sent", "places"),
        [
            pytest.param(
                call("POST", LAMPS, json={"quantity": -1}),
                {"body.name", "body.sku", "body.price", "body.quantity"},
                id="body",
            ),
            pytest.param(
                call("GET", LAMPS, params={"price__gte": "x", "size": "0"}),
                {"query.price__gte", "query.size"},
                id="query",
            ),
            pytest.param(
                call("GET", LAMPS, params={"status__in": "draft,x"}),
                {"query.status__in.1"},
                id="element",
            ),
            pytest.param(call("GET", f"{LAMPS}/x"), {"path.lamp_id"}, id="path"),
            pytest.param(
                call("GET", LAMPS, params={"prize": "1", "colour": "1"}),
                {"query.prize", "query.colour"},
                id="unknown",
            ),
        ],
    )
    async def test_every_field_that_is_wrong_is_named(
        self, alice: httpx.AsyncClient, sent: Call, places: set[str]
    ) -> None:
        errors = (await alice.request(**sent)).json()["errors"]
        assert {".".join(map(str, error["loc"])) for error in errors} == places

    @pytest.mark.parametrize("kind", ["an unknown path", "a wrong method", "a truncated body"])
    async def test_what_is_wrong_with_no_field_has_no_errors(
        self, alice: httpx.AsyncClient, kind: str
    ) -> None:
        response = await alice.request(**PROBLEMS[kind][2])
        assert "errors" not in response.json()


class TestUnhandled:
    @pytest.mark.parametrize("where", ["in-the-route", "in-the-answer", "in-a-plain-route"])
    async def test_it_is_a_500_that_tells_nothing(
        self, failing_app: Application, where: str
    ) -> None:
        async with new_client(failing_app) as client:
            response = await client.get(f"/fails/{where}")
        problem = read_problem(response, 500, "INTERNAL_ERROR")
        assert "errors" not in problem
        for secret in (CANARY, "UPDATE", "Error", "Traceback", ".py"):
            assert secret not in problem["detail"]

    @pytest.mark.parametrize("path", ["/health/ready", LAMPS, ME])
    async def test_a_database_that_is_away_is_a_503_to_retry(
        self, failing_app: Application, path: str
    ) -> None:
        async with new_client(failing_app, {"Authorization": "Bearer plinth_x"}) as client:
            response = await client.get(path)
        problem = read_problem(response, 503, "SERVICE_UNAVAILABLE")
        assert int(response.headers["Retry-After"]) >= 1
        assert "127.0.0.1" not in problem["detail"]

    async def test_the_process_lives_without_a_database(self, failing_app: Application) -> None:
        async with new_client(failing_app) as client:
            assert (await client.get("/health/live")).status_code == 200


class TestNotFound:
    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [
            ("GET", "", None),
            ("PATCH", "", {"name": "a"}),
            ("PATCH", "", {}),
            ("DELETE", "", None),
        ],
    )
    async def test_missing_deleted_and_foreign_are_the_same(
        self,
        alice: httpx.AsyncClient,
        bob: httpx.AsyncClient,
        method: str,
        path: str,
        body: dict[str, Any] | None,
    ) -> None:
        foreign, deleted = await create_lamps(bob, {}), await create_lamps(alice, {})
        await alice.delete(f"{LAMPS}/{deleted[0]['id']}")
        answers = []
        for id in (NO_LAMP, foreign[0]["id"], deleted[0]["id"]):
            response = await alice.request(method, f"{LAMPS}/{id}{path}", json=body)
            headers = {name for name in response.headers if name != "content-length"}
            answers.append((headers, without_what_varies(response, id)))
        assert answers[0] == answers[1] == answers[2]

    async def test_restoring_the_missing_and_the_foreign_are_the_same(
        self, alice: httpx.AsyncClient, bob: httpx.AsyncClient
    ) -> None:
        live, deleted = await create_lamps(bob, {}, {})
        await bob.delete(f"{LAMPS}/{deleted['id']}")
        answers = []
        for id in (NO_LAMP, live["id"], deleted["id"]):
            response = await alice.post(f"{LAMPS}/{id}/restore")
            answers.append(without_what_varies(response, id))
        assert answers[0] == answers[1] == answers[2]

    async def test_a_superuser_is_no_exception(
        self, bob: httpx.AsyncClient, sign_in: Callable[..., Any]
    ) -> None:
        (foreign,) = await create_lamps(bob, {})
        root = await sign_in("root@example.com", superuser=True)
        without_what_varies(await root.get(f"{LAMPS}/{foreign['id']}"), foreign["id"])


class TestMethodNotAllowed:
    async def test_allow_is_complete_on_every_path(
        self, app: Application, alice: httpx.AsyncClient
    ) -> None:
        document = (await alice.get("/openapi.json")).json()
        paths = shipped_document(app, document)["paths"]
        assert len(paths) >= 8
        for path, operations in paths.items():
            response = await alice.request("BREW", re.sub("{.*?}", NO_LAMP, path))
            assert response.status_code == 405, path
            read_problem(response, 405, "METHOD_NOT_ALLOWED")
            allowed = set(response.headers["Allow"].split(", ")) - {"HEAD", "OPTIONS"}
            assert allowed == {method.upper() for method in operations}, path

    @pytest.mark.parametrize(
        "path", ["/docs", "/redoc", "/openapi.json", "/docs/assets/favicon.png"]
    )
    async def test_allow_on_the_docs(self, client: httpx.AsyncClient, path: str) -> None:
        response = await client.delete(path)
        read_problem(response, 405, "METHOD_NOT_ALLOWED")
        assert set(response.headers["Allow"].split(", ")) == {"GET", "HEAD"}

    async def test_the_method_is_judged_before_the_caller(self, client: httpx.AsyncClient) -> None:
        read_problem(await client.put(LAMPS), 405, "METHOD_NOT_ALLOWED")


class TestConflict:
    async def test_a_taken_sku_is_named_and_not_repeated(self, alice: httpx.AsyncClient) -> None:
        await create_lamps(alice, {"sku": CANARY})
        response = await alice.post(LAMPS, json=lamp(sku=CANARY))
        problem = read_problem(response, 409, "CONFLICT")
        assert [error["loc"] for error in problem["errors"]] == [["body", "sku"]]
        for secret in (CANARY, "uq_", "duplicate", "owner_id", "constraint", "items"):
            assert secret not in response.text

    async def test_an_update_to_a_taken_sku(self, alice: httpx.AsyncClient) -> None:
        _, other = await create_lamps(alice, {"sku": CANARY}, {})
        response = await alice.patch(f"{LAMPS}/{other['id']}", json={"sku": CANARY})
        problem = read_problem(response, 409, "CONFLICT")
        assert problem["errors"][0]["loc"] == ["body", "sku"]
        assert (await alice.get(f"{LAMPS}/{other['id']}")).json() == other

    async def test_a_restore_whose_sku_is_taken_meanwhile(self, alice: httpx.AsyncClient) -> None:
        (deleted,) = await create_lamps(alice, {"sku": CANARY})
        await alice.delete(f"{LAMPS}/{deleted['id']}")
        await create_lamps(alice, {"sku": CANARY})
        response = await alice.post(f"{LAMPS}/{deleted['id']}/restore")
        read_problem(response, 409, "CONFLICT")
        assert "sku" in response.text
        assert CANARY not in response.text

    async def test_a_taken_address_is_named_and_not_repeated(
        self, alice: httpx.AsyncClient
    ) -> None:
        response = await alice.request(**PROBLEMS["a taken address"][2])
        problem = read_problem(response, 409, "CONFLICT")
        assert [error["loc"] for error in problem["errors"]] == [["body", "email"]]
        for secret in ("alice", "ALICE", "uq_", "users"):
            assert secret not in response.text


class TestRateLimited:
    @pytest.mark.usefixtures("app")
    async def test_too_many_attempts_say_when_to_come_back(
        self, throttling_app: Application
    ) -> None:
        account = {"email": "alice@example.com", "password": CANARY}
        async with new_client(throttling_app) as client:
            for _ in range(5):
                response = await client.post(REGISTER, json=account)
                read_problem(response, 422, "VALIDATION_ERROR")
            response = await client.post(REGISTER, json=account)
        read_problem(response, 429, "RATE_LIMITED")
        assert int(response.headers["Retry-After"]) >= 1
        assert CANARY not in response.text
