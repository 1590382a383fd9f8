"""Which bodies are read: of what size and type, and what is JSON."""

from collections.abc import AsyncIterator

import httpx
import pytest

from app.config import Settings
from app.main import Application, create_app
from tests.conftest import new_client
from tests.contract.calls import post_lamp
from tests.factories import create_lamps
from tests.problems import CANARY, JSON, LAMPS, LIMIT, LOGIN, ME, REGISTER, read_problem


@pytest.fixture(scope="module")
async def small_app(settings: Settings) -> AsyncIterator[Application]:
    """An application that takes bodies of 1024 bytes."""
    app = create_app(settings.model_copy(update={"max_body_size": 1024}))
    assert isinstance(app, Application)
    yield app
    await app.database.close()


class TestBadRequest:
    async def test_headers_over_the_limit(self, alice: httpx.AsyncClient) -> None:
        small, large = ({"X-Filler": "x" * size} for size in (60_000, 70_000))
        assert (await alice.get(ME, headers=small)).status_code == 200
        read_problem(await alice.get(ME, headers=large), 400, "BAD_REQUEST")

    @pytest.mark.parametrize(
        "body",
        [
            pytest.param(b"{", id="truncated"),
            pytest.param(b'{"name": "a", "sku": "a", "price": 1', id="truncated at its end"),
            pytest.param(b'{"name": "a", "sku": "a", "price": 1}}', id="a brace too many"),
            pytest.param(b'{"name": "a"}{"name": "a"}', id="two bodies"),
            pytest.param(b"{'name': 'a'}", id="single quotes"),
            pytest.param(b'{"name": "a",}', id="a trailing comma"),
            pytest.param(b'{name: "a"}', id="no quotes"),
            pytest.param(b'{"price": 01}', id="a leading zero"),
            pytest.param(b'{"price": 0x10}', id="hexadecimal"),
            pytest.param(b'{"price": +1}', id="a plus"),
            pytest.param(b'{"name": "a" /* a */}', id="a comment"),
            pytest.param(b'{"name": "a\nb"}', id="a raw line break in a string"),
            pytest.param(b'{"name": "a\x00b"}', id="a raw NUL in a string"),
            pytest.param(b"\x00", id="NUL"),
            pytest.param(b"   ", id="blank"),
            pytest.param(b"name=a&sku=a", id="a form"),
            pytest.param(b'{"name": "\xff"}', id="not UTF-8"),
            pytest.param(b'{"name": "\xc3"}', id="truncated UTF-8"),
            pytest.param(b'{"name": "\xc0\x80"}', id="overlong UTF-8"),
            pytest.param(b'{"name": "\xed\xa0\x80"}', id="a surrogate's bytes"),
            pytest.param('{"name": "a"}'.encode("utf-16"), id="UTF-16"),
            pytest.param(b'{"name": "\\ud800"}', id="a lone high surrogate"),
            pytest.param(b'{"name": "\\udfff"}', id="a lone low surrogate"),
            pytest.param(b'{"name": "\\udc00\\ud800"}', id="surrogates the wrong way round"),
            pytest.param(b'{"\\ud800": 1}', id="a lone surrogate in a name"),
            pytest.param(b'{"name": "\\u12"}', id="half an escape"),
            pytest.param(b"[" * 65 + b"]" * 65, id="65 arrays deep"),
            pytest.param(b'{"a":' * 65 + b"1" + b"}" * 65, id="65 objects deep"),
            pytest.param(b'[{"a":' * 33 + b"1" + b"}]" * 33, id="66 of both deep"),
            pytest.param(b'{"price": 12.5000000000000000001', id="a long number, truncated"),
            pytest.param(b'{"a": "\xff", "b": 12.5000000000000000001}', id="one, not UTF-8"),
            pytest.param(b"[" * 65 + b"12.5000000000000000001" + b"]" * 65, id="one, 65 deep"),
            pytest.param(b"[" * 500_000, id="500,000 arrays deep and no end"),
            pytest.param(b'{"a":' * 200_000, id="200,000 objects deep and no end"),
        ],
    )
    async def test_what_is_no_json(self, alice: httpx.AsyncClient, body: bytes) -> None:
        problem = read_problem(await alice.request(**post_lamp(body)), 400, "BAD_REQUEST")
        assert "errors" not in problem

    @pytest.mark.parametrize(
        "body",
        [
            pytest.param(b"[" * 64 + b"]" * 64, id="arrays"),
            pytest.param(b'[{"a":' * 32 + b"1" + b"}]" * 32, id="both"),
            pytest.param(b"[" + b"[]," * 500 + b"[]]", id="many beside each other"),
        ],
    )
    async def test_64_levels_are_json(self, alice: httpx.AsyncClient, body: bytes) -> None:
        read_problem(await alice.request(**post_lamp(body)), 422, "VALIDATION_ERROR")

    @pytest.mark.parametrize("name", ["[" * 200, '"[' * 100, "\\[" * 100, '\\"{' * 70])
    async def test_brackets_within_a_string_are_no_levels(
        self, alice: httpx.AsyncClient, name: str
    ) -> None:
        (created,) = await create_lamps(alice, {"name": name})
        assert created["name"] == name


