"""Which names a field cannot have, and what would do instead."""

import keyword

from pydantic import BaseModel
from sqlalchemy.dialects.postgresql.base import RESERVED_WORDS

from app.cli.generator.grammar.names import MAX_NAME, NAME, camel, snake
from app.core.filters import Filter
from app.core.models import Entity, Owned

LIST_PARAMETERS = {"page", "size", "cursor", "total", "search", "order_by", "deleted"}
# Of the classes that a field becomes an attribute of, or a type that stands in their annotations.
_ATTRIBUTES = {
    name for kind in (Entity, Owned, BaseModel, Filter) for name in (*dir(kind), *vars(kind))
}
_TYPES = {"bool", "date", "datetime", "float", "int", "list", "str", "time"}
FIELD_NAMES = _ATTRIBUTES | _TYPES | {"data", "id", "owner_id"}


def wrong_with_field(name: str, entity: str) -> str | None:
    """Why a field cannot be called so, with a name that would do."""
    instead = f"{snake(entity)}_{name} would do"
    if form := wrong_form(name):
        return form
    reasons = {
        "is a word of Python": is_keyword(name),
        "looks like a 1": name == "l",
        "is a parameter of every list": name in LIST_PARAMETERS,
        "is taken by what every entity has": name in FIELD_NAMES or name.startswith("model_"),
        "is a word of SQL": name in RESERVED_WORDS,
    }
    return next((f"{reason}: {instead}" for reason, holds in reasons.items() if holds), None)


def is_keyword(name: str) -> bool:
    """Or the class that is called so."""
    return keyword.iskeyword(name) or keyword.iskeyword(camel(name))


def wrong_form(name: str) -> str | None:
    """Whether it is no name at all, of whatever it is the name."""
    if NAME.fullmatch(name) and len(name) <= MAX_NAME:
        return None
    return (
        f"must be up to {MAX_NAME} lower case letters, as words joined by _: {snake(name)} would do"
    )
