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
    """List every route: who may call it, which way it takes, and its endpoint.

    `fast` is the engine of this project, `fastapi` FastAPI's own router and handlers. Both keep the
    same promises; the second costs what FastAPI costs.
    """
    app = create_app(Settings(database_url=SecretStr("postgresql://localhost")))
    assert isinstance(app, Application)
    for operation in app.operations():
        route = operation.route
        way = "fastapi" if operation.obstacles else "fast"
        for method in sorted(route.methods) or ["*"]:
            row = f"{method:9} {operation.path:44} {_access(app, operation):9} {way:7} {route.name}"
            print(row.rstrip())
        if why:
            for obstacle in operation.obstacles:
                print(f"{'':9} - {obstacle}")


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
