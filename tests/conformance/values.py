"""Values of a shape: as many as are wanted, those at its edges, and those it refuses."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from functools import cache
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.conformance.shapes import Shape
from tests.problems import CANARY

STRANGE = "\N{OCTOPUS}"  # one character, and two of UTF-16, and four bytes
SIZE = 10_000  # values of what has no bounds
EXAMPLES = 300  # looked at for those of a pattern

USUAL = {
    "date": date(2026, 1, 1).toordinal(),
    "date-time": int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()),
}
NUMBERED: dict[str, Callable[[int], Any]] = {
    "uuid": lambda n: str(UUID(int=n)),
    "email": lambda n: f"ab{n:04}@example.com",
    "uri": lambda n: f"https://example.com/{n:04}",
    "boolean": lambda n: n % 2 == 0,
    "object": lambda n: {"n": n, "nested": [None, True, {"text": f"{n}"}]},
}


def value(shape: Shape, n: int) -> Any:
    """The nth one; so many differ as the shape has room for."""
    if shape.choices:
        return shape.choices[n % len(shape.choices)]
    if shape.type in NUMBERED:
        return NUMBERED[shape.type](n)
    if shape.type == "array":
        assert shape.items is not None
        least, most = shape.low or 0, 2 if shape.high is None else shape.high
        return [value(shape.items, n + at) for at in range(max(least, min(2, most)))]
    if shape.type == "number":
        low, high = _range(shape)
        return low + (high - low) * (n % 1000 + 0.5) / 1000
    if shape.type == "text":
        return _text(shape, n)
    low, high = _range(shape)
    return spelled(shape, low + n % (high - low + 1))


def spelled(shape: Shape, ordinal: int) -> Any:
    """A value of a type whose values can be counted."""
    match shape.type:
        case "decimal":
            whole, part = divmod(abs(ordinal), 10**shape.scale)
            point = f".{part:0{shape.scale}}" if shape.scale else ""
            return f"{'-' * (ordinal < 0)}{whole}{point}"
        case "date":
            return str(date.fromordinal(ordinal))
        case "date-time":
            return f"{datetime.fromtimestamp(ordinal, UTC):%Y-%m-%dT%H:%M:%SZ}"
        case "time-local":
            return str(time(ordinal // 3600, ordinal // 60 % 60, ordinal % 60))
        case _:
            return ordinal


def edges(shape: Shape) -> list[Any]:
    """The extreme ones that are just taken."""
    bounds = [bound for bound in (shape.low, shape.high) if bound is not None]
    if shape.choices or shape.type == "boolean":
        return list(shape.choices) or [True, False]
    if shape.type == "array":
        assert shape.items is not None
        return [[value(shape.items, n) for n in range(size)] for size in bounds]
    if shape.type == "text":
        return [each * size for size in bounds for each in ("x", STRANGE)] if shape.free else []
    return [spelled(shape, bound) for bound in bounds]


def refused(shape: Shape) -> list[Any]:
    """Those just beyond, those of another type, and those meant to do harm; never null."""
    beyond = [
        (bound, step) for bound, step in ((shape.low, -1), (shape.high, 1)) if bound is not None
    ]
    if shape.type == "array":
        assert shape.items is not None
        sizes = [bound + step for bound, step in beyond if bound + step >= 0]
        wrong: list[Any] = [[each] * max(shape.low or 0, 1) for each in refused(shape.items)[:3]]
        return [CANARY, *wrong, *([value(shape.items, n) for n in range(size)] for size in sizes)]
    if shape.type in {"text", "email", "uri"}:
        sizes = [bound + step for bound, step in beyond if bound + step >= 0]
        texts = [f"{CANARY}\0", *("x" * size for size in sizes)]
        if shape.pattern:
            texts += [each for each in ("", CANARY) if not re.search(shape.pattern, each)]
        return [7, True, ["x"], {"x": CANARY}, *texts, *([] if shape.type == "text" else [CANARY])]
    return REFUSED[shape.type] + [spelled(shape, bound + step) for bound, step in beyond]


REFUSED: dict[str, list[Any]] = {
    "enum": [CANARY, "", 7, ["x"]],
    "boolean": [0, "true", CANARY, [True]],
    "integer": [10**30, "1", 1.5, True, CANARY, [1]],
    "number": ["1", True, CANARY, [1]],
    "decimal": [CANARY, "1_0", "NaN", "Infinity", "1e9999", f"0.{'0' * 40}1", True, ["1"]],
    "date": [CANARY, "2026-02-30", "2026-01-01T00:00:00Z", 0, True],
    "date-time": [CANARY, "2026-01-01T00:00:00", "2026-01-01", "1700000000", 0, True],
    "time-local": [CANARY, "25:00:00", "12:00:00+01:00", 0, True],
    "uuid": [CANARY, "0" * 32, f"{{{UUID(int=1)}}}", 0],
    "object": [CANARY, 7, True, {CANARY: "\0"}],
}


def _range(shape: Shape) -> tuple[int, int]:
    """The bounds of what is made: none is negative without need."""
    if shape.type == "time-local":
        return shape.low or 0, 86399 if shape.high is None else shape.high
    usual = USUAL.get(shape.type, 0)
    low, high = shape.low, shape.high
    if low is None or (low < usual and (high is None or high >= usual)):
        low = usual if high is None else min(usual, high)
    return low, low + SIZE if high is None else high


def _text(shape: Shape, n: int) -> str:
    least, most = shape.low or 0, 100 if shape.high is None else shape.high
    if shape.pattern:
        found = _matching(shape.pattern, least, most)
        return found[n % len(found)]
    width = min(max(least, 6), most)
    letters = "Ab" if width > 4 else ""
    digits = width - len(letters)
    return f"{letters}{n % 10**digits:0{digits}}"


@cache
def _matching(pattern: str, least: int, most: int) -> list[str]:
    """Texts that a pattern takes, as many as are found without much ado."""
    ascii_only = st.characters(min_codepoint=33, max_codepoint=126)
    found: set[str] = set()

    @settings(
        max_examples=EXAMPLES,
        phases=[Phase.generate],
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.from_regex(pattern, fullmatch=True, alphabet=ascii_only))
    def collect(text: str) -> None:
        if least <= len(text) <= most:
            found.add(text)

    collect()
    return sorted(found)
