"""Edits the one list of public routes, for entities that anyone may read."""

import re
from collections.abc import Sequence
from pathlib import Path

from app.cli.generator.files.disk import Files
from app.cli.generator.grammar.spec import SpecError
from app.cli.generator.rendering.entity_source import EntitySource
from app.database.migrations import ROOT

PATH = Path("src/app/api/v1/router.py")
LIST = re.compile(r"^PUBLIC = \{\n(?:.*\n)*?(?=\}\n)", re.MULTILINE)


def added(entity: EntitySource) -> Files:
    """The file with the entity's routes in its list, unless they are there. Raises SpecError."""
    return _with(_lines(entity))


def removed(entity: EntitySource) -> Files:
    return _with([], without=_lines(entity))


def changed(old: EntitySource, new: EntitySource) -> Files:
    """The same for an entity whose fields changed; edits by hand stay. Raises SpecError."""
    before, after = _lines(old), _lines(new)
    return _with(
        [line for line in after if line not in before],
        without=[line for line in before if line not in after],
    )


def _with(lines: Sequence[str], *, without: Sequence[str] = ()) -> Files:
    source = made = (ROOT / PATH).read_text()
    for line in without:
        made = made.replace(line, "")
    if missing := [line for line in lines if line not in made]:
        if not LIST.search(made):
            raise SpecError([f"--public: {PATH} needs a list `PUBLIC` with one route on each line"])
        made = LIST.sub(lambda found: found[0] + "".join(missing), made, count=1)
    return {PATH: made} if made != source else {}


def _lines(entity: EntitySource) -> list[str]:
    """Lines of the list. A list below another entity's path is public if both entities are."""
    if not entity.spec.public:
        return []
    source = (ROOT / PATH).read_text()
    below = [
        f"/{each.path}/{{{each.name}_id}}/{each.nested}"
        for each in entity.listed_parents
        if each.name == entity.name or _line(f"/{each.path}/{{{each.name}_id}}") in source
    ]
    return [
        _line(path) for path in (f"/{entity.path}", f"/{entity.path}/{{{entity.name}_id}}", *below)
    ]


def _line(path: str) -> str:
    return f'    "GET {path}",\n'
