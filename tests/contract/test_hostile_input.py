"""No byte sequence in any path, query, header or body makes a 5xx or comes back."""

import json
import re
from collections.abc import Sequence
from decimal import Decimal
from time import perf_counter
from typing import Any, Protocol
from urllib.parse import unquote

import httpx
import pytest

from app.main import Application
from tests.factories import SignIn, create_items, item
from tests.problems import CANARY, ITEMS, JSON, LOGIN, ME, NO_ITEM, REGISTER, read_problem

SMALL = 100_000  # bytes that the answer to a bad request may have
SURROGATE = chr(0xD800)
TELLING = 6  # characters of a value that no message holds by chance
PASSWORD = "correct horse battery staple"

type Header = tuple[bytes, bytes]


class Ask(Protocol):
    async def __call__(
        self,
        method: str,
        path: str,
        *,
        query: bytes = b"",
        headers: Sequence[Header] = (),
        body: bytes = b"",
    ) -> httpx.Response: ...


@pytest.fixture
def ask(app: Application, alice: httpx.AsyncClient) -> Ask:
    """Send what no proper client lets pass, as alice unless another Authorization is given."""

    async def ask(
        method: str,
        path: str,
        *,
        query: bytes = b"",
        headers: Sequence[Header] = (),
        body: bytes = b"",
    ) -> httpx.Response:
        answer: list[Any] = []
        pending = [{"type": "http.request", "body": body}]
        token = (b"authorization", alice.headers["Authorization"].encode())

        async def receive() -> dict[str, Any]:
            return pending.pop() if pending else {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            answer.append(message)

        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode("utf-8", "surrogatepass"),
            "query_string": query,
            "root_path": "",
            "headers": [*headers, (b"host", b"test"), token],
            "server": ("test", 80),
            "client": ("127.0.0.1", 1),
        }
        await app(scope, receive, send)
        content = b"".join(message["body"] for message in answer[1:])
        return httpx.Response(answer[0]["status"], headers=answer[0]["headers"], content=content)

    return ask


def read_refusal(response: httpx.Response, *values: str) -> dict[str, Any]:
    """The problem of a refused request, which must not repeat the values that were sent."""
    assert 400 <= response.status_code < 500, (response.text[:500], values)
    problem = read_problem(response, response.status_code, response.json()["error_code"])
    if response.status_code == 422:
        assert problem.get("errors"), values
    told = [problem["detail"], *(error["message"] for error in problem.get("errors", []))]
    for value in (CANARY, *values):
        if len(value) >= TELLING:
            assert value not in " ".join(told)
            assert value not in str(response.headers)
    assert len(response.content) < SMALL
    return problem


TEXT = ["name", "name__icontains", "name__istartswith", "sku", "sku__in", "search"]
DECIMAL = ["price", "price__gt", "price__gte", "price__lt", "price__lte"]
INTEGER = ["quantity", "quantity__gt", "quantity__gte", "quantity__lt", "quantity__lte"]
TIMESTAMP = ["created_at__gte", "created_at__lt", "updated_at__gte", "updated_at__lt"]
STATUS = ["status", "status__neq", "status__in", "status__not_in"]

BAD_TEXT = ["%00", f"{CANARY}%00", f"%00{CANARY}"]
BAD_DECIMAL = [
    CANARY, "", "%00", "NaN", "-NaN", "sNaN", "Infinity", "-inf", "1E%2B131072", "1E-131072",
    "1e-19", "1e99999999999999999999", "1e-99999999999999999999", "0x10", "1,5", "1.5.1", "--1",
    "true", "null", "1%000", "1" * 5000, "1" * 100_000, "0." + "1" * 5000,
]  # fmt: skip
BAD_INTEGER = [
    CANARY, "", "%00", "NaN", "Infinity", "2147483648", "-2147483649", "9223372036854775808",
    "-9223372036854775809", "1" * 20, "1" * 5000, "1" * 100_000, "1.5", "1e3", "0x10", "true",
    "null", "1%000", "--1",
]  # fmt: skip
BAD_TIMESTAMP = [
    CANARY, "", "%00", "now", "infinity", "-infinity", "2026-01-01", "2026-01-01T00:00:00",
    "2026-01-01T00:00", "2026-01-01T00:00:00.5", "1767225600", "1767225600000", "1e9", "-1", "0",
    "1" * 5000, "0000-01-01T00:00:00Z", "10000-01-01T00:00:00Z", "-2026-01-01T00:00:00Z",
    "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-01-01T25:00:00Z",
    "2026-01-01T00:00:60Z", "2026-01-01T00:00:00%2B25:00", "2026-01-01T00:00:00+00:00",
    "2026-01-01T00:00:00Z%00", f"2026-01-01T00:00:00Z{CANARY}", f"2026-01-01T00:00:00{CANARY}",
    "0001-01-01T00:00:00%2B14:00", "9999-12-31T23:59:59-14:00", "20260101T000000Z",
    "2026-W01-1T00:00:00Z",
]  # fmt: skip
BAD_STATUS = [
    CANARY, "", "%00", "DRAFT", "draft%00", " draft", "0", "null", "draft;active",
    f"draft,{CANARY}", "draft,,active",
]  # fmt: skip

