"""The templates. Those in the project's own `templates/` take the place of the command's."""

import re
from functools import cache
from pathlib import Path

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined, TemplateError

from app.cli.generator.grammar import names
from app.cli.generator.grammar.spec import SpecError
from app.database.migrations import ROOT

IMPORT = re.compile(r"^from [\w.]+ import ([\w, ]+)$", re.MULTILINE)

_environment = Environment(
    loader=ChoiceLoader(
        [
            FileSystemLoader(ROOT / "templates"),
            FileSystemLoader(Path(__file__).parents[2] / "templates"),
        ]
    ),
    line_statement_prefix="#%",
    keep_trailing_newline=True,
    undefined=StrictUndefined,
    autoescape=False,  # noqa: S701 - Python, not HTML
)


def render(name: str, **values: object) -> str:
    """Raises SpecError for a template that does not work."""
    try:
        return _environment.get_template(name).render(values, names=names)
    except TemplateError as error:
        raise SpecError([f"{name}: {error.message or error}"]) from None


@cache
def imported(name: str) -> set[str]:
    """The names that files made from the template import."""
    assert _environment.loader is not None
    source, *_ = _environment.loader.get_source(_environment, name)
    return {each for found in IMPORT.findall(source) for each in found.split(", ")}
