"""The routes that the foundation brings: it promises more of them than of an application's own."""

from collections.abc import Iterator
from typing import Any

from app.dispatch.operation import Operation
from app.main import Application

# With the entity that the suite brings.
ROOMS = ("app.accounts.", "app.api.", "app.security_events.", "app.users.", "tests.lamps.")


def shipped(app: Application) -> list[Operation]:
    documented = [each for each in app.operations() if each.route.is_documented]
    return [each for each in documented if _module(each).startswith(ROOMS)]


def shipped_document(app: Application, document: dict[str, Any]) -> dict[str, Any]:
    """The OpenAPI document with their paths alone, and what these need of tags and components."""
    ours = {each.path for each in shipped(app)}
    paths = {path: each for path, each in document["paths"].items() if path in ours}
    needed = _needed(paths, document)
    components = {
        kind: {
            name: each for name, each in found.items() if f"#/components/{kind}/{name}" in needed
        }
        for kind, found in document["components"].items()
        if kind != "securitySchemes"
    }
    used = {tag for path in paths.values() for each in path.values() for tag in each["tags"]}
    return document | {
        "paths": paths,
        "tags": [each for each in document["tags"] if each["name"] in used],
        "components": document["components"] | components,
    }


def _needed(paths: dict[str, Any], document: dict[str, Any]) -> set[str]:
    """All that is referred to, at any depth."""
    needed = set[str]()
    waiting = [*_references(paths)]
    while waiting:
        reference = waiting.pop()
        if reference not in needed:
            needed.add(reference)
            _, _, kind, name = reference.split("/")
            waiting += _references(document["components"][kind][name])
    return needed


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for each in node.values():
            yield from _references(each)
    elif isinstance(node, list):
        for each in node:
            yield from _references(each)


def _module(operation: Operation) -> str:
    return getattr(operation.route.endpoint, "__module__", "")