BAD_PARAMETERS = {
    **dict.fromkeys(TEXT, BAD_TEXT),
    **dict.fromkeys(DECIMAL, BAD_DECIMAL),
    **dict.fromkeys(INTEGER, BAD_INTEGER),
    **dict.fromkeys(TIMESTAMP, BAD_TIMESTAMP),
    **dict.fromkeys(STATUS, BAD_STATUS),
    "description__isnull": [CANARY, "", "%00", "2", "null", "maybe", "true%00"],
    "page": [
        CANARY, "", "%00", "0", "-1", "1.5", "1e1", "NaN", "null", "2002", "9223372036854775808",
        "1" + "0" * 20, "1" * 5000,
    ],
    "size": [CANARY, "", "%00", "0", "-1", "101", "1.5", "NaN", "1" * 20, "1" * 5000],
    "order_by": [
        "", ",", "-", "name,", ",name", "id", "-id", "NAME", "metadata", "hashed_password",
        "password_hash", "__class__", "__init__", "owner_id", "owner.email", CANARY, "%00",
        "--name", "%2Bname", "name%00", "name desc", "name;drop table items", "name,name",
        "name,-name", "name,sku,price,quantity,status",
    ],
}  # fmt: skip
BAD_PARAMETERS["search"] = [*BAD_TEXT, "", "a" * 101, "%C3%A9" * 101, "a" * 100_000]
BAD_PARAMETERS["sku__in"] = [*BAD_TEXT, ",".join(map(str, range(101))), f"a,{CANARY}%00"]
BAD_PARAMETERS["status__in"] = [*BAD_STATUS, ",".join(["draft"] * 101)]
BAD_PARAMETERS["status__not_in"] = BAD_PARAMETERS["status__in"]


def short(value: object) -> str:
    return re.sub(r"[^ -~]", "?", str(value))[:40]


