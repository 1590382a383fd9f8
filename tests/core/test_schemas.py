from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

import pytest
from pydantic import Field, ValidationError

from app.core.schemas import Digits, Email, Id, Schema, Text, Timestamp

ID = "0198f3c2-0000-7000-8000-000000000000"


class Sample(Schema):
    """Each of our own types, as a body has them: strict, and read from JSON."""

    id: Id | None = None
    at: Timestamp | None = None
    amount: Annotated[Decimal, Field(ge=0), Digits(4, 2)] | None = None
    text: Text | None = None
    email: Email | None = None


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
        ("text", '"\u00e9\U0001f600"', "\u00e9\U0001f600"),
        ("email", '"Ada@Example.COM"', "ada@example.com"),
        ("email", '"ada@intranet"', "ada@intranet"),
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
        ("amount", "true"),
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
    ],
)
def test_refuses(field: str, json: str) -> None:
    with pytest.raises(ValidationError):
        Sample.model_validate_json(f'{{"{field}": {json}}}')
