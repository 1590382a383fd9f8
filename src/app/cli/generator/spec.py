"""Reads a line such as `number:str:32:unique`, and finds all that is wrong with it at once."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from app.cli.generator import names
from app.cli.generator.kinds import (
    ELEMENTS,
    FLAGS,
    KINDS,
    MAX_ELEMENTS,
    MAX_TEXT,
    ON_DELETE,
    VALUED,
    Kind,
)

SAFE = re.compile(r"[A-Za-z0-9_:=./-]+")
SENSELESS = {
    "search": {*KINDS} - {name for name, kind in KINDS.items() if kind.searchable},
    "unique": {"text", "bool", "enum", "float", "json", "array"},
    "index": {"text", "json", "array"},
}

MAX_DIGITS = 38  # that a filter's number can have

CLOCK = re.compile(r"\d\d(\.\d+)?(Z|[-+]\d\d)?")


class SpecError(Exception):
    """Nothing was written; `problems` has all that is wrong."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(problems))


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One field as the line says it. `of` is the type of an array's elements."""

    text: str
    name: str
    kind: Kind
    argument: str = ""
    of: Kind | None = None
    flags: dict[str, str] = field(default_factory=dict)

    @property
    def column(self) -> str:
        return f"{self.name}_id" if self.kind.name == "ref" else self.name

    @property
    def nullable(self) -> bool:
        return "null" in self.flags

    def has(self, flag: str) -> bool:
        return flag in self.flags


@dataclass(frozen=True, slots=True)
class EntitySpec:
    name: str
    plural: str
    fields: tuple[FieldSpec, ...]
    owned: bool = False
    public: bool = False
    key: str | None = None

    @property
    def natural_key(self) -> FieldSpec | None:
        unique = [each for each in self.fields if each.has("unique")]
        chosen = [each for each in unique if self.key in {each.name, each.column}]
        return next(iter(chosen or unique), None)


def parse_fields(texts: Iterable[str], entity: str, targets: dict[str, str]) -> list[FieldSpec]:
    """The fields of an entity; `targets` are the plurals of the entities one may refer to.

    Raises SpecError.
    """
    problems: list[str] = []
    fields: list[FieldSpec] = []
    for text in texts:
        found = _parse(text, problems)
        if found is None:
            continue
        fields.append(found)
        if reason := names.wrong_with_field(found.name, entity):
            problems.append(f"{text}: {found.name} {reason}")
        if found.kind.name == "ref" and found.argument == entity and not found.nullable:
            problems.append(f"{text}: the first {entity} has none to refer to: it needs null")
        if found.kind.name == "ref" and found.argument not in {"", entity, *targets}:
            hint = names.nearest(found.argument, targets)
            problems.append(f"{text}: no entity {found.argument}; {hint}")
        problems += [f"{text}: {message}" for check in CHECKS for message in check(found)]
    counted = Counter(each.column for each in fields)
    problems += [f"{name}: is there {times} times" for name, times in counted.items() if times > 1]
    if problems:
        raise SpecError(problems)
    return fields


def check_key(spec: EntitySpec) -> list[str]:
    unique = [each.name for each in spec.fields if each.has("unique")]
    if spec.key is None or spec.key in unique:
        return []
    hint = names.nearest(spec.key, unique) if unique else "no field is"
    return [f"--key {spec.key}: must be a unique field; {hint}"]


def _parse(text: str, problems: list[str]) -> FieldSpec | None:
    if not SAFE.fullmatch(text):
        problems.append(f"{text}: may hold letters, digits and _ : = . / - only")
        return None
    name, _, rest = text.partition(":")
    parts = rest.split(":") if rest else []
    if not parts:
        problems.append(f"{text}: needs a type, such as {name}:str")
        return None
    kind = KINDS.get(parts[0])
    if kind is None:
        problems.append(f"{text}: no type {parts[0]}; {names.nearest(parts[0], KINDS)}")
        return None
    parts = parts[1:]
    of = None
    if kind.name == "array":
        of = KINDS.get(parts[0]) if parts and parts[0] in ELEMENTS else None
        if of is None:
            given = parts[0] if parts else ""
            problems.append(
                f"{text}: no array of {given or 'nothing'}; {names.nearest(given, ELEMENTS)}"
            )
            return None
        parts = parts[1:]
    argument = _argument(text, of or kind, parts, problems)
    flags = _flags(text, of or kind, parts, problems)
    return FieldSpec(text, name, kind, argument, of, flags)


def _argument(text: str, kind: Kind, parts: list[str], problems: list[str]) -> str:
    """Take the argument from the parts, if there is one."""
    if not kind.argument:
        return ""
    if parts and re.fullmatch(kind.argument, parts[0]) and (kind.required or parts[0] not in FLAGS):
        return parts.pop(0)
    looks_like_one = parts and parts[0].partition("=")[0] not in FLAGS
    if kind.required or (looks_like_one and parts[0][0].isdigit()):
        given = parts.pop(0) if looks_like_one else ""
        example = {"decimal": "12.2", "enum": "draft/sent", "ref": "customer"}.get(kind.name, "32")
        wrong = (
            f"{given} is no argument of {kind.name}" if given else f"{kind.name} needs an argument"
        )
        problems.append(f"{text}: {wrong}; such as {kind.name}:{example}")
    return kind.default_argument