class TestParameters:
    @pytest.mark.parametrize("name", BAD_PARAMETERS)
    async def test_bad_values_are_refused_by_their_parameters_name(
        self, ask: Ask, name: str
    ) -> None:
        for value in BAD_PARAMETERS[name]:
            response = await ask("GET", ITEMS, query=f"{name}={value}".encode())
            problem = read_refusal(response, unquote(value))
            assert problem["error_code"] == "VALIDATION_ERROR", value
            # How deep a page lies is a matter of two parameters.
            places = {tuple(error["loc"][:2]) for error in problem["errors"]}
            assert places <= {("query", name), ("query",)}, value

    @pytest.mark.parametrize(
        "query",
        [
            "name=%25", "name=_", "name=%5C", "name=%5C%25", "name__icontains=%25",
            "name__icontains=_", "name__icontains=%5C", "name__istartswith=%25",
            "name__istartswith=_lain", "search=%25", "search=_", "search=%5C", "search=%5C%5C%25",
            "name='", "name=' OR 1=1 --", "search='; DROP TABLE items; --", "name=%24%7Bname%7D",
            "name={{7*7}}", "name=%0d%0aX-Injected:%201", "name=%E2%80%AE", "name=%F0%9F%92%A5",
            "name=", "sku__in=", "sku__in=,", "sku__in=a&sku__in=b", "name=plain%20",
            "quantity=-2147483648", "quantity__gt=2147483647", "price__lt=-1",
            "price__lt=0.000000000000000001&price__gt=0",
            "created_at__gte=9999-12-30T00:00:00Z", "created_at__lt=0001-01-02T00:00:00Z",
            "created_at__lt=0001-01-02T00:00:00%2B00:00", "page=2001", "page=1001&size=100",
            "status__in=draft,active&name=x", "name=" + "a" * 100_000,
            "name__icontains=" + "%25" * 30_000, "sku__in=" + "a" * 100_000,
        ],
        ids=short,
    )  # fmt: skip
    async def test_an_odd_value_that_is_valid_finds_nothing(
        self, ask: Ask, alice: httpx.AsyncClient, query: str
    ) -> None:
        await create_items(alice, {"name": "plain", "sku": "plain", "quantity": 1})
        response = await ask("GET", ITEMS, query=query.encode())
        assert response.status_code == 200, response.text[:1000]
        assert response.json()["items"] == []

    @pytest.mark.parametrize(
        "query",
        [
            b"name=%ff", b"name=%ed%a0%80", b"name=%c3", b"name=%", b"name=%zz", b"name=%u0000",
            b"name=\xff", b"name=\xed\xa0\x80", b"name=\xff\x00", b"name=%ff%00", b"search=%ff",
            b"sku__in=%ff,%fe", b"order_by=%ff", b"price=%ff", b"page=%ff", b"status=%ff",
            b"created_at__gte=%ff", b"description__isnull=%ff", b"%ff=1", b"\xff=1", b"%00=1",
            b"%ed%a0%80=1", b"=", b"=1", b"&", b"&&=&&", b"?", b"??name=1", b"name", b"page",
            b"#", b"\x00", b"\r\n", b"\r\nX-Injected: 1", b"[]=1", b"name[]=1", b"name[$ne]=1",
            b"name.first=1", b"%2570age=1", b"price=0E%2B131072", b"price=0E-131072",
            b"price__lte=0e99999999", b"price=-0", b"price__lt=" + b"9" * 20 + b"." + b"9" * 18,
            b"cursor=", b"cursor=%00", b"cursor=%ff", b"cursor=" + b"A" * 100_000,
            b"cursor=eyJpZCI6IDF9", b"cursor=eyJpZCI6IDF9&page=1", b"cursor=....",
            b"__proto__=1", b"constructor=1", b"self=1", b"filters=1", b"model=1", b"Constants=1",
        ],
        ids=short,
    )  # fmt: skip
    async def test_what_is_hardly_a_query_is_an_empty_page_or_refused(
        self, ask: Ask, query: bytes
    ) -> None:
        response = await ask("GET", ITEMS, query=query)
        if response.status_code == 200:
            assert response.json()["items"] == []
        else:
            assert read_refusal(response)["status"] == 422
        assert "X-Injected" not in response.headers

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("price=9.999", False),
            ("price=10.001", False),
            ("price=10.000", True),
            ("price__gt=9.996", True),
            ("price__gt=10.004", False),
            ("price__gte=9.996", True),
            ("price__gte=10.001", False),
            ("price__lt=10.004", True),
            ("price__lt=9.996", False),
            ("price__lte=9.999", False),
            ("price__lte=10.001", True),
            ("price__lte=10000000000", True),
            ("price__gte=10000000000", False),
            ("price__lt=99999999999999999999.999999999999999999", True),
        ],
    )
    async def test_a_number_the_column_would_round_is_compared_as_it_is_or_refused(
        self, alice: httpx.AsyncClient, query: str, *, found: bool
    ) -> None:
        await create_items(alice, {"price": "10.00"})
        response = await alice.get(f"{ITEMS}?{query}")
        if response.status_code == 200:
            assert bool(response.json()["items"]) is found
        else:
            read_refusal(response)

    @pytest.mark.parametrize(
        "query",
        [
            pytest.param(b"&".join(b"p%d=1" % i for i in range(40_000)), id="unknown"),
            pytest.param(b"&".join([b"page=1"] * 40_000), id="a scalar"),
            pytest.param(b"&".join(b"sku__in=%d" % i for i in range(40_000)), id="a list"),
            pytest.param(b"sku__in=" + b",".join([b"x"] * 40_000), id="values"),
            pytest.param(b"status__in=" + b",".join([b"x"] * 40_000), id="bad values"),
            pytest.param(b"order_by=" + b",".join([b"x"] * 40_000), id="bad sort keys"),
            pytest.param(b"&".join([b"order_by=name"] * 40_000), id="sort keys"),
            pytest.param(b"z" * 100_000 + b"=1", id="the length of a name"),
        ],
    )
    async def test_40_000_of_anything_are_refused_in_few_words(
        self, ask: Ask, query: bytes
    ) -> None:
        assert read_refusal(await ask("GET", ITEMS, query=query))["status"] == 422


