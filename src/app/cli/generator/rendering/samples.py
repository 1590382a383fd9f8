"""Values for the tests and the documentation of an entity, within the bounds of each field."""

import json
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Any, Self

from app.cli.generator.grammar.rules import bounds
from app.cli.generator.grammar.spec import FieldSpec

ID = "0198f3c2-0000-7000-8000-000000000000"


LONG = 60  # characters; longer texts are written as an expression
EXACT = Context(prec=100)


@dataclass(frozen=True, slots=True)
class Sample:
    """A JSON value, and the Python that makes it; a unique one uses the variable `n`."""

    value: Any
    source: str

    @classmethod
    def of(cls, value: Any) -> Self:
        return cls(value, literal(value))


def literal(value: Any) -> str:
    """The Python of a sample's value."""
    if isinstance(value, list) and len(value) > 1 and value == value[:1] * len(value):
        return f"[{literal(value[0])}] * {len(value)}"
    if not isinstance(value, str):
        return repr(value)
    if len(value) > LONG:
        return f'{json.dumps(value.rstrip("x"))}.ljust({len(value)}, "x")'
    return json.dumps(value)


PLAIN: dict[str, tuple[Any, Any]] = {
    "bool": (True, False),
    "date": ("2026-01-05", "2026-02-06"),
    "datetime": ("2026-01-05T12:00:00Z", "2026-02-06T12:00:00Z"),
    "time": ("12:00:00", "13:30:00"),
    "json": ({"a": [1, None]}, {"b": {}}),
    "email": ("ada@example.com", "bob@example.com"),
    "url": ("https://example.com/a", "https://example.com/b"),
}
NUMBERED = {
    "email": Sample("ada1@example.com", 'f"ada{n}@example.com"'),
    "url": Sample("https://example.com/1", 'f"https://example.com/{n}"'),
    "date": Sample("2026-01-02", 'f"2026-{n // 28 % 12 + 1:02}-{n % 28 + 1:02}"'),
    "datetime": Sample("2026-01-01T00:00:01Z", 'f"2026-01-01T00:{n // 60 % 60:02}:{n % 60:02}Z"'),
    "time": Sample("00:00:01", 'f"00:{n // 60 % 60:02}:{n % 60:02}"'),
}


def sample(spec: FieldSpec, *, other: bool = False) -> Sample:
    """A value of the field, or the `other` one that a test changes it to."""
    kind = spec.kind.name
    if spec.of is not None:
        element = sample(FieldSpec(spec.text, spec.name, spec.of, spec.argument), other=other)
        times = max(int(spec.flags.get("min", 1)), 1)
        many = f" * {times}" if times > 1 else ""
        return Sample([element.value] * times, f"[{element.source}]{many}")
    if kind in {"ref", "uuid"}:
        return Sample(ID, "str(uuid4())")
    if kind == "enum":
        return Sample.of(spec.argument.split("/")[-1 if other else 0])
    numbered = spec.has("unique") and not other
    if numbered and kind in NUMBERED:
        return NUMBERED[kind]
    if kind in PLAIN:
        bound = spec.flags.get("min", spec.flags.get("max"))
        return Sample.of(bound or PLAIN[kind][other])
    return (
        _text(spec, numbered, other)
        if spec.kind.sized == "length"
        else _number(spec, numbered, other)
    )


def _text(spec: FieldSpec, numbered: bool, other: bool) -> Sample:  # noqa: FBT001
    low, high = (
        int(bound or default) for bound, default in zip(bounds(spec), (1, 100), strict=True)
    )
    word = ("other " if other else "") + spec.name.replace("_", " ")
    if not numbered:
        return Sample.of(word[:high].strip().ljust(low, "x"))
    stem = word.upper()[: max(high - 4, 0)]
    if low > LONG:
        return Sample(f"{stem}1".ljust(low, "x"), f'f"{stem}{{n}}".ljust({low}, "x")')
    width = max(low - len(stem), 0)
    return Sample(f"{stem}{1:0{width}}", f'f"{stem}{{n{f":0{width}" if width else ""}}}"')


def _number(spec: FieldSpec, numbered: bool, other: bool) -> Sample:  # noqa: FBT001
    low, high = bounds(spec)
    least = low if low is not None else min(Decimal(1), high if high is not None else Decimal(1))
    more = EXACT.add(least, Decimal(1))
    value = more if other and (high is None or more <= high) else least
    if spec.kind.name == "decimal":
        return Sample(str(value + 1), f'f"{{{value} + n}}"') if numbered else Sample.of(str(value))
    number = float(value) if spec.kind.name == "float" else int(value)
    return Sample(number + 1, f"{number} + n") if numbered else Sample.of(number)
