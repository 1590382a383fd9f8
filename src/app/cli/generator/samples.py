"""Values for the tests of a new entity, within the bounds of each field."""

from decimal import Decimal

from app.cli.generator.kinds import Kind
from app.cli.generator.spec import FieldSpec, bounds

ID = "0198f3c2-0000-7000-8000-000000000000"
CONSTANT = {
    "bool": ("True", "False"),
    "date": ('"2026-01-05"', '"2026-02-06"'),
    "datetime": ('"2026-01-05T12:00:00Z"', '"2026-02-06T12:00:00Z"'),
    "time": ('"12:00:00"', '"13:30:00"'),
    "uuid": ("str(uuid4())", "str(uuid4())"),
    "json": ('{"a": [1, None]}', '{"b": {}}'),
    "email": ('"ada@example.com"', '"bob@example.com"'),
    "url": ('"https://example.com/a"', '"https://example.com/b"'),
}
NUMBERED = {
    "email": 'f"ada{n}@example.com"',
    "url": 'f"https://example.com/{n}"',
    "date": 'f"2026-{n // 28 % 12 + 1:02}-{n % 28 + 1:02}"',
    "datetime": 'f"2026-01-01T00:{n // 60 % 60:02}:{n % 60:02}Z"',
    "time": 'f"00:{n // 60 % 60:02}:{n % 60:02}"',
}


def example(spec: FieldSpec, *, other: bool = False) -> object:
    """A value to show; an id stands for one that has to be filled in."""
    if spec.kind.name == "ref":
        return ID
    source = sample(spec, other=other)
    return eval(source, {"n": 1, "uuid4": lambda: ID})  # noqa: S307 - of our own making


def sample(spec: FieldSpec, *, other: bool = False) -> str:
    """A value as JSON in Python; one that is unique has the variable `n` in it."""
    if spec.kind.name == "enum":
        values = spec.argument.split("/")
        return f'"{values[-1] if other else values[0]}"'
    if spec.of is not None:
        least = int(spec.flags.get("min", 1))
        element = sample(FieldSpec(spec.text, spec.name, spec.of, spec.argument), other=other)
        return f"[{', '.join([element] * max(least, 1))}]"
    if spec.has("unique") and not other and spec.kind.name in NUMBERED:
        return NUMBERED[spec.kind.name]
    if spec.kind.name in CONSTANT:
        bound = spec.flags.get("min", spec.flags.get("max"))
        return f'"{bound}"' if bound else CONSTANT[spec.kind.name][other]
    low, high = bounds(spec)
    if spec.kind.sized == "length":
        return _text(spec, int(low or 1), int(high or 100), other=other)
    return _number(spec.kind, low, high, unique=spec.has("unique") and not other, other=other)


def _text(spec: FieldSpec, low: int, high: int, *, other: bool) -> str:
    word = ("other " if other else "") + spec.name.replace("_", " ")
    if spec.has("unique") and not other:
        stem = word.upper()[: max(high - 4, 0)]
        width = max(low - len(stem), 0) or ""
        return f'f"{stem}{{n{f":0{width}" if width else ""}}}"'
    return f'"{word[:high].strip().ljust(low, "x")}"'


def _number(
    kind: Kind, low: Decimal | None, high: Decimal | None, *, unique: bool, other: bool
) -> str:
    least = low if low is not None else min(Decimal(1), high if high is not None else Decimal(1))
    value = least + 1 if other and (high is None or least + 1 <= high) else least
    if kind.name == "decimal":
        return f'f"{{{value} + n}}"' if unique else f'"{value}"'
    return f"{value} + n" if unique else str(value)
