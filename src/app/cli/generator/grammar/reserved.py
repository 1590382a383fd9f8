"""Which names a field cannot have, and which to use instead."""

import keyword

from pydantic import BaseModel
from sqlalchemy.dialects.postgresql.base import RESERVED_WORDS

from app.cli.generator.grammar.names import MAX_NAME, NAME, camel, snake
from app.core.filters import Filter
from app.core.models import Entity, Owned

LIST_PARAMETERS = {"page", "size", "cursor", "total", "search", "order_by", "deleted"}
# A field becomes an attribute of these classes; their annotations use the types.
_ATTRIBUTES = {
    name for kind in (Entity, Owned, BaseModel, Filter) for name in (*dir(kind), *vars(kind))
}
_TYPES = {"bool", "date", "datetime", "float", "int", "list", "str", "time"}
FIELD_NAMES = _ATTRIBUTES | _TYPES | {"data", "id", "owner_id"}


def wrong_with_field(name: str, entity: str) -> str | None:
    """Why a field cannot have this name, and which to use instead; None if it can."""
    instead = f"use {snake(entity)}_{name}"
    if form := wrong_form(name):
        return form
    reasons = {
        "is a word of Python": is_keyword(name),
        "looks like the digit 1": name == "l",
        "is a parameter of every list": name in LIST_PARAMETERS,
        "is a name that every entity uses itself": name in FIELD_NAMES or name.startswith("model_"),
        "is a word of SQL": name in RESERVED_WORDS,
    }
    return next((f"{reason}: {instead}" for reason, holds in reasons.items() if holds), None)


def is_keyword(name: str) -> bool:
    """Whether Python reserves the name, or that of the class."""
    return keyword.iskeyword(name) or keyword.iskeyword(camel(name))


def wrong_form(name: str) -> str | None:
    """Why nothing can have this name; None if it has the right form."""
    if NAME.fullmatch(name) and len(name) <= MAX_NAME:
        return None
    return f"must be up to {MAX_NAME} lower case letters, digits and _, such as {snake(name)}"
