"""Mounts every entity. A route needs a session unless it stands in the one list of public ones."""

from fastapi import APIRouter, Depends
from fastapi.routing import APIRoute

from app.auth.dependencies import authenticate
from app.core.registry import modules

PUBLIC = {
    "POST /auth/register",
    "POST /auth/login",
}


def v1_router() -> APIRouter:
    """Raises LookupError when the list names a route that no entity has."""
    public, private = APIRouter(), APIRouter(dependencies=[Depends(authenticate)])
    missing = set(PUBLIC)
    for module in modules("router"):
        for route in module.router.routes:
            assert isinstance(route, APIRoute)
            names = {f"{method} {route.path}" for method in route.methods or ()}
            (public if names <= PUBLIC else private).routes.append(route)
            missing -= names
    if missing:
        raise LookupError(f"Public routes that do not exist: {', '.join(sorted(missing))}")
    router = APIRouter(prefix="/api/v1")
    router.include_router(public)
    router.include_router(private)
    return router
