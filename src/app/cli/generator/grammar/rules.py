"""Rules for one field: what else can be wrong when its name and its form are right."""

import re
from collections.abc import Iterator
from decimal import Decimal

from app.cli.generator.grammar import names
from app.cli.generator.grammar.kinds import KINDS, MAX_ELEMENTS, MAX_TEXT, ON_DELETE
from app.cli.generator.grammar.spec import FieldSpec

SENSELESS = {
    "search": {*KINDS} - {name for name, kind in KINDS.items() if kind.searchable},
    "unique": {"text", "bool", "enum", "float", "json", "array"},
    "index": {"text", "json", "array"},
}
MAX_DIGITS = 38  # of a filter's number
ROLES = {"create", "filter", "read", "repository", "service", "update"}  # InvoiceFilter, …


def _wrong_flags(each: FieldSpec) -> Iterator[str]:
    for flag in SENSELESS.keys() & each.flags.keys():
        if each.kind.name in SENSELESS[flag]:
            yield f"{flag} makes no sense for {each.kind.name}"
    if each.has("unique") and each.nullable:
        yield "a unique field cannot be null"
    if each.has("hidden") and each.has("readonly"):
        yield "a field that is hidden and readonly is in no request and no answer"
    if each.has("hidden") and each.has("search"):
        yield "a hidden field cannot be searched: a search would reveal it"
    if each.has("hidden") and each.has("unique"):
        yield "a hidden field cannot be unique: a conflict would reveal it"
    if each.has("readonly") and not (each.nullable or each.has("default")):
        yield "a readonly field needs null or a default"


def _wrong_argument(each: FieldSpec) -> Iterator[str]:
    if each.kind.name == "enum":
        values = each.argument.split("/")
        if len({names.constant(value) for value in values}) < len(values):
            yield "the words of an enum must differ in more than case and punctuation"
        if each.name in ROLES:
            yield f"an enum cannot be called {each.name}: use {each.name}_kind"
    if each.kind.name == "decimal" and each.argument:
        precision, scale = map(int, each.argument.split("."))
        if not scale <= precision <= MAX_DIGITS:
            yield f"a decimal has up to {MAX_DIGITS} digits, and no more than that after the point"
    if each.kind.name == "str" and int(each.argument) > MAX_TEXT:
        yield f"a str has up to {MAX_TEXT} characters"


def _wrong_rule(each: FieldSpec) -> Iterator[str]:
    rule = each.flags.get("ondelete")
    if rule is None:
        return
    if each.kind.name != "ref":
        yield "only a ref can have ondelete"
    elif rule not in ON_DELETE:
        yield f"no rule ondelete={rule}; {names.suggest(rule, ON_DELETE)}"
    elif rule == "setnull" and not each.nullable:
        yield "ondelete=setnull needs null"


def _wrong_bounds(each: FieldSpec) -> Iterator[str]:
    for flag in {"min", "max"} & each.flags.keys():
        text = each.flags[flag]
        if not each.kind.sized:
            yield f"{flag} makes no sense for {each.kind.name}"
        elif _bound(each, text) is None:
            yield f"{flag}={text} is not a valid {each.kind.sized} for {each.kind.name}"
        elif not _fits(each, text):
            yield f"{flag}={text} has more digits than {each.kind.name}:{each.argument}"
    low, high = bounds(each)
    if low is not None and high is not None and low > high:
        yield "min is greater than max"


def _wrong_default(each: FieldSpec) -> Iterator[str]:
    text = each.flags.get("default")
    if not text:
        return
    if each.has("unique"):
        yield "a unique field cannot have a default"
    if each.kind.name == "enum":
        values = each.argument.split("/")
        if text not in values:
            yield f"default={text} is not a word of the enum; {names.suggest(text, values)}"
    elif each.kind.literal is None:
        yield f"default makes no sense for {each.kind.name}"
    elif each.kind.literal(text) is None:
        yield f"default={text} is not a valid {each.kind.name}"
    elif not _fits(each, text):
        yield f"default={text} has more digits than {each.kind.name}:{each.argument}"
    elif each.kind.sized:
        low, high = bounds(each)
        size = _bound(each, text) if each.kind.sized == "value" else Decimal(len(text))
        if size is None or (low is not None and size < low) or (high is not None and size > high):
            yield f"default={text} is out of bounds"


CHECKS = (_wrong_flags, _wrong_argument, _wrong_rule, _wrong_bounds, _wrong_default)


def bounds(each: FieldSpec) -> tuple[Decimal | None, Decimal | None]:
    """The least and the greatest value, or number of characters or elements."""
    low, high = (
        _bound(each, each.flags[flag]) if flag in each.flags else None for flag in ("min", "max")
    )
    if each.kind.name == "decimal" and high is None and each.argument:
        precision, scale = map(int, each.argument.split("."))
        high = Decimal((0, (9,) * precision, -scale))
    if each.kind.name == "str" and each.argument:
        high = min(high or Decimal(MAX_TEXT), Decimal(each.argument))
    return low, high


def _fits(each: FieldSpec, text: str) -> bool:
    """Whether a decimal has the digits for a number."""
    if each.kind.name != "decimal" or not each.argument:
        return True
    precision, scale = map(int, each.argument.split("."))
    whole, _, fraction = text.lstrip("-").partition(".")
    return len(whole.lstrip("0")) <= precision - scale and len(fraction) <= scale


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
