from collections.abc import Iterator
from typing import Annotated

import typer
from pydantic import SecretStr

from app.auth.dependencies import authenticate, require_superuser
from app.config import Settings
from app.dispatch.operation import Operation
from app.main import Application, create_app


def routes(
    why: Annotated[
        bool, typer.Option("--why", help="Say what keeps a route from the fast way.")
    ] = False,
) -> None:
    """List every route by folder: who may call it, which way it takes, and its endpoint.

    Whoever has a `session` is signed in. `fast` is the engine of this project, `fastapi` FastAPI's
    own router and handlers. Both keep the same promises; the second costs what FastAPI costs.
    """
    app = create_app(Settings(database_url=SecretStr("postgresql://localhost")))
    assert isinstance(app, Application)
    folders: dict[str, list[Operation]] = {}
    for operation in app.operations():
        folders.setdefault(_folder(operation), []).append(operation)
    width = max(len(each.path) for each in app.operations())
    for number, (name, operations) in enumerate(folders.items()):
        print(f"\n{name}" if number else name)
        for operation in operations:
            print(*_rows(app, operation, width), sep="\n")
            if why:
                print(
                    *(f"{'':11} - {obstacle}\n" for obstacle in operation.obstacles), sep="", end=""
                )


def _rows(app: Application, operation: Operation, width: int) -> Iterator[str]:
    way, who = "fastapi" if operation.obstacles else "fast", _access(app, operation)
    for method in sorted(operation.route.methods) or ["*"]:
        name = operation.route.name or ""
        yield f"  {method:9} {operation.path:{width}} {who:9} {way:7} {name}".rstrip()


def _folder(operation: Operation) -> str:
    """Where its endpoint is: `items` for src/app/items."""
    module = getattr(operation.route.endpoint, "__module__", None) or "mounted"
    parts = module.split(".")
    return parts[1] if parts[0] == "app" and len(parts) > 1 else parts[0]


def _access(app: Application, operation: Operation) -> str:
    """Who may call the route, as its dependencies say."""
    calls = set(operation.route.calls())
    if require_superuser in calls:
        return "superuser"
    if authenticate in calls:
        return "session"
    for api in app.state.apis:
        required = [each.dependency for each in api.requires if each.dependency in calls]
        if required:
            return ", ".join(getattr(each, "__name__", type(each).__name__) for each in required)
    return "public"
