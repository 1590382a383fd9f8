import math
import re
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from app.core.filters import Values
from app.core.schemas import LOCAL_TIME, Schema, from_settings
from app.core.types import (
    INT8_MAX,
    INT8_MIN,
    MAX_ELEMENTS,
    MAX_URL,
    Array,
    BigInteger,
    Day,
    Digits,
    Email,
    Id,
    Integer,
    Json,
    Number,
    Real,
    Text,
    TimeOfDay,
    Timestamp,
    Url,
)

ID = "0198f3c2-0000-7000-8000-000000000000"
LONG_IN_LOWER_CASE = f"{'İ' * 30}@{'.'.join(['d' * 60] * 3)}.com"
# Which change more than their case, or are composed with what stands before them.
ELEMENTS = from_settings(maxItems="max_bulk_body_size")
LETTERS = st.sampled_from("aTİΣẞ\u0307\u0308\u030c\u0345")


class Sample(Schema):
    """Each of our own types, as a body has them: strict, and read from JSON."""

    id: Id | None = None
    at: Timestamp | None = None
    amount: Annotated[Decimal, Digits(4, 2, ge=0)] | None = None
    fraction: Annotated[Decimal, Digits(2, 2)] | None = None
    whole: Annotated[Decimal, Digits(3, 0, le=700)] | None = None
    text: Text | None = None
    email: Email | None = None
    big: BigInteger | None = None
    real: Real | None = None
    share: Annotated[Real, Field(ge=0, le=1)] | None = None
    day: Day | None = None
    future: Annotated[Day, Field(ge=date(2026, 1, 1))] | None = None
    clock: TimeOfDay | None = None
    url: Url | None = None
    document: Json | None = None
    texts: Array[Annotated[Text, Field(min_length=1)]] | None = None
    ids: Array[Id] | None = None
    days: Array[Day] | None = None
    amounts: Array[Annotated[Decimal, Digits(4, 2)]] | None = None


@pytest.mark.parametrize(
    ("field", "json", "value"),
    [
        ("id", f'"{ID}"', UUID(ID)),
        ("id", f'"{ID.upper()}"', UUID(ID)),
        ("at", '"2026-01-05T12:00:00Z"', datetime.fromisoformat("2026-01-05T12:00:00Z")),
        ("at", '"2026-01-05T12:00:00.5+02:00"', datetime.fromisoformat("2026-01-05T10:00:00.5Z")),
        ("amount", "12.5", Decimal("12.5")),
        ("amount", "12", Decimal(12)),
        ("amount", '"12.50"', Decimal("12.50")),
        ("amount", '"99.99"', Decimal("99.99")),
        ("amount", '"+012.500"', Decimal("12.5")),
        ("amount", '"1e1"', Decimal(10)),
        ("fraction", "0", Decimal(0)),
        ("fraction", '"0"', Decimal(0)),
        ("fraction", '"-.99"', Decimal("-0.99")),
        ("whole", '"700"', Decimal(700)),
        ("whole", '"-999"', Decimal(-999)),
        ("text", '"\u00e9\U0001f600"', "\u00e9\U0001f600"),
        ("email", '"Ada@Example.COM"', "ada@example.com"),
        ("email", '"ada@intranet"', "ada@intranet"),
        ("email", '"T\u0308@example.com"', "\u1e97@example.com"),
        ("big", f"{INT8_MIN}", INT8_MIN),
        ("big", f"{INT8_MAX}", INT8_MAX),
        ("real", "1", 1.0),
        ("real", "-1.5e300", -1.5e300),
        ("share", "0.1", 0.1),
        ("day", '"2026-01-05"', date(2026, 1, 5)),
        ("day", '"0001-01-02"', date(1, 1, 2)),
        ("future", '"2026-01-01"', date(2026, 1, 1)),
        ("clock", '"09:05"', time(9, 5)),
        ("clock", '"23:59:59.999999"', time(23, 59, 59, 999999)),
        ("url", '"https://example.com"', "https://example.com"),
        (
            "url",
            '"HTTP://Ada@Example.com:8080/a,b?c=%20#d"',
            "HTTP://Ada@Example.com:8080/a,b?c=%20#d",
        ),
        ("url", '"http://[::1]/\u00e9"', "http://[::1]/\u00e9"),
        (
            "document",
            '{"a": [1, -2.5, true, null, "\\u00e9", {"": []}]}',
            {"a": [1, -2.5, True, None, "\u00e9", {"": []}]},
        ),
        ("document", "[]", []),
        ("document", "[18446744073709551616, 1e300, 5e-324]", [2**64, 1e300, 5e-324]),
        ("document", '"\\\\u0000"'.join("[]"), ["\\u0000"]),
        ("texts", '["a", "a"]', ["a", "a"]),
        ("texts", "[]", []),
        ("ids", f'["{ID}"]', [UUID(ID)]),
        ("days", '["2026-01-05"]', [date(2026, 1, 5)]),
        ("amounts", '["1.50", 2]', [Decimal("1.50"), Decimal(2)]),
    ],
)
def test_takes(field: str, json: str, value: Any) -> None:
    assert getattr(Sample.model_validate_json(f'{{"{field}": {json}}}'), field) == value