class TestPayloadTooLarge:
    async def test_a_declared_length_is_refused_unread(self, alice: httpx.AsyncClient) -> None:
        headers = JSON | {"Content-Length": str(LIMIT + 1)}
        response = await alice.post(LAMPS, content=b"{}", headers=headers)
        read_problem(response, 413, "PAYLOAD_TOO_LARGE")

    async def test_chunks_without_a_length_are_counted(self, alice: httpx.AsyncClient) -> None:
        sent = 0

        async def chunks() -> AsyncIterator[bytes]:
            nonlocal sent
            for _ in range(100):
                sent += 1
                yield b" " * (LIMIT // 10)

        response = await alice.post(LAMPS, content=chunks(), headers=JSON)
        assert "Content-Length" not in response.request.headers
        read_problem(response, 413, "PAYLOAD_TOO_LARGE")
        assert sent < 15

    async def test_chunks_within_the_limit_are_taken(self, alice: httpx.AsyncClient) -> None:
        async def chunks() -> AsyncIterator[bytes]:
            yield b'{"name": "a", "sku":'
            yield b' "a", "price": 1}'

        response = await alice.post(LAMPS, content=chunks(), headers=JSON)
        assert response.status_code == 201

    async def test_1_mib_is_within_the_limit(self, alice: httpx.AsyncClient) -> None:
        body = b'{"name": "a", "sku": "a", "price": 1}'.ljust(LIMIT)
        assert (await alice.request(**post_lamp(body))).status_code == 201

    @pytest.mark.parametrize(("length", "status"), [(1024, 400), (1025, 413)])
    async def test_the_limit_is_a_setting(
        self, small_app: Application, length: int, status: int
    ) -> None:
        async with new_client(small_app) as client:
            response = await client.post(LOGIN, content=b" " * length, headers=JSON)
        assert response.status_code == status


class TestUnsupportedMediaType:
    @pytest.mark.parametrize(
        "media_type",
        [
            "text/plain",
            "text/json",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "application/json5",
            "application/problem+json",
            "application/json, text/plain",
            "application/octet-stream",
            "*/*",
            "json",
            "",
            "\xff",
        ],
    )
    async def test_a_body_of_another_type(self, alice: httpx.AsyncClient, media_type: str) -> None:
        headers = {b"Content-Type": media_type.encode("latin-1")}
        response = await alice.post(LAMPS, content=b"{}", headers=headers)
        read_problem(response, 415, "UNSUPPORTED_MEDIA_TYPE")

    async def test_a_body_of_no_type(self, alice: httpx.AsyncClient) -> None:
        response = await alice.post(LAMPS, content=b"{}")
        assert "Content-Type" not in response.request.headers
        read_problem(response, 415, "UNSUPPORTED_MEDIA_TYPE")

    @pytest.mark.parametrize(
        ("method", "path"), [("POST", LOGIN), ("POST", REGISTER), ("PATCH", ME)]
    )
    async def test_every_route_with_a_body_asks_for_json(
        self, alice: httpx.AsyncClient, method: str, path: str
    ) -> None:
        response = await alice.request(method, path, data={"email": CANARY})
        read_problem(response, 415, "UNSUPPORTED_MEDIA_TYPE")

    @pytest.mark.parametrize(
        "media_type",
        ["application/json", "APPLICATION/JSON", "application/json;charset=utf-8"],
    )
    async def test_json_by_any_of_its_names(
        self, alice: httpx.AsyncClient, media_type: str
    ) -> None:
        body = b'{"name": "a", "sku": "a", "price": 1}'
        response = await alice.post(LAMPS, content=body, headers={"Content-Type": media_type})
        assert response.status_code == 201
