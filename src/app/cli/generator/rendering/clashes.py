"""Names of an entity that clash with what its files import, or are too long for PostgreSQL."""

import keyword
from collections.abc import Iterator

from sqlalchemy.dialects.postgresql.base import RESERVED_WORDS

from app.cli.generator.grammar.names import camel
from app.cli.generator.grammar.reserved import is_keyword, wrong_form
from app.cli.generator.rendering.entity_source import EntitySource
from app.cli.generator.rendering.templates import imported

MAX_IDENTIFIER = 63  # bytes, of PostgreSQL's names
ARGUMENTS = {"data", "filters"}  # of the routes; another one is the service, named by the plural
ENTITY_TEMPLATES = [
    f"entity/{name}.py.jinja" for name in ("models", "filters", "dependencies", "router")
]


def wrong_with_entity(name: str) -> str | None:
    """Why an entity cannot have this name, and which to use instead; None if it can."""
    instead = f"use {name}_record"
    if form := wrong_form(name):
        return form
    if is_keyword(name):
        return f"is a word of Python: {instead}"
    if any(camel(name) in imported(template) for template in ENTITY_TEMPLATES):
        return f"is a class that its files import: {instead}"
    if name.startswith("test_") or name == "test":
        return "is what pytest takes for a test: choose another first word"
    return None


def wrong_with_plural(name: str) -> str | None:
    if form := wrong_form(name):
        return form
    taken = imported("entity/dependencies.py.jinja") | imported("entity/router.py.jinja")
    if keyword.iskeyword(name) or name in ARGUMENTS or camel(name) in taken:
        return "is a name that its files use: give another one with --plural"
    if name in RESERVED_WORDS:
        return "is a word of SQL: give another one with --plural"
    if name.startswith("test_"):
        return "is how tests name tables of their own: give another one with --plural"
    return None


def wrong_with_fields(entity: EntitySource) -> list[str]:
    """What is wrong with the names that are made of the entity's name and its fields' names."""
    return [*_repeated_types(entity), *_too_long_names(entity)]


def _repeated_types(entity: EntitySource) -> Iterator[str]:
    """Fields whose types would have a name that is taken."""
    taken: dict[str, str] = {}
    for each in entity.fields:
        if each.own_type is None:
            continue
        files = ("models", "schemas", "filters") if each.enum else ("schemas",)
        other = taken.setdefault(each.own_type, each.name)
        if other != each.name:
            yield f"{each.name}: its type would be called {each.own_type}, as that of {other} is"
        if any(each.own_type in imported(f"entity/{file}.py.jinja") for file in files):
            yield f"{each.name}: its type would be called {each.own_type}, as an import is"


def _too_long_names(entity: EntitySource) -> list[str]:
    """Constraints and indexes whose names PostgreSQL would cut off."""
    indexes = [f"ix_{entity.plural}_{_joined(columns)}" for columns in entity.indexes]
    uniques = [f"uq_{entity.plural}_{_joined(columns)}" for columns in entity.uniques]
    keys = [f"fk_{entity.plural}_{each.name}" for each in entity.fields]
    return [
        f"{name}: has {len(name)} characters, and PostgreSQL takes {MAX_IDENTIFIER}; "
        "choose a shorter name for the entity or the field"
        for name in [*indexes, f"{indexes[0]}_deleted", *uniques, *keys]
        if len(name) > MAX_IDENTIFIER
    ]


def _joined(columns: str) -> str:
    return columns.replace('"', "").replace(", ", "_")
