"""Entity tags: a row's version, quoted (RFC 9110, section 8.8.3)."""

import re

from app.core.limits import INT4_MAX
from app.core.repository import Versions
from app.exceptions import FieldError, Invalid

_TAG = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"'
_TAGS = re.compile(rf"\s*{_TAG}\s*(?:,\s*{_TAG}\s*)*")


def entity_tag(version: int) -> str:
    return f'"{version}"'


def versions(if_match: str) -> Versions | None:
    """The versions that an If-Match accepts; None for `*`, which accepts every version.

    A weak tag accepts none, since the comparison is strong. Raises Invalid for what is not a list
    of tags.
    """
    if if_match.strip() == "*":
        return None
    if not _TAGS.fullmatch(if_match):
        message = 'must be an ETag as it was sent, with its quotes: "3"'
        errors = [FieldError(("header", "If-Match"), message, "entity_tag")]
        raise Invalid("The If-Match header is not a list of ETags", errors=errors)
    tags = re.findall(_TAG, if_match)
    numbers = [int(tag[1:-1]) for tag in tags if re.fullmatch(r'"[1-9][0-9]{0,9}"', tag)]
    return frozenset(number for number in numbers if number <= INT4_MAX)


def names(if_none_match: str, tag: str) -> bool:
    """Whether an If-None-Match matches the tag, by the weak comparison."""
    return if_none_match.strip() == "*" or tag in re.findall(r'"[^"]*"', if_none_match)
