"""The routes that the foundation brings: it promises more of them than of an application's own."""

from typing import Any

from app.dispatch.operation import Operation
from app.main import Application

# With the entity that the suite brings.
ROOMS = ("app.accounts.", "app.api.", "app.security_events.", "app.users.", "tests.lamps.")


def shipped(app: Application) -> list[Operation]:
    documented = [each for each in app.operations() if each.route.is_documented]
    return [each for each in documented if _module(each).startswith(ROOMS)]


def shipped_document(app: Application, document: dict[str, Any]) -> dict[str, Any]:
    """The OpenAPI document with their paths alone."""
    ours = {each.path for each in shipped(app)}
    paths = document["paths"]
    return document | {"paths": {path: paths[path] for path in paths if path in ours}}


def _module(operation: Operation) -> str:
    return getattr(operation.route.endpoint, "__module__", "")
