"""The routes that the foundation brings: it promises more of them than of an application's own."""

from typing import Any

from app.dispatch.operation import Operation
from app.main import Application
from tests.problems import LAMPS

ROOMS = ("app.accounts.", "app.api.", "app.security_events.", "app.users.")


def shipped(app: Application) -> list[Operation]:
    documented = [each for each in app.operations() if each.route.is_documented]
    return [each for each in documented if _module(each).startswith(ROOMS)]


def shipped_document(app: Application, document: dict[str, Any]) -> dict[str, Any]:
    """The OpenAPI document with their paths alone, and those of the entity that the suite knows."""
    ours = {each.path for each in shipped(app)}
    paths = {
        path: operations
        for path, operations in document["paths"].items()
        if path in ours or path.startswith(LAMPS)
    }
    return document | {"paths": paths}


def _module(operation: Operation) -> str:
    return getattr(operation.route.endpoint, "__module__", "")
