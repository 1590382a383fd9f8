"""The routes of an entity that anyone may read, in the one list of public routes."""

import re
from pathlib import Path

from app.cli.generator.source import EntitySource
from app.cli.generator.spec import SpecError
from app.migrations import ROOT

PATH = Path("src/app/api/v1/router.py")
LIST = re.compile(r"^PUBLIC = \{\n(?:.*\n)*?(?=\}\n)", re.MULTILINE)


def added(entity: EntitySource) -> dict[Path, str]:
    """The file with the routes in its list, or nothing if it has them.

    Raises SpecError.
    """
    source = (ROOT / PATH).read_text()
    missing = [line for line in _lines(entity) if line not in source]
    if not missing:
        return {}
    if not LIST.search(source):
        raise SpecError([f"--public: {PATH} has no list `PUBLIC`, with a route on each line"])
    return {PATH: LIST.sub(lambda found: found[0] + "".join(missing), source, count=1)}


def removed(entity: EntitySource) -> dict[Path, str]:
    source = changed = (ROOT / PATH).read_text()
    for line in _lines(entity):
        changed = changed.replace(line, "")
    return {PATH: changed} if changed != source else {}


def _lines(entity: EntitySource) -> list[str]:
    if not entity.spec.public:
        return []
    one = f"/{entity.path}/{{{entity.name}_id}}"
    return [f'    "GET {path}",\n' for path in (f"/{entity.path}", one)]
