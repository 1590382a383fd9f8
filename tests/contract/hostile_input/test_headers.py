"""No header makes a 5xx, and no answer repeats it."""

import httpx
import pytest

from tests.contract.hostile_input.refusals import Ask, Header, read_refusal, short
from tests.problems import CANARY, LAMPS, ME

HEADERS: list[Header] = [
    (b"x-correlation-id", b"\xff" * 10), (b"x-correlation-id", b"a" * 60_000),
    (b"x-correlation-id", b"\x00" * 10), (b"accept", b"\x00"), (b"accept", b"text/xml"),
    (b"accept", b"a" * 60_000), (b"accept-encoding", b"identity;q=0"), (b"te", b"\x00"),
    (b"cookie", b"a=\xff; " * 10_000), (b"cookie", b"="), (b"content-type", b"\xff\x00"),
    (b"range", b"bytes=abc"), (b"if-none-match", b"\xff"), (b"if-modified-since", b"\xff"),
    (b"x-forwarded-for", b"\xff\x00, 1"), (b"x-forwarded-proto", b"\xff"), (b"forwarded", b"\xff"),
    (b"x-http-method-override", b"DELETE"), (b"x-original-url", b"/\xff"), (b"origin", b"\xff"),
    (b"origin", b"null"), (b"access-control-request-method", b"\xff"), (b"te", b"\xff"),
    (b"user-agent", b"\xff" * 60_000), (b"user-agent", b"'; DROP TABLE sessions; --"),
    (b"referer", b"\x00"), (b"transfer-encoding", b"\xff"), (b"expect", b"\xff"),
    (b"", b""), (b"\xff", b"\xff"), (b"x" * 60_000, b"1"), (b"host", b"["), (b"host", b""),
    (b"host", b"a/b"), (b"host", b"\xff"), (b"host", b"a:99999999"), (b"host", b"a" * 60_000),
]  # fmt: skip


class TestHeaders:
    @pytest.mark.parametrize("header", HEADERS, ids=short)
    async def test_a_header_that_means_nothing_changes_nothing(
        self, ask: Ask, header: Header
    ) -> None:
        json_body = (b"content-type", b"application/json")
        read = await ask("GET", LAMPS, headers=[header])
        assert read.status_code == 200
        assert read.json()["items"] == []
        body = b'{"name": "a", "sku": "a", "price": 1}'
        written = await ask("POST", LAMPS, headers=[json_body, header], body=body)
        assert written.status_code == 201
        assert written.headers["Location"] == f"{LAMPS}/{written.json()['id']}"

    async def test_5_000_headers_are_no_more_than_one(self, ask: Ask) -> None:
        response = await ask("GET", LAMPS, headers=[(b"x-%d" % i, b"1") for i in range(5_000)])
        assert response.status_code == 200

    @pytest.mark.parametrize(
        "value",
        [
            b"Bearer " + b"a" * 60_000, b"Bearer plinth_" + b"a" * 60_000, b"Bearer \xff",
            b"Bearer plinth_\xff", b"Bearer plinth_\x00", b"Bearer plinth_%00", b"\x00", b"\xff",
            b"Bearer plinth_' OR 1=1 --", b"Bearer " + CANARY.encode(), b"Bearer Bearer",
            b"Basic " + CANARY.encode(), b"a" * 60_000, b"Bearer\x00plinth_a", b" " * 10_000,
        ],
        ids=short,
    )  # fmt: skip
    async def test_a_bad_token_is_refused_and_not_repeated(self, ask: Ask, value: bytes) -> None:
        response = await ask("GET", ME, headers=[(b"authorization", value)])
        problem = read_refusal(response, value.decode("latin-1"))
        assert problem["error_code"] == "UNAUTHORIZED"
        assert response.headers["WWW-Authenticate"].startswith("Bearer")

    async def test_two_callers_are_refused(self, ask: Ask, alice: httpx.AsyncClient) -> None:
        hers = (b"authorization", alice.headers["Authorization"].encode())
        for others in [(b"authorization", b"Bearer plinth_a")], [hers]:
            problem = read_refusal(await ask("GET", ME, headers=[hers, *others]))
            assert problem["error_code"] == "BAD_REQUEST"
