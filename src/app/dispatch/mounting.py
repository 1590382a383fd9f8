"""An API: one prefix, and what holds for every route below it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from fastapi import APIRouter, Depends, params

from app.dispatch.query_parameters import strict
from app.dispatch.routes import with_dependencies
from app.exception_handlers import ErrorRenderer, problem
from app.idempotency.dependencies import idempotency_key

type Name = str
"""Of a route below the prefix: `POST /auth/login`, or `WEBSOCKET /chat`."""


@dataclass(frozen=True, kw_only=True)
class API:
    """Everything below one prefix.

    `requires` are the dependencies of every route that is not `public`, such as a session; they run
    before a router's own. Where the API is `strict`, unknown parameters and repeated JSON members
    are refused. `is_repeatable` says which routes take an Idempotency-Key: it needs a caller.
    `render` makes the response of each error below the prefix.
    """

    prefix: str
    routers: Sequence[APIRouter]
    requires: Sequence[params.Depends] = ()
    public: frozenset[Name] = frozenset()
    strict: bool = False
    is_repeatable: Callable[[Name], bool] = lambda _: False
    render: ErrorRenderer = problem
    _found: set[Name] = field(default_factory=set, repr=False)

    def router(self) -> APIRouter:
        """All routes, to be included below the prefix.

        Raises LookupError when `public` names a route that there is not, and TypeError for a route
        that could not require a session.
        """
        mounted = APIRouter()
        # FastAPI builds each route anew for every level of inclusion: these are not included.
        for router in self.routers:
            mounted.routes += with_dependencies(router, self.dependencies).routes
        if missing := self.public - self._found:
            raise LookupError(f"Public routes that do not exist: {', '.join(sorted(missing))}")
        return mounted

    def dependencies(self, names: set[Name]) -> list[params.Depends]:
        """Those that every request to a route with these names has first."""
        self._found.update(names)
        found = [] if self.is_public(names) else [*self.requires]
        if any(map(self.is_repeatable, names)):
            found.append(Depends(idempotency_key))
        if self.strict:
            found.append(Depends(strict))
        return found

    def is_public(self, names: set[Name]) -> bool:
        return names <= self.public
