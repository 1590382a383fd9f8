"""All files of an entity, rendered."""

from pathlib import Path

from app.cli.generator.rendering import templates
from app.cli.generator.rendering.entity_source import EntitySource
from app.cli.generator.rendering.example import Example
from app.cli.generator.rendering.tests_source import TestsSource
from app.cli.generator.rendering.tidy import tidy

ROLES = ("models", "schemas", "filters", "repository", "service", "dependencies", "router")


def render(entity: EntitySource) -> dict[Path, str]:
    """The files of an entity, by their paths from the root of the project."""
    package, tests = Path("src/app") / entity.plural, Path("tests") / entity.plural
    sources = {package / f"{role}.py": f"entity/{role}.py.jinja" for role in ROLES} | {
        tests / "factory.py": "tests/factory.py.jinja",
        tests / f"test_{entity.plural}.py": "tests/test_entity.py.jinja",
    }
    values = {"entity": entity, "example": Example(entity), "tests": TestsSource(entity)}
    rendered = {path: templates.render(name, **values) for path, name in sources.items()}
    return tidy(rendered) | {package / "__init__.py": "", tests / "__init__.py": ""}