def _flags(text: str, kind: Kind, parts: list[str], problems: list[str]) -> dict[str, str]:
    flags: dict[str, str] = {}
    while parts:
        flag, equals, value = parts.pop(0).partition("=")
        if kind.name in {"time", "datetime"} and equals:
            while parts and CLOCK.fullmatch(parts[0]):
                value += f":{parts.pop(0)}"
        if flag not in FLAGS:
            problems.append(f"{text}: no flag {flag or '(empty)'}; {names.nearest(flag, FLAGS)}")
        elif flag in flags:
            problems.append(f"{text}: {flag} is there twice")
        elif (flag in VALUED) != bool(equals and value):
            form = f"{flag}=VALUE" if flag in VALUED else flag
            problems.append(f"{text}: {flag} is written {form}")
        flags[flag] = value
    return flags


def _wrong_name(each: FieldSpec) -> Iterator[str]:
    for flag in SENSELESS.keys() & each.flags.keys():
        if each.kind.name in SENSELESS[flag]:
            yield f"{flag} makes no sense for {each.kind.name}"
    if each.has("unique") and each.nullable:
        yield "what is unique cannot be null"
    if each.has("hidden") and each.has("readonly"):
        yield "hidden and readonly leave nothing of it"
    if each.has("hidden") and each.has("search"):
        yield "a search would show what is hidden"
    if each.has("readonly") and not (each.nullable or each.has("default")):
        yield "readonly needs null or a default"


def _wrong_argument(each: FieldSpec) -> Iterator[str]:
    if each.kind.name == "enum":
        values = each.argument.split("/")
        if len({value.lower() for value in values}) < len(values):
            yield "the words of an enum must differ"
    if each.kind.name == "decimal" and each.argument:
        precision, scale = map(int, each.argument.split("."))
        if not scale <= precision <= MAX_DIGITS:
            yield f"a decimal has up to {MAX_DIGITS} digits, and not more of them after the point"
    if each.kind.name == "str" and int(each.argument) > MAX_TEXT:
        yield f"a str has up to {MAX_TEXT} characters"


def _wrong_rule(each: FieldSpec) -> Iterator[str]:
    rule = each.flags.get("ondelete")
    if rule is None:
        return
    if each.kind.name != "ref":
        yield "ondelete is for a ref"
    elif rule not in ON_DELETE:
        yield f"no rule ondelete={rule}; {names.nearest(rule, ON_DELETE)}"
    elif rule == "setnull" and not each.nullable:
        yield "ondelete=setnull needs null"


def _wrong_bounds(each: FieldSpec) -> Iterator[str]:
    for flag in {"min", "max"} & each.flags.keys():
        text = each.flags[flag]
        if not each.kind.sized:
            yield f"{flag} makes no sense for {each.kind.name}"
        elif _bound(each, text) is None:
            yield f"{flag}={text} is no {each.kind.sized} of {each.kind.name}"
    low, high = bounds(each)
    if low is not None and high is not None and low > high:
        yield "min is greater than max"


def _wrong_default(each: FieldSpec) -> Iterator[str]:
    text = each.flags.get("default")
    if not text:
        return
    if each.has("unique"):
        yield "what is unique cannot have a default"
    if each.kind.name == "enum":
        values = each.argument.split("/")
        if text not in values:
            yield f"default={text} is no word of the enum; {names.nearest(text, values)}"
    elif each.kind.literal is None or each.kind.literal(text) is None:
        yield f"default={text} is no {each.kind.name}"
    elif each.kind.sized:
        low, high = bounds(each)
        size = _bound(each, text) if each.kind.sized == "value" else Decimal(len(text))
        if size is None or (low is not None and size < low) or (high is not None and size > high):
            yield f"default={text} is out of bounds"


CHECKS = (_wrong_name, _wrong_argument, _wrong_rule, _wrong_bounds, _wrong_default)


def bounds(each: FieldSpec) -> tuple[Decimal | None, Decimal | None]:
    """The least and the greatest value, or number of characters or elements."""
    low, high = (
        _bound(each, each.flags[flag]) if flag in each.flags else None for flag in ("min", "max")
    )
    if each.kind.name == "str" and each.argument:
        high = min(high or Decimal(MAX_TEXT), Decimal(each.argument))
    return low, high


def _bound(each: FieldSpec, text: str) -> Decimal | None:
    """A value, or a number of characters or elements, as a number that can be compared."""
    if each.kind.sized != "value":
        greatest = MAX_ELEMENTS if each.of else MAX_TEXT
        return Decimal(text) if text.isdigit() and int(text) <= greatest else None
    if each.kind.literal is None or each.kind.literal(text) is None:
        return None
    if each.kind.name in {"date", "datetime", "time"}:
        return Decimal(re.sub(r"\D", "", text[:19]).ljust(14, "0"))
    return Decimal(text)