class TestUnknownParameters:
    @pytest.mark.parametrize(
        ("sent", "meant"),
        [
            ("prize", "price"), ("nam", "name"), ("order", "order_by"), ("orderby", "order_by"),
            ("sort_by", "order_by"), ("pages", "page"), ("Page", "page"), ("page_size", "size"),
            ("price_gte", "price__gte"), ("price__gtee", "price__gte"), ("serch", "search"),
            ("name__contains", "name__icontains"), ("name__startswith", "name__istartswith"),
            ("status__notin", "status__not_in"), ("createdat__gte", "created_at__gte"),
            ("description__is_null", "description__isnull"), ("sku__inn", "sku__in"),
        ],
    )  # fmt: skip
    async def test_the_nearest_name_is_offered(
        self, alice: httpx.AsyncClient, sent: str, meant: str
    ) -> None:
        response = await alice.get(ITEMS, params={sent: CANARY})
        problem = read_refusal(response)
        assert problem["error_code"] == "UNKNOWN_PARAMETER"
        (error,) = problem["errors"]
        assert error["loc"] == ["query", sent]
        assert sent in error["message"]
        assert re.search(rf"\b{meant}\b", error["message"].replace(sent, "", 1))

    async def test_filters_are_closed(self, alice: httpx.AsyncClient) -> None:
        for name in (
            "name__gt", "name__in", "name__neq", "sku__icontains", "status__gt", "price__neq",
            "price__in", "quantity__isnull", "created_at", "created_at__gt", "updated_at__lte",
            "description", "description__icontains", "owner_id", "id", "version", "deleted_at",
            "hashed_password", "price__gte__lte", "price__", "__gte", "items__name",
        ):  # fmt: skip
            problem = read_refusal(await alice.get(ITEMS, params={name: CANARY}))
            assert problem["error_code"] == "UNKNOWN_PARAMETER", name

    async def test_every_route_refuses_them(self, sign_in: SignIn) -> None:
        root = await sign_in("root@example.com", superuser=True)
        (created,) = await create_items(root, {})
        paths = (await root.get("/openapi.json")).json()["paths"]
        refused = 0
        for path, operations in paths.items():
            for method in operations:
                url = re.sub("{.*?}", created["id"], path)
                response = await root.request(method, f"{url}?colour={CANARY}")
                problem = read_refusal(response)
                assert problem["error_code"] == "UNKNOWN_PARAMETER", (method, path)
                assert problem["errors"][0]["loc"] == ["query", "colour"]
                refused += 1
        assert refused >= 30
        assert (await root.get(f"{ITEMS}/{created['id']}")).json() == created

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("page", "1"), ("size", "1"), ("search", "a"), ("name", "a"), ("sku", "a"),
            ("name__icontains", "a"), ("name__istartswith", "a"), ("status", "draft"),
            ("status__neq", "draft"), ("price", "1"), ("price__lte", "1"), ("quantity", "1"),
            ("quantity__gt", "1"), ("created_at__gte", "2026-01-01T00:00:00Z"),
            ("updated_at__lt", "2026-01-01T00:00:00Z"), ("description__isnull", "true"),
        ],
    )  # fmt: skip
    async def test_a_scalar_may_not_be_repeated(
        self, alice: httpx.AsyncClient, name: str, value: str
    ) -> None:
        problem = read_refusal(await alice.get(f"{ITEMS}?{name}={value}&{name}={value}"))
        assert problem["error_code"] == "UNKNOWN_PARAMETER"
        assert {tuple(error["loc"]) for error in problem["errors"]} == {("query", name)}


class TestPaths:
    @pytest.mark.parametrize(
        "id",
        [
            "1", "0", "-1", "null", "None", "me", CANARY, "\x00", f"{NO_ITEM}\x00",
            f"\x00{NO_ITEM}", f"{NO_ITEM}\n", f" {NO_ITEM}", f"{NO_ITEM} ", f"{NO_ITEM}0",
            NO_ITEM[:-1], NO_ITEM.replace("-", ""), f"{{{NO_ITEM}}}", f"urn:uuid:{NO_ITEM}",
            f"uuid:{NO_ITEM}", NO_ITEM.replace("-", "_"), NO_ITEM.replace("0", "g"),
            "\uff10" * 8 + NO_ITEM[8:], "\u0660" * 8 + NO_ITEM[8:], NO_ITEM.replace("-", "--", 1),
            SURROGATE, "\ufffd", "\u202e", "\U0001f4a5", "..", ".", "%00",
            "%ff", "'", "' OR 1=1 --", "<script>", "\r\nX-Injected: 1", "a" * 100_000,
            ";", "?", "#", "*", "\\", "1" * 5000,
        ],
        ids=short,
    )  # fmt: skip
    async def test_what_is_no_id_is_refused(self, ask: Ask, id: str) -> None:
        problem = read_refusal(await ask("GET", f"{ITEMS}/{id}"), id.strip())
        assert problem["status"] == 422
        assert problem["errors"][0]["loc"] == ["path", "item_id"]

    @pytest.mark.parametrize("id", ["\x00", SURROGATE, CANARY, NO_ITEM.replace("-", "")], ids=short)
    @pytest.mark.parametrize(
        ("method", "end"), [("PATCH", ""), ("DELETE", ""), ("POST", "/restore")]
    )
    async def test_so_it_is_for_every_verb(self, ask: Ask, method: str, end: str, id: str) -> None:
        headers = [(b"content-type", b"application/json")]
        response = await ask(method, f"{ITEMS}/{id}{end}", headers=headers, body=b"{}")
        assert read_refusal(response, id)["status"] == 422

    @pytest.mark.parametrize(
        "path",
        [
            "", "/", "//", "x", "*", "/api", "/api/v1", "/api/v1/", "/api/v2/items",
            "/API/v1/items", "/api/v1/Items", "//api/v1/items", "/api//v1/items", "/api/v1//items",
            f"{ITEMS}//", f"{ITEMS}/{NO_ITEM}/", f"{ITEMS}/{NO_ITEM}/{CANARY}", f"{ITEMS}//restore",
            "/api/v1/items/../users/me", "/api/v1/./items", "/api/v1/user", f"/{CANARY}\x00",
            f"/{SURROGATE}", "/.env", "/.git/config", "/docs/", "/redoc/", "/docs/assets",
            "/docs/assets/", "/docs/assets/../docs.py", "/docs/assets//etc/passwd",
            "/docs/assets/\x00", "/docs/assets/..\\x", "/docs/assets/" + "a" * 5000,
            "/docs/assets/" + "a/" * 5000, "/docs/assets/favicon.png/x", "/docs/oauth2-redirect",
            "/openapi.yaml", "/" + "a" * 100_000, "/a" * 40_000, "/health", "/health/", "/metrics",
        ],
        ids=short,
    )  # fmt: skip
    async def test_what_is_no_path_is_not_found(self, ask: Ask, path: str) -> None:
        assert read_refusal(await ask("GET", path))["status"] == 404


