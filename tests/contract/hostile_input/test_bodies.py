"""No body of a lamp makes a 5xx or writes what it may not, and no answer repeats it."""

import json
from decimal import Decimal
from time import perf_counter
from typing import Any

import httpx
import pytest

from tests.contract.hostile_input.refusals import Ask, read_refusal, short
from tests.factories import create_lamps, lamp
from tests.problems import CANARY, JSON, LAMPS

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


class TestLamps:
    @pytest.mark.parametrize(
        ("name", "value"),
        [(name, value) for name, values in BAD_FIELDS.items() for value in values],
        ids=short,
    )
    async def test_a_bad_field_is_named_and_nothing_is_written(
        self, alice: httpx.AsyncClient, name: str, value: Any
    ) -> None:
        response = await alice.post(LAMPS, json=lamp(**{name: value}))
        problem = read_refusal(response, value if isinstance(value, str) else CANARY)
        assert problem["error_code"] == "VALIDATION_ERROR"
        assert {tuple(error["loc"][:2]) for error in problem["errors"]} == {("body", name)}
        assert (await alice.get(LAMPS)).json()["total"] == 0

    @pytest.mark.parametrize(("name", "literal"), RAW_FIELDS, ids=short)
    async def test_a_bad_literal_is_refused(
        self, alice: httpx.AsyncClient, name: str, literal: str
    ) -> None:
        body = json.dumps(lamp(**{name: "@"})).replace('"@"', literal)
        problem = read_refusal(await alice.post(LAMPS, content=body, headers=JSON), literal)
        assert problem["status"] in {400, 422}
        assert (await alice.get(LAMPS)).json()["total"] == 0

    @pytest.mark.parametrize("literal", ROUNDED, ids=short)
    async def test_a_price_that_the_column_would_round_is_refused(
        self, alice: httpx.AsyncClient, literal: str
    ) -> None:
        body = json.dumps(lamp(price="@")).replace('"@"', literal)
        response = await alice.post(LAMPS, content=body, headers=JSON)
        problem = read_refusal(response, literal.strip('"'))
        assert problem["error_code"] == "VALIDATION_ERROR"
        # Of a number that the parser itself rounds, the place is lost.
        assert [error["loc"] for error in problem["errors"]] in ([["body"]], [["body", "price"]])
        assert (await alice.get(LAMPS)).json()["total"] == 0

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
        body = json.dumps(lamp(price="@")).replace('"@"', literal)
        response = await alice.post(LAMPS, content=body, headers=JSON)
        assert response.status_code == 201, response.text
        assert response.json()["price"] == stored
        assert (await alice.get(response.headers["Location"])).json()["price"] == stored

    @pytest.mark.parametrize("price", ["0E+131072", "0E-131072", "0e99999999", "-0", "0E-5"])
    async def test_zero_by_any_name_is_zero_or_refused(
        self, alice: httpx.AsyncClient, price: str
    ) -> None:
        response = await alice.post(LAMPS, json=lamp(price=price))
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
        (created,) = await create_lamps(alice, {})
        url = f"{LAMPS}/{created['id']}"
        for response in (
            await alice.post(LAMPS, json=lamp(**{field: CANARY})),
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
    async def test_a_body_that_is_no_lamp_is_refused(
        self, alice: httpx.AsyncClient, body: bytes
    ) -> None:
        problem = read_refusal(await alice.post(LAMPS, content=body, headers=JSON))
        assert problem["status"] in {400, 422}

    async def test_40_000_fields_are_refused_in_few_words(self, alice: httpx.AsyncClient) -> None:
        body = json.dumps({f"k{i}": CANARY for i in range(40_000)})
        assert read_refusal(await alice.post(LAMPS, content=body, headers=JSON))["status"] == 422

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
        response = await alice.post(LAMPS, content=body, headers=JSON)
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
            ("name", "%00 \\u0000 \\x00"), ("name", "'; DROP TABLE lamps; --"),
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
        (created,) = await create_lamps(alice, {name: value})
        assert created[name] == value
        assert (await alice.get(f"{LAMPS}/{created['id']}")).json() == created

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
        (created,) = await create_lamps(alice, {})
        url = f"{LAMPS}/{created['id']}"
        response = await alice.patch(
            url, json={name: value, "description": "changed"} | {name: value}
        )
        problem = read_refusal(response, str(value))
        assert {tuple(error["loc"][:2]) for error in problem["errors"]} == {("body", name)}
        assert (await alice.get(url)).json() == created


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
        "PUT", f"{LAMPS}/bulk", headers=[(b"content-type", b"application/json")], body=body
    )
    assert read_refusal(response)["error_code"] == "BAD_REQUEST"
    assert perf_counter() - started < 3  # to validate them takes up to six, on a quiet machine
