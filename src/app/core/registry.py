"""Finds the packages below `app` that have a `router` or `models` module, such as entities."""

import importlib
import importlib.util
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import app
from app.config import SettingsError
from app.core.models import Base, Entity

PLACES: list[ModuleType] = [app]
"""Where packages are found. The suite adds `tests`, for an entity that is not the application's."""


def modules(name: str) -> Iterator[ModuleType]:
    """Import and yield the module called `name` of each package that has one.

    Raises SettingsError for a folder that has one and is no package.
    """
    for place in PLACES:
        _require_packages(place, name)
        for package in sorted(pkgutil.iter_modules(place.__path__), key=lambda found: found.name):
            path = f"{place.__name__}.{package.name}.{name}"
            if package.ispkg and importlib.util.find_spec(path):
                yield importlib.import_module(path)


def _require_packages(place: ModuleType, name: str) -> None:
    for path in place.__path__:
        for found in sorted(Path(path).glob(f"*/{name}.py")):
            if not (found.parent / "__init__.py").exists():
                raise SettingsError(
                    f"{found.parent} has a {name}.py and no __init__.py, so that it would not be "
                    "found: add an empty one"
                )


def load_models() -> type[Base]:
    """Import every model, so that the metadata is complete, and return their common base."""
    for _ in modules("models"):
        pass
    return Base


def entities() -> list[type[Entity]]:
    load_models()
    return [mapper.class_ for mapper in Base.registry.mappers if issubclass(mapper.class_, Entity)]
