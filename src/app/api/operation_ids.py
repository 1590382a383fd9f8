"""Names of operations, from which clients name their functions: each is there once."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from copy import copy
from typing import NamedTuple

from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from app.dispatch.routes import Route


class Place(NamedTuple):
    """One operation of the document: a route, and one of its methods."""

    route: Route
    method: str

    def __str__(self) -> str:
        return f"{self.method} {self.route.path}"


def places(routes: Sequence[Route]) -> list[Place]:
    """Where several routes have the same path and method, the first is the one that is served."""
    found: dict[str, Place] = {}
    for route in routes:
        if route.is_documented:
            for method in sorted(route.methods):
                place = Place(route, method)
                found.setdefault(str(place), place)
    return list(found.values())


def operation_ids(found: Sequence[Place]) -> dict[Place, str]:
    """The name of each one's function, and where others have that too, path and method.

    What a route declares itself stays. The order of the routes does not matter.
    """
    wanted = {each: _wanted(each) for each in found}
    count = Counter(wanted.values())
    ids = {each: id for each, id in wanted.items() if count[id] == 1 or _is_explicit(each)}
    taken = set(ids.values())
    for place in sorted(wanted.keys() - ids.keys(), key=str):
        id = long = _long(place, wanted[place])
        number = 1
        while id in taken:
            number += 1
            id = f"{long}_{number}"
        ids[place] = id
        taken.add(id)
    return ids


def callbacks_with_ids(ids: Mapping[Place, str]) -> dict[Place, list[BaseRoute]]:
    """The callbacks of each place; those that several have are named after the place too."""
    callbacks = {
        place: [each for each in place.route.context.callbacks or () if isinstance(each, APIRoute)]
        for place in ids
    }
    count = Counter(ids.values())
    count.update(each.unique_id for found in callbacks.values() for each in found)
    for place, found in callbacks.items():
        for at, each in enumerate(found):
            if count[each.unique_id] > 1 and not each.operation_id:
                found[at] = copy(each)
                found[at].operation_id = f"{ids[place]}_{each.unique_id}"
    return {place: [*found] for place, found in callbacks.items()}


def require_own_ids(routes: Sequence[Route]) -> None:
    """Raises ValueError where two routes declare the same `operation_id`."""
    declared: dict[str, Place] = {}
    for place in places(routes):
        if _is_explicit(place):
            other = declared.setdefault(place.route.context.operation_id, place)
            if other is not place:
                raise ValueError(
                    f"{place}: its operation_id {place.route.context.operation_id!r} is that of "
                    f"{other} too; give each one of its own, or none"
                )


def _is_explicit(place: Place) -> bool:
    # One name cannot stand for two methods.
    return bool(place.route.context.operation_id) and len(place.route.methods) == 1


def _wanted(place: Place) -> str:
    route = place.route
    return route.context.operation_id or route.made_id or re.sub(r"\W", "_", route.name or "")


def _long(place: Place, name: str) -> str:
    """As FastAPI makes it."""
    return f"{re.sub(r'\W', '_', f'{name}{place.route.path}')}_{place.method.lower()}"
