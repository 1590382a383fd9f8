"""Mounts every entity. A route needs a session unless it stands in the one list of public ones.

What creates or upserts takes an Idempotency-Key, but not under /auth: those answers hold secrets,
which would be stored.
"""

from collections.abc import Iterator

from fastapi import APIRouter, Depends

from app.auth.dependencies import authenticate
from app.core.registry import modules
from app.dispatch.mounting import API
from app.dispatch.routes import includes

V1 = "/api/v1"

PUBLIC = {
    "POST /auth/register",
    "POST /auth/login",
    "POST /auth/password-reset",
    "POST /auth/password-reset/confirm",
    "POST /auth/email-verification/confirm",
    "POST /auth/email-change/confirm",
}


def v1() -> API:
    return API(
        prefix=V1,
        routers=[*_routers()],
        requires=[Depends(authenticate)],
        public=frozenset(PUBLIC),
        strict=True,
        is_repeatable=lambda name: (
            name.startswith(("POST ", "PUT ")) and " /auth/" not in name and name not in PUBLIC
        ),
    )


def _routers() -> Iterator[APIRouter]:
    """All of each entity's, such as the lists below another entity's path."""
    for module in modules("router"):
        found = [each for each in vars(module).values() if isinstance(each, APIRouter)]
        for router in found:
            if not any(includes(other, router) for other in found):
                yield router
