"""The grammar of lists, on fastapi-filter's base model; entities see this module.

A filter declares each parameter as a field: `price__gte` is the model's `price` with the operator
`gte`, and a bare `price` means equality. A parameter that is not declared is refused.
"""

import re
from collections.abc import Sequence
from functools import cache
from typing import Annotated, Any, ClassVar, Self, TypeVar, override

from fastapi_filter.base.filter import BaseFilterModel
from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
)
from pydantic_core import PydanticCustomError

from app.core.list_query import (
    Additions,
    Condition,
    Deleted,
    Operator,
    Selection,
    SortKey,
)
from app.core.pagination import PageParams
from app.core.types import Text

MAX_VALUES = 100
MAX_SORT_KEYS = 4

DESCRIPTIONS = {
    Operator.EQ: "`{}` equals this.",
    Operator.NEQ: "`{}` differs from this, or is null.",
    Operator.IN: "`{}` is one of these, repeated or separated by commas.",
    Operator.NOT_IN: "`{}` is none of these, or is null; repeated or separated by commas.",
    Operator.GT: "`{}` is greater than this.",
    Operator.GTE: "`{}` is this or greater.",
    Operator.LT: "`{}` is less than this.",
    Operator.LTE: "`{}` is this or less.",
    Operator.ISNULL: "`{}` is null; with false, it is not null.",
    Operator.ICONTAINS: "`{}` contains this text, in any case.",
    Operator.ISTARTSWITH: "`{}` starts with this text, in any case.",
}


_ELEMENT = re.compile(r'"((?:[^"]|"")*)"(?=,|\Z)|([^",][^,]*|)(?=,|\Z)')


def split(text: str) -> list[str]:
    """The values between commas. One in double quotes may hold commas, and doubled quotes."""
    if '"' not in text:
        return text.split(",")
    values = []
    start = 0
    while start <= len(text):
        element = _ELEMENT.match(text, start)
        if element is None:
            message = 'A value that starts with " must end with " before a comma or the end'
            raise PydanticCustomError("unbalanced_quotes", message)
        quoted, plain = element.groups()
        values.append(plain if quoted is None else quoted.replace('""', '"'))
        start = element.end() + 1
    return values


def _each_once[K: str](keys: list[K] | None) -> list[K] | None:
    names = [key.removeprefix("-") for key in keys or ()]
    if len(set(names)) < len(names):
        raise PydanticCustomError("repeated_sort_key", "Give each sort key once")
    return keys


def _split_each(value: Any) -> Any:
    """Accept `a,b` as well as a repeated parameter."""
    if not isinstance(value, list):
        return value
    return [part for each in value for part in split(each)]


T = TypeVar("T")

Values = Annotated[
    list[T] | None,
    Field(min_length=1, max_length=MAX_VALUES),
    BeforeValidator(_split_each),
]
"""The type of an `__in` or `__not_in` parameter: `a,"b,c"`, or repeated."""

OrderBy = Annotated[
    list[T] | None,
    Field(
        max_length=MAX_SORT_KEYS,
        description="Keys, repeated or separated by commas; - for descending. NULLs sort last.",
    ),
    AfterValidator(_each_once),
]


Search = Annotated[Text, Field(min_length=1, max_length=100)] | None
"""The type of a list's `search`, if it has `search_fields`."""


class Filter(PageParams, BaseFilterModel):
    """The base of an entity's filter, which declares `order_by` as a Literal of its sort keys.

    Raises TypeError when the class is defined: for a field that the model does not have, an unknown
    operator, or `search` without `search_fields`.
    """

    # Unknown names are refused before this, for all routes and with a better message.
    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    order_by: Sequence[str] | None = None
    deleted: Annotated[
        Deleted, Field(description="Leave out the rows in the bin, list only those, or all.")
    ] = "exclude"

    search_fields: ClassVar[tuple[str, ...]] = ()
    default_order: ClassVar[tuple[SortKey, ...]] = (SortKey("created_at", descending=True),)
    _declared: ClassVar[dict[str, tuple[str, Operator]]] = {}
    _parameters: ClassVar[frozenset[str]] = frozenset()
    _defaulted: ClassVar[frozenset[str]] = frozenset()

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        model = cls.Constants.model
        cls._declared, cls._defaulted = {}, frozenset()
        if ("search" in cls.model_fields) != bool(cls.search_fields):
            raise TypeError(f"{cls.__name__}: `search` and `search_fields` go together")
        for parameter in cls.model_fields.keys() - Filter.model_fields.keys() - {"search"}:
            field, _, suffix = parameter.partition("__")
            if not hasattr(model, field):
                raise TypeError(f"{cls.__name__}.{parameter}: {model.__name__} has no {field}")
            try:
                operator = Operator(suffix or "eq")
            except ValueError:
                raise TypeError(f"{cls.__name__}.{parameter}: no operator {suffix}") from None
            cls._declared[parameter] = field, operator
            info = cls.model_fields[parameter]
            info.description = DESCRIPTIONS[operator].format(field)
            if info.default is not None:
                cls._defaulted |= {parameter}
        cls._parameters = frozenset(cls._declared)
        if cls.search_fields:
            cls.model_fields["search"].description = f"Text in {', '.join(cls.search_fields)}."

    @field_validator("order_by", mode="before")
    @classmethod
    @override
    def split_str(cls, value: Any, field: ValidationInfo) -> Any:
        """Replaces the base's validator, which runs for every parameter."""
        return _split_each(value)

    @field_validator("order_by", mode="before")
    @classmethod
    @override
    def validate_order_by(cls, value: Any, field: ValidationInfo) -> Any:
        """The entity's Literal checks the keys; the base would accept any attribute."""
        return value

    @field_validator("order_by", mode="before")
    @classmethod
    @override
    def strip_order_by_values(cls, value: Any, field: ValidationInfo) -> Any:
        return value

    @classmethod
    def declared_fields(cls) -> dict[str, str]:
        """The field of each parameter that filters, in the order of their declaration."""
        return {name: cls._declared[name][0] for name in cls.model_fields if name in cls._declared}

    def narrowed(self, **values: Any) -> Self:
        """The same list, but only of rows that have these values too.

        Raises TypeError for a field without a parameter of that name.
        """
        if unknown := values.keys() - self._declared.keys():
            raise TypeError(f"{type(self).__name__} has no {', '.join(sorted(unknown))}")
        before, position, serving = self._added
        # Names that are unique: a kept statement binds its values by them.
        added = (
            Condition(f"{name}__narrowed_{number}", name, Operator.EQ, value)
            for number, (name, value) in enumerate(values.items(), len(before))
        )
        return self._with(Additions((*before, *added), position, serving))

    @property
    def selection(self) -> Selection:
        """Which rows are asked for, and in which order."""
        return self._selection(self._added.narrowed)

    @override
    def _selection(self, narrowed: tuple[Condition, ...]) -> Selection:
        values, declared = vars(self), self._declared
        parameters = sorted(self.model_fields_set & self._parameters | self._defaulted)
        asked = [
            Condition(parameter, *declared[parameter], values[parameter])
            for parameter in parameters
            if values[parameter] is not None
        ]
        keys = tuple(map(_sort_key, self.order_by or ())) or self.default_order
        order = (*keys, SortKey("id", descending=keys[-1].descending))  # which makes it total
        term, fields = values.get("search"), self.search_fields
        return Selection(tuple(asked), narrowed, term, fields, self.deleted, order)


@cache
def _sort_key(key: str) -> SortKey:
    return SortKey(key.removeprefix("-"), descending=key.startswith("-"))
