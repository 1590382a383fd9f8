"""What things are called."""

import keyword
import re
from collections.abc import Collection
from difflib import get_close_matches

NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
MAX_NAME = 40


def camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def words(name: str) -> str:
    return name.replace("_", " ")


def with_article(words: str) -> str:
    return f"an {words}" if re.match(r"[aeio]|u(?!ni|se)", words) else f"a {words}"


def constant(value: str) -> str:
    """The name of an enum's member."""
    name = re.sub(r"[^A-Za-z0-9]+", "_", value).upper().strip("_")
    taken = keyword.iskeyword(name) or name.lower() == "mro" or name in {"I", "O"}  # like 1 and 0
    return f"{name}_" if taken else name


def plural(name: str) -> str:
    """By the rules of English; for an exception there is the option --plural."""
    if re.search(r"[^aeiou]y$", name):
        return f"{name[:-1]}ies"
    return f"{name}es" if re.search(r"(s|x|z|ch|sh)$", name) else f"{name}s"


def is_plural(name: str) -> bool:
    return bool(re.search(r"[^siu]s$", name))


def singular(name: str) -> str:
    candidates = [f"{name[:-3]}y", name[:-2], name[:-1]]
    return next((each for each in candidates if each and plural(each) == name), name)


def nearest(name: str, valid: Collection[str], cutoff: float = 0.5) -> str | None:
    return next(iter(get_close_matches(name, valid, n=1, cutoff=cutoff)), None)


def hint(instead: str | None, valid: Collection[str]) -> str:
    """Names the one that was probably meant, or else all that there are."""
    if instead:
        return f"did you mean {instead}?"
    return f"choose one of {', '.join(sorted(valid))}" if valid else "there are none"


def suggest(name: str, valid: Collection[str]) -> str:
    return hint(nearest(name, valid), valid)


def snake(name: str) -> str:
    """The name in the form that is required: lower case, with words joined by _."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    cleaned = re.sub(r"[^a-z0-9]+", "_", spaced.lower()).strip("_")[:MAX_NAME].rstrip("_")
    return cleaned if NAME.fullmatch(cleaned) else f"a_{cleaned}".rstrip("_")