BAD_FIELDS: dict[str, list[Any]] = {
    "name": [
        "", "\x00", f"{CANARY}\x00", "a" * 256, "é" * 256, "a" * 100_000, 1, 1.5, True, None, [],
        {}, ["a"], {"a": CANARY},
    ],
    "description": [f"{CANARY}\x00", "a" * 5001, "\U0001f4a5" * 5001, 1, True, [], {}, ["a"]],
    "sku": ["", "\x00", f"{CANARY}\x00", "a" * 65, "a" * 100_000, 1, True, None, [], {}],
    "price": [
        "", CANARY, "\x00", "NaN", "sNaN", "Infinity", "-Infinity", "1E+131072", "1E-131072",
        "1e99999999999999999999", "-0.01", -1, -0.01, True, False, None, [], {}, [0, [1], 2],
        "0x10", "1,50", "1.5.0", "€5", "1" * 5000, "1" * 100_000, 10**20, "true",
    ],
    "quantity": [
        "12", "", CANARY, True, False, None, 1.5, -1, 2**31, 2**63, 10**20, 10**400, [], {}, [1],
    ],
    "status": ["", CANARY, "DRAFT", "draft\x00", " draft", 0, True, None, [], {}, ["draft"]],
}  # fmt: skip

# What json.dumps does not write.
RAW_FIELDS = [
    ("quantity", "1.0"), ("quantity", "1e0"), ("quantity", "1e400"), ("quantity", "NaN"),
    ("quantity", "-Infinity"), ("quantity", "1" * 5000), ("price", "NaN"), ("price", "Infinity"),
    ("price", "-Infinity"), ("price", "1E+131072"), ("price", "1e400"), ("price", "-1e400"),
    ("price", "1" * 400), ("price", "1" * 5000), ("name", "1E+131072"), ("status", "1E+131072"),
    ("name", "[" * 60 + "]" * 60), ("name", '{"a":' * 60 + "1" + "}" * 60),
    ("quantity", "[" * 60 + "]" * 60), ("price", "[1," * 60 + "1" + "]" * 60),
]  # fmt: skip

ROUNDED = [
    "12.505", '"12.505"', "1e-3", '"1e-3"', "0.001", '"0.001"', "12.50001", '"0.0000000000001"',
    "10000000001", '"10000000001"', "1e10", '"1e10"', "99999999999.9", '"99999999999.9"',
    "9999999999.999", '"9999999999.999"', "1234567890123", '"123456789012.34"',
    "12.5000000000000000001", "9999999999.990000001", "0.10000000000000000555", "1e-400",
    "0." + "0" * 400 + "1",
]  # fmt: skip


