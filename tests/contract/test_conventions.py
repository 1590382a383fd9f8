"""Section 1 of the contract: what is true of every response, whatever became of the request."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response

from app.config import Settings
from app.logging import configure_logging
from app.main import Application, create_app
from tests.conftest import new_client
from tests.contract.calls import Call, call
from tests.factories import create_lamps, lamp
from tests.problems import CANARY, JSON, LAMPS, LIMIT, LOGIN, ME, NO_LAMP, REGISTER, read_problem

ORIGIN = "https://app.example"
ACCEPTED = re.compile("[A-Za-z0-9._-]{8,64}")


def preflight(origin: str, method: str = "GET", headers: str | None = None) -> Call:
    sent = {"Origin": origin, "Access-Control-Request-Method": method}
    if headers is not None:
        sent["Access-Control-Request-Headers"] = headers
    return call("OPTIONS", LAMPS, headers=sent)


RESPONSES: dict[str, tuple[int, Call]] = {
    "alive": (200, call("GET", "/health/live")),
    "ready": (200, call("GET", "/health/ready")),
    "a read": (200, call("GET", ME)),
    "a list": (200, call("GET", LAMPS)),
    "created": (201, call("POST", LAMPS, json=lamp())),
    "no content": (204, call("POST", "/api/v1/auth/logout")),
    "the schema": (200, call("GET", "/openapi.json")),
    "Swagger UI": (200, call("GET", "/docs")),
    "ReDoc": (200, call("GET", "/redoc")),
    "the root": (307, call("GET", "/")),
    "a head": (200, call("HEAD", "/docs")),
    "a head of the root": (307, call("HEAD", "/")),
    "a file": (200, call("GET", "/docs/assets/favicon.png")),
    "an unchanged file": (
        304,
        call("GET", "/docs/assets/favicon.png", headers={"If-None-Match": "*"}),
    ),
    "no JSON": (400, call("POST", LAMPS, content=b"{", headers=JSON)),
    "a wrong login": (401, call("POST", LOGIN, json={"email": "a@example.com", "password": "x"})),
    "a wrong token": (401, call("GET", ME, headers={"Authorization": "Bearer x"})),
    "an unknown path": (404, call("GET", "/nowhere")),
    "an unknown file": (404, call("GET", "/docs/assets/nothing")),
    "a missing lamp": (404, call("GET", f"{LAMPS}/{NO_LAMP}")),
    "a wrong method": (405, call("PUT", LAMPS)),
    "a head on the API": (200, call("HEAD", LAMPS)),
    "a wrong method on a file": (405, call("PUT", "/docs/assets/favicon.png")),
    "a taken address": (
        409,
        call(
            "POST",
            REGISTER,
            json={"email": "alice@example.com", "password": "correct horse battery staple"},
        ),
    ),
    "a large body": (413, call("POST", LAMPS, content=b" " * (LIMIT + 1), headers=JSON)),
    "another media type": (415, call("POST", LAMPS, content=b"{}")),
    "an unknown parameter": (422, call("GET", LAMPS, params={"prize": "1"})),
    "a wrong field": (422, call("POST", LAMPS, json={})),
    "a crash": (500, call("GET", "/crash")),
    "a crash outside of the API's routes": (500, call("GET", "/plain-crash")),
    "a preflight": (200, preflight(ORIGIN)),
    "a preflight from elsewhere": (400, preflight("https://evil.example")),
    "a preflight for a method": (400, preflight(ORIGIN, "BREW")),
    "a preflight for a header": (400, preflight(ORIGIN, "GET", "X-Canary")),
    "another origin's read": (200, call("GET", LAMPS, headers={"Origin": ORIGIN})),
    "another origin's mistake": (422, call("GET", f"{LAMPS}/x", headers={"Origin": ORIGIN})),
    "another origin's large body": (
        413,
        call("POST", LAMPS, content=b" " * (LIMIT + 1), headers=JSON | {"Origin": ORIGIN}),
    ),
}


@pytest.fixture(scope="module")
async def open_app(settings: Settings) -> AsyncIterator[Application]:
    """An application that an origin may call from browsers, and with routes that crash."""
    configure_logging(settings)  # the default writes tracebacks for people, which takes long
    app = create_app(settings.model_copy(update={"cors_origins": [ORIGIN]}))
    assert isinstance(app, Application)

    @app.get("/crash")
    async def crash() -> None:
        raise RuntimeError(CANARY)

    async def plain_crash(_: Request) -> Response:
        raise RuntimeError(CANARY)

    app.add_route("/plain-crash", plain_crash)
    yield app
    await app.database.close()


@pytest.fixture
async def caller(open_app: Application, alice: httpx.AsyncClient) -> AsyncIterator[Any]:
    """Alice, at the open application."""
    authorization = {"Authorization": alice.headers["Authorization"]}
    async with new_client(open_app, authorization) as client:
        yield client


def values(response: httpx.Response, name: str) -> list[str]:
    return [value for key, value in response.headers.multi_items() if key == name.lower()]


@pytest.mark.parametrize("kind", RESPONSES)
class TestEveryResponse:
    async def test_it_has_the_headers(self, caller: httpx.AsyncClient, kind: str) -> None:
        status, sent = RESPONSES[kind]
        response = await caller.request(**sent)
        assert response.status_code == status
        # A read with an ETag may be asked for again, and so be kept.
        kept = "ETag" in response.headers and sent["method"] in {"GET", "HEAD"}
        assert values(response, "Cache-Control") == ["private, no-cache" if kept else "no-store"]
        assert values(response, "X-Content-Type-Options") == ["nosniff"]
        assert values(response, "Referrer-Policy") == ["no-referrer"]
        (policy,) = values(response, "Content-Security-Policy")
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        if sent["url"] not in {"/docs", "/redoc"}:
            assert "script-src" not in policy
            assert "style-src" not in policy
        (correlation_id,) = values(response, "X-Correlation-ID")
        assert ACCEPTED.fullmatch(correlation_id)

    async def test_it_takes_over_the_correlation_id(
        self, caller: httpx.AsyncClient, kind: str
    ) -> None:
        status, sent = RESPONSES[kind]
        headers = sent.get("headers", {}) | {"X-Correlation-ID": "Asked.for_by-7"}
        response = await caller.request(**sent | {"headers": headers})
        assert values(response, "X-Correlation-ID") == ["Asked.for_by-7"]
        if status >= 400 and response.content and sent["method"] != "HEAD":
            problem = read_problem(response, status, response.json()["error_code"])
            assert problem["correlation_id"] == "Asked.for_by-7"
            assert CANARY not in response.text


class TestCorrelationId:
    @pytest.mark.parametrize("id", ["a" * 8, "Z" * 64, "0.9_-aZA", "........", "--------"])
    @pytest.mark.parametrize("path", ["/health/live", "/nowhere"])
    async def test_one_that_matches_is_used(
        self, client: httpx.AsyncClient, path: str, id: str
    ) -> None:
        response = await client.get(path, headers={"X-Correlation-ID": id})
        assert values(response, "X-Correlation-ID") == [id]

    @pytest.mark.parametrize(
        "id",
        [
            "", "a" * 7, "a" * 65, "a" * 10_000, "a b c d e f", "abcdefgh,ijkl", "abcdefgh/",
            "abcdefgh:", "abcdefgh\n", "abcd\r\nefgh", "abcdefgh\x00", "abcdefg\xe9", "<script>",
            "${jndi:x}", "abcdefgh+", "abcdefgh=", '"abcdefgh"', "{abcdefgh}",
        ],
        ids=ascii,
    )  # fmt: skip
    @pytest.mark.parametrize("path", ["/health/live", "/nowhere"])
    async def test_another_is_replaced(self, client: httpx.AsyncClient, path: str, id: str) -> None:
        response = await client.get(path, headers={b"X-Correlation-ID": id.encode("latin-1")})
        (used,) = values(response, "X-Correlation-ID")
        assert ACCEPTED.fullmatch(used)
        assert used != id

    async def test_each_request_gets_its_own(self, client: httpx.AsyncClient) -> None:
        responses = [await client.get("/health/live") for _ in range(20)]
        assert len({each.headers["X-Correlation-ID"] for each in responses}) == 20


class TestCors:
    async def test_an_origin_on_the_list_may_read(self, caller: httpx.AsyncClient) -> None:
        response = await caller.get(LAMPS, headers={"Origin": ORIGIN})
        assert response.headers["Access-Control-Allow-Origin"] == ORIGIN
        assert "Origin" in response.headers["Vary"]
        assert "X-Correlation-ID" in response.headers["Access-Control-Expose-Headers"]

    async def test_even_its_crashes_and_refusals(self, caller: httpx.AsyncClient) -> None:
        for path in ("/crash", "/nowhere", f"{LAMPS}/x"):
            response = await caller.get(path, headers={"Origin": ORIGIN})
            assert response.headers["Access-Control-Allow-Origin"] == ORIGIN, path

    @pytest.mark.parametrize("origin", ["https://evil.example", "null", f"{ORIGIN}.evil.example"])
    async def test_another_may_not(self, caller: httpx.AsyncClient, origin: str) -> None:
        refusal = await caller.request(**preflight(origin))
        problem = read_problem(refusal, 400, "BAD_REQUEST")
        assert origin not in problem["detail"]
        for response in (refusal, await caller.get(LAMPS, headers={"Origin": origin})):
            assert "Access-Control-Allow-Origin" not in response.headers

    @pytest.mark.parametrize(
        ("change", "header", "status"),
        [
            ({}, "traceparent", 200),
            ({}, "X-Requested-With", 200),
            ({}, "If-Match", 200),
            ({}, "X-Tenant", 400),
            ({"cors_headers": ["X-Tenant"]}, "x-tenant", 200),
            ({"cors_headers": ["X-Tenant"]}, "If-Match", 200),
            ({"cors_headers": ["X-Tenant"]}, "traceparent", 400),
            ({"cors_headers": ["*"]}, "X-Anything", 200),
        ],
        ids=str,
    )
    async def test_a_setting_names_the_headers_beside_the_apis_own(
        self, settings: Settings, change: dict[str, Any], header: str, status: int
    ) -> None:
        app = create_app(settings.model_copy(update={"cors_origins": [ORIGIN]} | change))
        assert isinstance(app, Application)
        async with new_client(app) as client:
            response = await client.request(**preflight(ORIGIN, "PATCH", header))
        assert response.status_code == status
        allowed = response.headers.get("Access-Control-Allow-Headers", "").lower().split(", ")
        assert (header.lower() in allowed) is (status == 200)

    @pytest.mark.parametrize(
        ("change", "told"), [({"cors_credentials": True}, "true"), ({}, None)], ids=str
    )
    async def test_a_setting_lets_cookies_come_along(
        self, settings: Settings, change: dict[str, Any], told: str | None
    ) -> None:
        change = {"cors_origins": [ORIGIN]} | change
        app = create_app(settings.model_copy(update=change))
        assert isinstance(app, Application)
        async with new_client(app) as client:
            read = await client.get("/health/live", headers={"Origin": ORIGIN})
            for response in (await client.request(**preflight(ORIGIN)), read):
                assert response.headers.get("Access-Control-Allow-Credentials") == told
                assert response.headers["Access-Control-Allow-Origin"] == ORIGIN

    async def test_without_a_list_nobody_may(self, client: httpx.AsyncClient) -> None:
        response = await client.request(**preflight(ORIGIN))
        read_problem(response, 405, "METHOD_NOT_ALLOWED")
        assert "Access-Control-Allow-Origin" not in response.headers


class TestIds:
    async def test_they_are_version_7_in_the_canonical_form(self, alice: httpx.AsyncClient) -> None:
        (created,) = await create_lamps(alice, {})
        me = (await alice.get(ME)).json()
        assert created["owner_id"] == me["id"]
        for id in (created["id"], me["id"]):
            assert str(UUID(id)) == id
            assert UUID(id).version == 7

    @pytest.mark.parametrize(
        ("method", "end"), [("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/restore")]
    )
    @pytest.mark.parametrize("form", ["{hex}", "{{{id}}}", "urn:uuid:{id}", "uuid:{id}", "{id}0"])
    async def test_no_other_form_is_taken(
        self, alice: httpx.AsyncClient, method: str, end: str, form: str
    ) -> None:
        (created,) = await create_lamps(alice, {})
        id = form.format(id=created["id"], hex=created["id"].replace("-", ""))
        body: dict[str, Any] | None = {} if method == "PATCH" else None
        response = await alice.request(method, f"{LAMPS}/{id}{end}", json=body)
        problem = read_problem(response, 422, "VALIDATION_ERROR")
        assert problem["errors"][0]["loc"] == ["path", "lamp_id"]
        assert (await alice.get(f"{LAMPS}/{created['id']}")).json() == created


class TestTimestamps:
    async def test_they_carry_an_offset(self, alice: httpx.AsyncClient) -> None:
        (created,) = await create_lamps(alice, {})
        me = (await alice.get(ME)).json()
        for each in (created, me):
            for name in ("created_at", "updated_at"):
                moment = datetime.fromisoformat(each[name])
                assert moment.utcoffset() is not None
                assert abs(datetime.now(UTC) - moment) < timedelta(minutes=1)

    @pytest.mark.parametrize("offset", ["Z", "+00:00", "+05:30", "-12:00", "+14:00"])
    async def test_any_offset_is_understood(self, alice: httpx.AsyncClient, offset: str) -> None:
        (created,) = await create_lamps(alice, {})
        moment = datetime.fromisoformat(created["created_at"])
        zone = datetime.fromisoformat(f"2026-01-01T00:00:00{offset}").tzinfo
        for moved, total in ((moment, 1), (moment + timedelta(microseconds=1), 0)):
            sent = moved.astimezone(zone).isoformat()
            response = await alice.get(LAMPS, params={"created_at__gte": sent})
            assert response.json()["total"] == total

    @pytest.mark.parametrize("name", ["created_at__gte", "created_at__lt", "updated_at__gte"])
    @pytest.mark.parametrize("moment", ["2026-01-01T00:00:00", "2026-01-01T00:00:00.123456"])
    async def test_one_without_is_refused(
        self, alice: httpx.AsyncClient, name: str, moment: str
    ) -> None:
        response = await alice.get(LAMPS, params={name: moment})
        problem = read_problem(response, 422, "VALIDATION_ERROR")
        assert problem["errors"][0]["loc"] == ["query", name]


class TestJson:
    @pytest.mark.parametrize("price", ["12.5", "12.50", "1250e-2", 12.5])
    async def test_decimals_are_answered_as_strings(
        self, alice: httpx.AsyncClient, price: Any
    ) -> None:
        (created,) = await create_lamps(alice, {"price": price})
        listed = (await alice.get(LAMPS)).json()["items"]
        assert created["price"] == listed[0]["price"] == "12.50"

    async def test_it_is_utf_8_both_ways(self, alice: httpx.AsyncClient) -> None:
        response = await alice.post(LAMPS, json=lamp(name="Zoë 東京 \U0001f4a5"))
        assert response.headers["Content-Type"] == "application/json"
        assert response.json()["name"] == "Zoë 東京 \U0001f4a5"
        assert "Zoë 東京".encode() in response.content

    async def test_no_content_has_none(self, alice: httpx.AsyncClient) -> None:
        (created,) = await create_lamps(alice, {})
        response = await alice.delete(f"{LAMPS}/{created['id']}")
        assert response.status_code == 204
        assert response.content == b""
        assert "Content-Type" not in response.headers

    async def test_unknown_fields_are_refused(self, alice: httpx.AsyncClient) -> None:
        response = await alice.post(LAMPS, json=lamp(colour="red"))
        problem = read_problem(response, 422, "VALIDATION_ERROR")
        assert [error["loc"] for error in problem["errors"]] == [["body", "colour"]]
