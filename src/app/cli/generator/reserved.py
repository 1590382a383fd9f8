"""Which names are taken, and what would do instead."""

import keyword

from pydantic import BaseModel
from sqlalchemy.dialects.postgresql.base import RESERVED_WORDS

from app.cli.generator.names import MAX_NAME, NAME, camel, snake
from app.cli.generator.templates import imported
from app.core.filters import Filter
from app.core.models import Entity, Owned

LIST_PARAMETERS = {"page", "size", "cursor", "total", "search", "order_by", "deleted"}
# Of the classes that a field becomes an attribute of, or a type that stands in their annotations.
_ATTRIBUTES = {
    name for kind in (Entity, Owned, BaseModel, Filter) for name in (*dir(kind), *vars(kind))
}
_TYPES = {"bool", "date", "datetime", "float", "int", "list", "str", "time"}
FIELD_NAMES = _ATTRIBUTES | _TYPES | {"data", "id", "owner_id"}
# Arguments of the routes beside the service, which is called like the entities.
ARGUMENTS = {"data", "filters"}
ENTITY_TEMPLATES = [
    f"entity/{name}.py.jinja" for name in ("models", "filters", "dependencies", "router")
]


def wrong_with_field(name: str, entity: str) -> str | None:
    """Why a field cannot be called so, with a name that would do."""
    instead = f"{snake(entity)}_{name} would do"
    if form := _wrong_form(name):
        return form
    reasons = {
        "is a word of Python": _is_keyword(name),
        "looks like a 1": name == "l",
        "is a parameter of every list": name in LIST_PARAMETERS,
        "is taken by what every entity has": name in FIELD_NAMES or name.startswith("model_"),
        "is a word of SQL": name in RESERVED_WORDS,
    }
    return next((f"{reason}: {instead}" for reason, holds in reasons.items() if holds), None)


def wrong_with_entity(name: str) -> str | None:
    instead = f"{name}_record would do"
    if form := _wrong_form(name):
        return form
    if _is_keyword(name):
        return f"is a word of Python: {instead}"
    if any(camel(name) in imported(template) for template in ENTITY_TEMPLATES):
        return f"is a class that its files import: {instead}"
    if name.startswith("test_") or name == "test":
        return "is what pytest takes for a test: another first word would do"
    return None


def wrong_with_plural(name: str) -> str | None:
    if form := _wrong_form(name):
        return form
    taken = imported("entity/dependencies.py.jinja") | imported("entity/router.py.jinja")
    if keyword.iskeyword(name) or name in ARGUMENTS or camel(name) in taken:
        return "is a name that its files use: give another one by --plural"
    if name in RESERVED_WORDS:
        return "is a word of SQL: give another one by --plural"
    if name.startswith("test_"):
        return "is how tests call tables of their own: give another one by --plural"
    return None


def _is_keyword(name: str) -> bool:
    """Or the class that is called so."""
    return keyword.iskeyword(name) or keyword.iskeyword(camel(name))


def _wrong_form(name: str) -> str | None:
    if NAME.fullmatch(name) and len(name) <= MAX_NAME:
        return None
    return (
        f"must be up to {MAX_NAME} lower case letters, as words joined by _: {snake(name)} would do"
    )
