"""What a feature of FastAPI is here: code that builds it, and what is asked of it."""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from fastapi import FastAPI

FEATURES = "tests.compatibility.features"
TITLES = {"openapi": "OpenAPI", "json_bodies": "JSON bodies", "websockets": "WebSockets"}

type Build = Callable[[FastAPI], None]
type Step = Asked | Callable[[Any], Any]
"""A request, or a function that uses a client and returns what it got.

A `def` gets FastAPI's TestClient, an `async def` an AsyncClient of httpx.
"""


@dataclass(frozen=True)
class Asked:
    """A request; the options are those of httpx."""

    method: str
    path: str
    options: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True, eq=False)
class Feature:
    """`name` is what a reader of FastAPI's user guide would look for."""

    name: str
    build: Build
    steps: tuple[Step, ...]
    options: dict[str, Any]
    """Of the application's constructor."""

    @property
    def page(self) -> str:
        """The name of its module or package in `features`, as a title."""
        name = self.build.__module__.removeprefix(f"{FEATURES}.").partition(".")[0]
        return TITLES.get(name, name.replace("_", " ").capitalize())


def ask(method: str, path: str, **options: Any) -> Asked:
    return Asked(method, path, options)


get = partial(ask, "GET")
head = partial(ask, "HEAD")
post = partial(ask, "POST")
put = partial(ask, "PUT")
patch = partial(ask, "PATCH")
delete = partial(ask, "DELETE")

_features: dict[str, Feature] = {}


def feature(name: str, *steps: Step, **options: Any) -> Callable[[Build], Build]:
    """Declare one by the function that writes it onto an application."""

    def declare(build: Build) -> Build:
        if name in _features:
            raise ValueError(f"There are two features {name!r}")
        _features[name] = Feature(name, build, steps, options)
        return build

    return declare


def all_features() -> list[Feature]:
    """Those of every module in `features`, by page and name."""
    package = importlib.import_module(FEATURES)
    for module in pkgutil.walk_packages(package.__path__, f"{FEATURES}."):
        importlib.import_module(module.name)
    return sorted(_features.values(), key=lambda each: (each.page, each.name))
