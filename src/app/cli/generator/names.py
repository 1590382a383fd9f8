"""What things are called, and which names are taken."""

import builtins
import keyword
import re
from difflib import get_close_matches

from pydantic import BaseModel
from sqlalchemy.dialects.postgresql.base import RESERVED_WORDS

from app.core.filters import Filter
from app.core.models import Entity, Owned

NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
MAX_NAME = 40

LIST_PARAMETERS = {"page", "size", "cursor", "total", "search", "order_by", "deleted"}
# Of the classes that a field becomes an attribute of, or a name in their modules.
_ATTRIBUTES = {
    name for kind in (Entity, Owned, BaseModel, Filter) for name in (*dir(kind), *vars(kind))
}
_MODULES = {"date", "datetime", "time"}
FIELD_NAMES = LIST_PARAMETERS | _ATTRIBUTES | _MODULES | {"owner_id", "data", "id"}


def camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def words(name: str) -> str:
    return name.replace("_", " ")


def constant(value: str) -> str:
    """The name of an enum's member."""
    name = re.sub(r"[^A-Za-z0-9]+", "_", value).upper().strip("_")
    return f"{name}_" if keyword.iskeyword(name) or name.lower() == "mro" else name


def plural(name: str) -> str:
    """By the rules of English; an exception is told to the command."""
    if re.search(r"[^aeiou]y$", name):
        return f"{name[:-1]}ies"
    return f"{name}es" if re.search(r"(s|x|z|ch|sh)$", name) else f"{name}s"


def nearest(name: str, valid: object) -> str:
    """A hint at the nearest of the valid names, or at all of them where they are few."""
    assert isinstance(valid, list | tuple | set | dict)
    close = get_close_matches(name, valid, n=1, cutoff=0.5)
    if close:
        return f"did you mean {close[0]}?"
    return f"there are {', '.join(sorted(valid))}" if valid else "there are none"


def wrong_with_field(name: str, entity: str) -> str | None:
    """Why a field cannot be called so, with a name that would do."""
    if not NAME.fullmatch(name) or len(name) > MAX_NAME:
        return f"must be lower case words joined by _, such as {snake(name)}"
    instead = f"{entity}_{name}"
    if keyword.iskeyword(name) or keyword.issoftkeyword(name):
        return f"is a word of Python: {instead} would do"
    if name in LIST_PARAMETERS:
        return f"is a parameter of every list: {instead} would do"
    if name in FIELD_NAMES or name.startswith("model_"):
        return f"is taken by what every entity has: {instead} would do"
    if name in RESERVED_WORDS:
        return f"is a word of SQL: {instead} would do"
    return None


def wrong_with_entity(name: str) -> str | None:
    if not NAME.fullmatch(name) or len(name) > MAX_NAME:
        return f"must be lower case words joined by _, such as {snake(name)}"
    if keyword.iskeyword(name) or keyword.issoftkeyword(name) or hasattr(builtins, name):
        return f"is a word of Python: {name}_record would do"
    return f"is a word of SQL: {name}_record would do" if name in RESERVED_WORDS else None


def snake(name: str) -> str:
    """The nearest name in the form that is wanted."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    cleaned = re.sub(r"[^a-z0-9]+", "_", spaced.lower()).strip("_")[:MAX_NAME].rstrip("_")
    return cleaned if NAME.fullmatch(cleaned) else f"a_{cleaned}".rstrip("_")