class TestItems:
    @pytest.mark.parametrize(
        ("name", "value"),
        [(name, value) for name, values in BAD_FIELDS.items() for value in values],
        ids=short,
    )
    async def test_a_bad_field_is_named_and_nothing_is_written(
        self, alice: httpx.AsyncClient, name: str, value: Any
    ) -> None:
        response = await alice.post(ITEMS, json=item(**{name: value}))
        problem = read_refusal(response, value if isinstance(value, str) else CANARY)
        assert problem["error_code"] == "VALIDATION_ERROR"
        assert {tuple(error["loc"][:2]) for error in problem["errors"]} == {("body", name)}
        assert (await alice.get(ITEMS)).json()["total"] == 0

    @pytest.mark.parametrize(("name", "literal"), RAW_FIELDS, ids=short)
    async def test_a_bad_literal_is_refused(
        self, alice: httpx.AsyncClient, name: str, literal: str
    ) -> None:
        body = json.dumps(item(**{name: "@"})).replace('"@"', literal)
        problem = read_refusal(await alice.post(ITEMS, content=body, headers=JSON), literal)
        assert problem["status"] in {400, 422}
        assert (await alice.get(ITEMS)).json()["total"] == 0

    @pytest.mark.parametrize("literal", ROUNDED, ids=short)
    async def test_a_price_that_the_column_would_round_is_refused(
        self, alice: httpx.AsyncClient, literal: str
    ) -> None:
        body = json.dumps(item(price="@")).replace('"@"', literal)
        response = await alice.post(ITEMS, content=body, headers=JSON)
        problem = read_refusal(response, literal.strip('"'))
        assert problem["error_code"] == "VALIDATION_ERROR"
        # Of a number that the parser itself rounds, the place is lost.
        assert [error["loc"] for error in problem["errors"]] in ([["body"]], [["body", "price"]])
        assert (await alice.get(ITEMS)).json()["total"] == 0

    @pytest.mark.parametrize(
        ("literal", "stored"),
        [
            ("12.5", "12.50"), ('"12.5"', "12.50"), ("0", "0.00"), ('"0"', "0.00"),
            ("0.01", "0.01"), ('"0.01"', "0.01"), ("1e2", "100.00"), ('"1e2"', "100.00"),
            ("1e-2", "0.01"), ("12.500", "12.50"), ('"12.500"', "12.50"), ("0.29", "0.29"),
            ("1234567.89", "1234567.89"), ("9999999999.99", "9999999999.99"),
            ('"9999999999.99"', "9999999999.99"), ("9999999999", "9999999999.00"),
        ],
    )  # fmt: skip
    async def test_a_price_that_fits_is_kept_to_the_cent(
        self, alice: httpx.AsyncClient, literal: str, stored: str
    ) -> None:
        body = json.dumps(item(price="@")).replace('"@"', literal)
        response = await alice.post(ITEMS, content=body, headers=JSON)
        assert response.status_code == 201, response.text
        assert response.json()["price"] == stored
        assert (await alice.get(response.headers["Location"])).json()["price"] == stored

    @pytest.mark.parametrize("price", ["0E+131072", "0E-131072", "0e99999999", "-0", "0E-5"])
    async def test_zero_by_any_name_is_zero_or_refused(
        self, alice: httpx.AsyncClient, price: str
    ) -> None:
        response = await alice.post(ITEMS, json=item(price=price))
        if response.status_code == 201:
            assert Decimal(response.json()["price"]) == 0
        else:
            read_refusal(response, price)

    @pytest.mark.parametrize(
        "field",
        [
            "id", "owner_id", "version", "created_at", "updated_at", "deleted_at", "is_superuser",
            "is_active", "hashed_password", "__class__", "__init__", "model_config", "Name",
            "name ", "", "naïve", "a\x00b", "\U0001f4a5", "a" * 100,
        ],
        ids=short,
    )  # fmt: skip
    async def test_an_extra_field_is_refused_by_its_name(
        self, alice: httpx.AsyncClient, field: str
    ) -> None:
        (created,) = await create_items(alice, {})
        url = f"{ITEMS}/{created['id']}"
        for response in (
            await alice.post(ITEMS, json=item(**{field: CANARY})),
            await alice.patch(url, json={field: CANARY}),
            await alice.patch(url, json={field: None}),
        ):
            problem = read_refusal(response)
            assert problem["status"] == 422
            assert [error["loc"] for error in problem["errors"]] == [["body", field]]
        assert (await alice.get(url)).json() == created

    @pytest.mark.parametrize(
        "body",
        [
            b"null", b"true", b"1", b"1.5", b'"a"', b"[]", b"[{}]", b"NaN", b"Infinity", b"{}",
            b'{"": 1}', b'"' + CANARY.encode() + b'"', b"[" + b"1," * 400_000 + b"1]",
            b'{"name": "' + b"a" * 1_000_000 + b'"}', b'{"name": "' + b"[" * 1_000_000 + b'"}',
            b'{"' + b"z" * 90_000 + b'": 1}', b"1" * 1_000_000, b"[]" * 500_000, b"]" * 1_000_000,
            b'"' * 1_000_000, b"\\" * 1_000_000, b"\xff" * 1_000_000, b"\x00" * 1_000_000,
        ],
        ids=short,
    )  # fmt: skip
    async def test_a_body_that_is_no_item_is_refused(
        self, alice: httpx.AsyncClient, body: bytes
    ) -> None:
        problem = read_refusal(await alice.post(ITEMS, content=body, headers=JSON))
        assert problem["status"] in {400, 422}

    async def test_40_000_fields_are_refused_in_few_words(self, alice: httpx.AsyncClient) -> None:
        body = json.dumps({f"k{i}": CANARY for i in range(40_000)})
        assert read_refusal(await alice.post(ITEMS, content=body, headers=JSON))["status"] == 422

    @pytest.mark.parametrize(
        "body",
        [
            '{"name": "a", "name": "b", "sku": "a", "price": 1}',
            '{"name": 1, "name": "b", "sku": "a", "price": 1}',
            '{"name": "a", "name": 1, "sku": "a", "price": 1}',
            '{"name": "a", "sku": "a", "price": 1, "price": 12.505}',
            '{"name": "a", "sku": "a", "price": 1, "colour": 1, "colour": 2}',
        ],
        ids=range(5),
    )
    async def test_of_two_equal_keys_one_is_taken_or_none(
        self, alice: httpx.AsyncClient, body: str
    ) -> None:
        response = await alice.post(ITEMS, content=body, headers=JSON)
        if response.status_code == 201:
            assert response.json()["name"] in {"a", "b"}
            assert response.json()["price"] == "1.00"
        else:
            read_refusal(response)

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("name", "é" * 255), ("name", "\U0001f4a5" * 255), ("name", "\U0010ffff"),
            ("name", "\uffff\ufffe"), ("name", "\u202e\u200b"), ("name", "e\u0301"),
            ("name", "%00 \\u0000 \\x00"), ("name", "'; DROP TABLE items; --"),
            ("name", "\x01\x1f\x7f\x85"), ("name", " "), ("name", "\r\nX-Injected: 1"),
            ("name", "12.5000000000000000001"), ("name", '"12.5000000000000000001'),
            ("description", ""), ("description", "\U0001f4a5" * 5000), ("description", None),
            ("sku", "\U0001f4a5" * 64), ("sku", "../../etc/passwd"), ("quantity", 2**31 - 1),
        ],
        ids=short,
    )  # fmt: skip
    async def test_an_odd_value_that_is_valid_comes_back_as_it_was(
        self, alice: httpx.AsyncClient, name: str, value: Any
    ) -> None:
        (created,) = await create_items(alice, {name: value})
        assert created[name] == value
        assert (await alice.get(f"{ITEMS}/{created['id']}")).json() == created

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("name", None), ("sku", None), ("price", None), ("quantity", None), ("status", None),
            ("name", ""), ("sku", "\x00"), ("price", "12.505"), ("price", "NaN"),
            ("price", True), ("quantity", "12"), ("quantity", True), ("quantity", 2**31),
            ("quantity", -1), ("status", CANARY), ("description", "a" * 5001),
        ],
        ids=short,
    )  # fmt: skip
    async def test_a_bad_update_changes_nothing(
        self, alice: httpx.AsyncClient, name: str, value: Any
    ) -> None:
        (created,) = await create_items(alice, {})
        url = f"{ITEMS}/{created['id']}"
        response = await alice.patch(
            url, json={name: value, "description": "changed"} | {name: value}
        )
        problem = read_refusal(response, str(value))
        assert {tuple(error["loc"][:2]) for error in problem["errors"]} == {("body", name)}
        assert (await alice.get(url)).json() == created