@pytest.mark.parametrize(
    ("field", "json"),
    [
        ("id", f'"{ID.replace("-", "")}"'),
        ("id", f'"{{{ID}}}"'),
        ("id", f'"urn:uuid:{ID}"'),
        ("id", "7"),
        ("at", '"2026-01-05T12:00:00"'),
        ("at", '"2026-01-05"'),
        ("at", '"1700000000"'),
        ("at", "1700000000"),
        ("at", '"9999-12-31T23:59:59-14:00"'),
        ("at", '"0001-01-01T00:00:00+14:00"'),
        ("amount", "-0.01"),
        ("amount", "1.001"),
        ("amount", "100"),
        ("amount", '"-0.01"'),
        ("amount", '"1.001"'),
        ("amount", '"100"'),
        ("amount", "true"),
        ("fraction", "1"),
        ("fraction", '"-1"'),
        ("whole", '"701"'),
        ("whole", '"1.5"'),
        ("whole", "-1000"),
        ("amount", '"1_0"'),
        ("amount", '" 1"'),
        ("amount", '"٣"'),
        ("amount", '"NaN"'),
        ("amount", "NaN"),
        ("amount", '"0E-131072"'),
        ("amount", "1e400"),
        ("text", '"\\u0000"'),
        ("text", "7"),
        ("email", '"nobody"'),
        ("email", f'"{"a" * 250}@example.com"'),
        ("email", f'"{LONG_IN_LOWER_CASE}"'),
        ("big", f"{INT8_MIN - 1}"),
        ("big", f"{INT8_MAX + 1}"),
        ("big", "1e3"),
        ("big", "true"),
        ("big", '"1"'),
        ("real", "NaN"),
        ("real", "Infinity"),
        ("real", "1e400"),
        ("real", "9" * 400),
        ("real", "true"),
        ("real", '"1"'),
        ("share", "1.1"),
        ("day", '"2026-01-05T00:00:00"'),
        ("day", '"2026-01-05T00:00:00Z"'),
        ("day", '"1700000000"'),
        ("day", "1700000000"),
        ("day", '"20260105"'),
        ("day", '"2026-02-30"'),
        ("day", '"2026-1-5"'),
        ("day", '"\u0662026-01-05"'),
        ("day", '"2026-01-05\\n"'),
        ("day", '"0001-01-01"'),
        ("day", '"9999-12-31"'),
        ("day", '"infinity"'),
        ("future", '"2025-12-31"'),
        ("clock", '"09:05Z"'),
        ("clock", '"09:05+02:00"'),
        ("clock", '"09"'),
        ("clock", '"24:00"'),
        ("clock", '"23:59:60"'),
        ("clock", '"09:05:00.1234567"'),
        ("clock", '"3600"'),
        ("clock", "3600"),
        ("url", '"example.com"'),
        ("url", '"//example.com"'),
        ("url", '"javascript:alert(1)"'),
        ("url", '"ftp://example.com"'),
        ("url", '"http:example.com"'),
        ("url", '"http:///example.com"'),
        ("url", '"http://"'),
        ("url", '"http://example.com:99999"'),
        ("url", '"http://a.example\\\\@b.example"'),
        ("url", '" http://example.com"'),
        ("url", '"http://example.com\\n"'),
        ("url", '"http://exam\\tple.com"'),
        ("url", '"http://example.com/\\u0000"'),
        ("url", '"http://example.com/\\u2028"'),
        ("url", f'"http://example.com/{"a" * MAX_URL}"'),
        ("url", "7"),
        ("document", "7"),
        ("document", '"{}"'),
        ("document", "true"),
        ("document", "NaN"),
        ("document", "[NaN]"),
        ("document", '{"a": [1e400]}'),
        ("document", f"[{'9' * 400}]"),
        ("document", '["\\u0000"]'),
        ("document", '{"a": {"b\\u0000": 1}}'),
        ("document", '["\\ud800"]'),
        ("texts", '["a", null]'),
        ("texts", '["a", ""]'),
        ("texts", '["\\u0000"]'),
        ("texts", '"a"'),
        ("texts", '{"a": 1}'),
        ("texts", f"[{', '.join(['"a"'] * (MAX_ELEMENTS + 1))}]"),
        ("ids", "[null]"),
        ("days", "[7]"),
        ("amounts", "[1.555]"),
    ],
)
def test_refuses(field: str, json: str) -> None:
    with pytest.raises(ValidationError):
        Sample.model_validate_json(f'{{"{field}": {json}}}')


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("day", datetime(2026, 1, 5, tzinfo=UTC)),
        ("clock", time(1, tzinfo=UTC)),
        ("real", math.nan),
        ("url", "http://example.com/\ud800"),
        ("document", {1: 2}),
        ("document", [{"a": {1: 2}}]),
        ("document", ["\ud800"]),
        ("document", {"\udfff": 1}),
        ("document", [date(2026, 1, 5)]),
        ("document", [(1, 2)]),
        ("document", [-math.inf]),
    ],
)
def test_refuses_of_python(field: str, value: Any) -> None:
    with pytest.raises(ValidationError):
        Sample.model_validate({field: value})


