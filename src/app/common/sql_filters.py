"""The conditions and the search of a list as SQL, with every value a named bind parameter."""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import (
    ARRAY,
    BindParameter,
    ColumnElement,
    Numeric,
    String,
    Text,
    all_,
    any_,
    bindparam,
    or_,
)
from sqlalchemy.types import TypeEngine

from app.core.list_query import Condition, Operator, Selection
from app.core.models import Entity

SEARCH = "search"

type Column = ColumnElement[Any]


def where(model: type[Entity], condition: Condition) -> ColumnElement[bool]:
    column = _column(model, condition.field)
    return OPERATORS[condition.operator](column, condition)


def matches_search(model: type[Entity], fields: Sequence[str]) -> ColumnElement[bool]:
    return or_(*(_ilike(_column(model, field), SEARCH) for field in fields))


def values(selection: Selection) -> dict[str, Any]:
    """What to bind, by parameter."""
    found = {
        condition.parameter: _pattern(condition)
        if condition.operator in PATTERNS
        else condition.value
        for condition in selection.conditions
    }
    if selection.search_term is not None:
        found[SEARCH] = f"%{_literal(selection.search_term)}%"
    return found


def unbounded(kind: TypeEngine[Any]) -> TypeEngine[Any]:
    """The type to bind a value as.

    A cast to VARCHAR(n) would cut a longer value off, and one to NUMERIC(p, s) round it: both
    would find what was not asked for.
    """
    if isinstance(kind, String):
        return Text()
    if isinstance(kind, Numeric) and kind.asdecimal:
        return Numeric()
    return kind


def bind_array(name: str, kind: TypeEngine[Any]) -> BindParameter[Any]:
    # Of one dimension, whatever the values are: one of a JSON column may be a list itself.
    return bindparam(name, None, type_=ARRAY(unbounded(kind), dimensions=1))


def _column(model: type[Entity], field: str) -> Column:
    column: Column = getattr(model, field)
    return column


def _value(column: Column, condition: Condition) -> BindParameter[Any]:
    return bindparam(condition.parameter, None, type_=unbounded(column.type))


def _ilike(column: Column, parameter: str) -> ColumnElement[bool]:
    return column.ilike(bindparam(parameter, None, type_=Text()), escape="\\")


def _isnull(column: Column, condition: Condition) -> ColumnElement[bool]:
    return column.is_(None) if condition.value else column.is_not(None)


def _pattern(condition: Condition) -> str:
    return PATTERNS[condition.operator].format(_literal(condition.value))


def _literal(value: str) -> str:
    """Escape what LIKE would read as a pattern."""
    return value.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


PATTERNS = {Operator.ICONTAINS: "%{}%", Operator.ISTARTSWITH: "{}%"}

OPERATORS: dict[Operator, Callable[[Column, Condition], ColumnElement[bool]]] = {
    Operator.EQ: lambda c, given: c == _value(c, given),
    Operator.NEQ: lambda c, given: c.is_distinct_from(_value(c, given)),
    Operator.IN: lambda c, given: c == any_(bind_array(given.parameter, c.type)),
    Operator.NOT_IN: lambda c, given: or_(
        c.is_(None), c != all_(bind_array(given.parameter, c.type))
    ),
    Operator.GT: lambda c, given: c > _value(c, given),
    Operator.GTE: lambda c, given: c >= _value(c, given),
    Operator.LT: lambda c, given: c < _value(c, given),
    Operator.LTE: lambda c, given: c <= _value(c, given),
    Operator.ISNULL: _isnull,
    Operator.ICONTAINS: lambda c, given: _ilike(c, given.parameter),
    Operator.ISTARTSWITH: lambda c, given: _ilike(c, given.parameter),
}
