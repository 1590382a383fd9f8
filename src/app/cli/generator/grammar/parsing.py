"""Reads the fields of a line, and finds all that is wrong with them at once."""

import re
from collections import Counter
from collections.abc import Collection, Iterable

from app.cli.generator.grammar import names
from app.cli.generator.grammar.kinds import ELEMENTS, ELSEWHERE, FLAGS, KINDS, VALUED, Kind
from app.cli.generator.grammar.reserved import wrong_with_field
from app.cli.generator.grammar.rules import CHECKS
from app.cli.generator.grammar.spec import FieldSpec

SURE = 0.75  # how alike two names are where one is a typo of the other; user and customer are not
SAFE = re.compile(r"[A-Za-z0-9_:=./-]+")
WORDS = "each word is a letter, then up to 31 letters, digits and _ . -"
CLOCK = re.compile(r"\d\d(\.\d+)?(Z|[-+]\d\d)?")


def parse_fields(
    texts: Iterable[str], entity: str, targets: dict[str, str]
) -> tuple[list[FieldSpec], list[str]]:
    """The fields of an entity, and what is wrong with them.

    `targets` has the plurals of the entities that a field may refer to, by their names.
    """
    problems: list[str] = []
    fields: list[FieldSpec] = []
    for text in texts:
        wrong: list[str] = []
        name, _, rest = text.partition(":")
        name += "_id" if rest.startswith("ref:") else ""
        if reason := wrong_with_field(name, entity):
            wrong.append(f"{name or 'the name'} {reason}")
        if found := _parse(text, wrong):
            fields.append(found)
            wrong += _wrong_target(found, entity, targets) if found.kind.name == "ref" else []
            wrong += [message for check in CHECKS for message in check(found)]
        problems += [f"{text}: {message}" for message in wrong]
    counted = Counter(each.column for each in fields)
    problems += [f"{name}: is there {times} times" for name, times in counted.items() if times > 1]
    return fields, problems


def _wrong_target(found: FieldSpec, entity: str, targets: dict[str, str]) -> list[str]:
    if found.argument not in {"", entity, *targets}:
        near = names.nearest(found.argument, targets, SURE)
        hint = (
            names.hint(near, ()) if near else f"write it with `app new entity {found.argument} …`"
        )
        return [f"no entity {found.argument}; {hint}"]
    if found.argument == entity and not found.nullable:
        return [f"needs null: the first {entity} has no other to refer to"]
    return []


def _parse(text: str, problems: list[str]) -> FieldSpec | None:
    """The field, or None if the text cannot be read. Adds what is wrong to the problems."""
    if not SAFE.fullmatch(text):
        problems.append("may hold letters, digits and _ : = . / - only")
        return None
    name, _, rest = text.partition(":")
    parts = rest.split(":")
    if not parts[0]:
        problems.append(f"needs a type, such as {name}:str")
        return None
    kind = KINDS.get(parts[0])
    if kind is None:
        instead = _nearest_type(parts[0], KINDS)
        problems.append(f"no type {parts[0]}; {names.hint(instead, KINDS)}")
        if instead is None:
            return None
        kind = KINDS[instead]  # and find what else is wrong
    parts = parts[1:]
    of = None
    if kind.name == "array":
        of = KINDS.get(parts[0]) if parts and parts[0] in ELEMENTS else None
        if of is None:
            given = parts[0] if parts else ""
            instead = _nearest_type(given, ELEMENTS)
            problems.append(f"no array of {given or 'nothing'}; {names.hint(instead, ELEMENTS)}")
            return None
        parts = parts[1:]
    argument = _argument(of or kind, parts, problems)
    flags = _flags(of or kind, parts, problems)
    return FieldSpec(text, name, kind, argument, of, flags)


def _nearest_type(name: str, valid: Collection[str]) -> str | None:
    elsewhere = ELSEWHERE.get(name.lower())
    return elsewhere if elsewhere in valid else names.nearest(name, valid)


def _argument(kind: Kind, parts: list[str], problems: list[str]) -> str:
    """Take the argument from the parts, if there is one."""
    if not kind.argument:
        return ""
    if parts and re.fullmatch(kind.argument, parts[0]) and (kind.required or parts[0] not in FLAGS):
        return parts.pop(0)
    looks_like_one = parts and parts[0].partition("=")[0] not in FLAGS
    if kind.required or (looks_like_one and parts[0][:1].isdigit()):
        given = parts.pop(0) if looks_like_one else ""
        example = {"decimal": "12.2", "enum": "draft/sent", "ref": "customer"}.get(kind.name, "32")
        wrong = (
            f"{given} is not a valid argument of {kind.name}"
            if given
            else f"{kind.name} needs an argument"
        )
        form = f": {WORDS}" if kind.name == "enum" and given else ""
        problems.append(f"{wrong}{form}, such as {kind.name}:{example}")
    return kind.default_argument


def _flags(kind: Kind, parts: list[str], problems: list[str]) -> dict[str, str]:
    flags: dict[str, str] = {}
    while parts:
        flag, equals, value = parts.pop(0).partition("=")
        if kind.name in {"time", "datetime"} and equals:
            while parts and CLOCK.fullmatch(parts[0]):
                value += f":{parts.pop(0)}"
        if not flag:
            problems.append("there is nothing after one of its colons")
        elif flag.isdigit():
            problems.append(f"{kind.name} takes no number; use max={flag}")
        elif flag not in FLAGS:
            problems.append(f"no flag {flag}; {names.suggest(flag, FLAGS)}")
        elif flag in flags:
            problems.append(f"{flag} is given twice")
        elif (flag in VALUED) != bool(equals and value):
            form = f"{flag}=VALUE" if flag in VALUED else flag
            problems.append(f"write {form}, not {flag}{equals}{value}")
        flags[flag] = value
    return flags