@pytest.mark.parametrize(
    ("digits", "right", "wrong"),
    [
        (Digits(2, 2), ["0", "0.99", "-.5", "0.500"], ["", "1", "0.555", "."]),
        (Digits(3, 0), ["0", "-999", "1.0", "007"], ["", "1000", "1.5", "."]),
        (Digits(3, 1, ge=0), ["+12.5", ".5", "7."], ["-1", "100", "1.55", "1_0"]),
    ],
)
def test_the_digits_of_a_decimal_are_documented(
    digits: Digits, right: list[str], wrong: list[str]
) -> None:
    decimal = TypeAdapter[Decimal](Annotated[Decimal, digits])
    pattern = re.compile(decimal.json_schema()["anyOf"][1]["pattern"], re.ASCII)
    for text in right:
        assert pattern.search(text)
        assert decimal.validate_python(text) == Decimal(text)
    for text in wrong:
        assert not pattern.search(text)
        with pytest.raises(ValidationError):
            decimal.validate_python(text)


def test_a_decimal_has_no_more_characters_than_documented() -> None:
    decimal = TypeAdapter[Decimal](Annotated[Decimal, Digits(12, 2)])
    longest = decimal.json_schema()["anyOf"][1]["maxLength"]
    assert decimal.validate_python("1".zfill(longest - 3) + ".00") == 1
    with pytest.raises(ValidationError):
        decimal.validate_python("1".zfill(longest - 2) + ".00")


@given(st.text(LETTERS, max_size=30), st.text(LETTERS, max_size=4))
@settings(derandomize=True, deadline=None, max_examples=300)  # a busy machine may take long
def test_the_normal_form_of_an_address_is_its_own(local: str, domain: str) -> None:
    address = TypeAdapter[str](Email)
    try:
        normal = address.validate_python(f"a{local}@a{domain}.com")
    except ValidationError:
        return
    assert address.validate_python(normal) == normal


def test_a_document_is_one_value_with_one_error() -> None:
    with pytest.raises(ValidationError) as raised:
        Sample.model_validate_json('{"document": 7}')
    assert [each["loc"] for each in raised.value.errors()] == [("document",)]


def test_a_document_may_be_as_deep_as_the_parser_allows() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    assert TypeAdapter[Any](Json).validate_python(deep) is not None
    while deep:  # unwound by hand: its end would be too deep for the interpreter
        deep = deep[0]


@pytest.mark.parametrize(
    ("kind", "texts", "values"),
    [
        (Integer, ["1", "-2"], [1, -2]),
        (BigInteger, [f"{INT8_MAX}"], [INT8_MAX]),
        (Real, ["1", "-1.5e3"], [1.0, -1500.0]),
        (Number, ["1.50"], [Decimal("1.50")]),
        (Day, ["2026-01-05"], [date(2026, 1, 5)]),
        (TimeOfDay, ["09:05"], [time(9, 5)]),
        (Timestamp, ["2026-01-05T12:00:00Z"], [datetime(2026, 1, 5, 12, tzinfo=UTC)]),
        (Id, [ID], [UUID(ID)]),
        (Url, ["http://example.com/a;b"], ["http://example.com/a;b"]),
    ],
)
def test_parameters_come_as_text(kind: Any, texts: list[str], values: list[Any]) -> None:
    class Parameters(BaseModel):
        one: kind | None = None
        many: Values[kind] = None

    found = Parameters.model_validate({"one": texts[0], "many": texts})
    assert (found.one, found.many) == (values[0], values)
    for wrong in ("", "x", "nan", "inf", "1_", "9" * 400, "\0", "2026-01-05T12:00:00"):
        with pytest.raises(ValidationError):
            Parameters.model_validate({"one": wrong})


@pytest.mark.parametrize(
    ("kind", "documented"),
    [
        (BigInteger, {"type": "integer", "minimum": INT8_MIN, "maximum": INT8_MAX}),
        (Real, {"type": "number"}),
        (Day, {"type": "string", "format": "date"}),
        (TimeOfDay, LOCAL_TIME),
        (Url, {"type": "string", "format": "uri", "maxLength": MAX_URL}),
        (Json, {"anyOf": [{"type": "object"}, {"type": "array", "items": {}, **ELEMENTS}]}),
        (Array[Integer], {"type": "array", "maxItems": MAX_ELEMENTS}),
    ],
)
def test_is_documented(kind: Any, documented: dict[str, Any]) -> None:
    assert TypeAdapter[Any](kind).json_schema().items() >= documented.items()
