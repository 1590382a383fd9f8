from fastapi.routing import APIRoute, iter_route_contexts
from pydantic import SecretStr

from app.api.v1.router import PUBLIC
from app.config import Settings
from app.main import create_app


def routes() -> None:
    """List every route with its endpoint, and whether it needs a session."""
    app = create_app(Settings(database_url=SecretStr("postgresql://localhost")))
    for context in iter_route_contexts(app.routes):
        if not isinstance(context.original_route, APIRoute):
            continue
        path = context.path_format or ""
        for method in sorted(context.methods or ()):
            name = f"{method} {path.removeprefix('/api/v1')}"
            access = "session" if path.startswith("/api/v1") and name not in PUBLIC else "public"
            print(f"{method:7} {path:40} {access:8} {context.name}")
