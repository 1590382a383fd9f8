"""Mounts every entity. A route needs a session unless it stands in the one list of public ones.

What creates or upserts takes an Idempotency-Key, but not under /auth: those answers hold secrets,
which would be stored.
"""

from collections.abc import Iterator
from types import ModuleType

from fastapi import APIRouter, Depends
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from app.auth.dependencies import authenticate
from app.core.registry import modules
from app.idempotency.dependencies import idempotency_key

PUBLIC = {
    "POST /auth/register",
    "POST /auth/login",
    "POST /auth/password-reset",
    "POST /auth/password-reset/confirm",
    "POST /auth/email-verification/confirm",
    "POST /auth/email-change/confirm",
}


def v1_router() -> APIRouter:
    """Raises LookupError when the list names a route that no entity has."""
    public, private, repeatable = APIRouter(), APIRouter(), APIRouter()
    missing = set(PUBLIC)
    for module in modules("router"):
        for route in _routes(module):
            assert isinstance(route, APIRoute)
            names = {f"{method} {route.path}" for method in route.methods or ()}
            group = repeatable if _is_repeatable(route) else private
            (public if names <= PUBLIC else group).routes.append(route)
            missing -= names
    if missing:
        raise LookupError(f"Public routes that do not exist: {', '.join(sorted(missing))}")
    router = APIRouter(prefix="/api/v1")
    session, key = Depends(authenticate), Depends(idempotency_key)
    router.include_router(public)
    router.include_router(private, dependencies=[session])
    router.include_router(repeatable, dependencies=[session, key])
    return router


def _routes(module: ModuleType) -> Iterator[BaseRoute]:
    """Those of all routers of the module, such as the lists below another entity's path."""
    for each in vars(module).values():
        if isinstance(each, APIRouter):
            yield from each.routes


def _is_repeatable(route: APIRoute) -> bool:
    writes = route.methods is not None and not route.methods.isdisjoint({"POST", "PUT"})
    return writes and not route.path.startswith("/auth/")
