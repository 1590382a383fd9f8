"""A three-way merge of lines: edits by hand, and the generator's changes."""

from collections.abc import Sequence
from difflib import SequenceMatcher

type Lines = Sequence[str]
type Edit = tuple[int, int, tuple[str, ...]]  # lines [start, end) of the base become these


def merge(base: Lines, mine: Lines, generated: Lines) -> list[str] | None:
    """Both sets of changes to the base, or None where they change the same lines differently.

    What both insert at one place stays: the generated lines first, as they go on with a list.
    """
    theirs = _edits(base, generated)
    ours = [edit for edit in _edits(base, mine) if edit not in theirs]
    merged: list[str] = []
    done = 0
    for start, end, lines in sorted(theirs + ours, key=lambda edit: edit[:2]):
        if start < done:
            return None
        merged += [*base[done:start], *lines]
        done = end
    return [*merged, *base[done:]]


def _edits(base: Lines, other: Lines) -> list[Edit]:
    matcher = SequenceMatcher(None, base, other, autojunk=False)
    return [
        (start, end, tuple(other[low:high]))
        for tag, start, end, low, high in matcher.get_opcodes()
        if tag != "equal"
    ]