class TestAccounts:
    @pytest.mark.parametrize(
        "email",
        [
            "", CANARY, f"{CANARY}@", f"@{CANARY}", f"{CANARY}@@example.com", "a b@example.com",
            f"{CANARY}\x00@example.com", "a@example.com\x00", "a@example.com\n",
            "a\r\n@example.com", "a@[127.0.0.1]", "a@xn--", "a@-example.com",
            "a@example..com", "a@.example.com", "<a@example.com>", "A <a@example.com>",
            "a@example.com, b@example.com", "\u202ea@example.com", "a@\u0378.com", "a@\u200d.com",
            "\U0010ffff@example.com", "a" * 250 + "@example.com", "a@" + "b" * 250 + ".com",
            "a@" + "a." * 126, "a" * 100_000, "a@" * 50_000, "@" * 254, "." * 254, 1, True, None,
            [], {}, ["a@example.com"],
        ],
        ids=short,
    )  # fmt: skip
    async def test_what_is_no_address_is_refused(
        self, client: httpx.AsyncClient, email: Any
    ) -> None:
        for url in (REGISTER, LOGIN):
            response = await client.post(url, json={"email": email, "password": PASSWORD})
            problem = read_refusal(response, PASSWORD, email if isinstance(email, str) else CANARY)
            assert [error["loc"] for error in problem["errors"]] == [["body", "email"]]

    @pytest.mark.parametrize(
        "email",
        ["\u0130" * 64 + "@" + "a" * 63 + "." + "b" * 61 + ".com", "\u0130@example.com", "ﬀ@ﬀ.com"],
        ids=ascii,
    )
    async def test_an_address_that_grows_in_lower_case_is_taken_or_named(
        self, client: httpx.AsyncClient, email: str
    ) -> None:
        response = await client.post(REGISTER, json={"email": email, "password": PASSWORD})
        if response.status_code != 201:
            problem = read_refusal(response, email)
            assert [error["loc"] for error in problem["errors"]] == [["body", "email"]]

    @pytest.mark.parametrize(
        "password",
        [
            "", "a", "a" * 14, "a" * 15, "a" * 257, "a" * 100_000, "\x00" * 20, " " * 20,
            "\ufdfa" * 256, "password1234567", "plinthplinthplinth", f"{CANARY}"[:10], 1, True,
            None, [], {}, [PASSWORD],
        ],
        ids=short,
    )  # fmt: skip
    async def test_a_bad_password_is_refused_unseen(
        self, client: httpx.AsyncClient, password: Any
    ) -> None:
        sent = {"email": "someone@example.com", "password": password}
        response = await client.post(REGISTER, json=sent)
        problem = read_refusal(response, password if isinstance(password, str) else PASSWORD)
        assert [error["loc"] for error in problem["errors"]] == [["body", "password"]]

    @pytest.mark.parametrize("password", ["\x00", "\U0010ffff" * 256, "' OR 1=1 --"], ids=short)
    async def test_an_odd_password_is_a_wrong_one(
        self, alice: httpx.AsyncClient, password: str
    ) -> None:
        response = await alice.post(
            LOGIN, json={"email": "alice@example.com", "password": password}
        )
        assert read_refusal(response, password)["error_code"] == "INVALID_CREDENTIALS"

    @pytest.mark.parametrize(
        "field",
        [
            "id", "is_superuser", "is_active", "email_verified_at", "password_hash", "version",
            "created_at", "deleted_at", "hashed_password", "__class__",
        ],
    )  # fmt: skip
    async def test_nobody_promotes_himself(self, alice: httpx.AsyncClient, field: str) -> None:
        before = (await alice.get(ME)).json()
        for value in (CANARY, True, None):
            sent = {"email": "new@example.com", "password": PASSWORD, field: value}
            for response in (
                await alice.post(REGISTER, json=sent),
                await alice.post(LOGIN, json=sent),
                await alice.patch(ME, json={field: value}),
            ):
                problem = read_refusal(response, PASSWORD)
                assert [error["loc"] for error in problem["errors"]] == [["body", field]]
        assert (await alice.get(ME)).json() == before

    @pytest.mark.parametrize(
        "name", ["", "\x00", f"{CANARY}\x00", "a" * 101, "a" * 100_000, 1, True, [], {}], ids=short
    )
    async def test_a_bad_display_name_is_refused(self, alice: httpx.AsyncClient, name: Any) -> None:
        before = (await alice.get(ME)).json()
        response = await alice.patch(ME, json={"display_name": name})
        problem = read_refusal(response, name if isinstance(name, str) else CANARY)
        assert [error["loc"] for error in problem["errors"]] == [["body", "display_name"]]
        assert (await alice.get(ME)).json() == before

    @pytest.mark.parametrize("field", ["email", "password"])
    async def test_nobody_changes_address_or_password_in_passing(
        self, alice: httpx.AsyncClient, field: str
    ) -> None:
        problem = read_refusal(await alice.patch(ME, json={field: f"{CANARY}@example.com"}))
        assert [error["loc"] for error in problem["errors"]] == [["body", field]]


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
        read = await ask("GET", ITEMS, headers=[header])
        assert read.status_code == 200
        assert read.json()["items"] == []
        body = b'{"name": "a", "sku": "a", "price": 1}'
        written = await ask("POST", ITEMS, headers=[json_body, header], body=body)
        assert written.status_code == 201
        assert written.headers["Location"] == f"{ITEMS}/{written.json()['id']}"

    async def test_5_000_headers_are_no_more_than_one(self, ask: Ask) -> None:
        response = await ask("GET", ITEMS, headers=[(b"x-%d" % i, b"1") for i in range(5_000)])
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


@pytest.mark.parametrize(
    "body",
    [
        b'{"items": [{' + b",".join(b'"%06x":0' % n for n in range(900_000)) + b"}]}",
        b'{"items": [' + b",".join([b"{}"] * 3_000_000) + b"]}",
        b'{"items": [' + b",".join([b"0"] * 5_000_000) + b"]}",
    ],
    ids=["fields", "objects", "numbers"],
)
async def test_millions_of_values_are_refused_before_they_are_read(ask: Ask, body: bytes) -> None:
    started = perf_counter()
    response = await ask(
        "PUT", f"{ITEMS}/bulk", headers=[(b"content-type", b"application/json")], body=body
    )
    assert read_refusal(response)["error_code"] == "BAD_REQUEST"
    assert perf_counter() - started < 3  # to validate them takes up to six, on a quiet machine
