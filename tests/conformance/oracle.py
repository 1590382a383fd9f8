"""What the contract says of filters and orders, in Python."""

from collections.abc import Callable, Sequence
from typing import Any

from app.core.list_query import Operator
from tests.conformance.resources import Resource
from tests.conformance.things import Row


def contains(found: str | None, given: str) -> bool:
    return given.lower() in (found or "").lower()


HOLDS: dict[Operator, Callable[[Any, Any], bool]] = {
    Operator.EQ: lambda found, given: found == given,
    Operator.NEQ: lambda found, given: found != given,
    Operator.IN: lambda found, given: found in given,
    Operator.NOT_IN: lambda found, given: found not in given,
    Operator.GT: lambda found, given: found is not None and found > given,
    Operator.GTE: lambda found, given: found is not None and found >= given,
    Operator.LT: lambda found, given: found is not None and found < given,
    Operator.LTE: lambda found, given: found is not None and found <= given,
    Operator.ISNULL: lambda found, given: (found is None) == given,
    Operator.ICONTAINS: contains,
    Operator.ISTARTSWITH: lambda found, given: (found or "").lower().startswith(given.lower()),
}
MANY = (Operator.IN, Operator.NOT_IN)
PARTS = (Operator.ICONTAINS, Operator.ISTARTSWITH)


def holds(resource: Resource, parameter: str, row: Row, given: Any) -> bool:
    """Whether the row fulfils the filter; `given` is a JSON value, or a list of them."""
    field, operator = resource.conditions[parameter]
    found = resource.typed(field, row[field])
    if operator in MANY:
        return HOLDS[operator](found, [resource.typed(field, each) for each in given])
    if operator not in PARTS and operator is not Operator.ISNULL:
        given = resource.typed(field, given)
    return HOLDS[operator](found, given)


def in_order(resource: Resource, rows: Sequence[Row], *keys: str) -> list[Row]:
    """By these keys, NULLs last, and then by id in the direction of the last one."""
    ordered = sorted(rows, key=lambda row: str(row["id"]), reverse=keys[-1].startswith("-"))
    for key in reversed(keys):
        field = key.removeprefix("-")
        known = [row for row in ordered if row[field] is not None]
        known.sort(key=lambda row: resource.typed(field, row[field]), reverse=key.startswith("-"))
        ordered = known + [row for row in ordered if row[field] is None]
    return ordered


def sent(value: Any) -> str:
    """A JSON value in a query string."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def quoted(value: Any) -> str:
    """The same among others, from which commas would part it."""
    return '"{}"'.format(sent(value).replace('"', '""'))
