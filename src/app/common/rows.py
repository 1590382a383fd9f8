"""Between the driver's rows and model instances, without a session in between."""

from collections.abc import Callable, Sequence
from copy import copy
from decimal import Decimal
from functools import cached_property, partial
from typing import Any, overload

from asyncpg.pgproto.pgproto import UUID as DriversUUID  # noqa: N811 - is Python's, in C
from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Enum,
    FromClause,
    Numeric,
    Table,
    Text,
    TypeDecorator,
    Uuid,
    cast,
    inspect,
)
from sqlalchemy.orm import Mapper, configure_mappers
from sqlalchemy.types import TypeEngine

from app.core.models import Entity
from app.database.sql import DIALECT, Row

type Converters = list[tuple[str, Callable[[Any], Any]]]


def listed(table: Table, source: FromClause | None = None) -> list[ColumnElement[Any]]:
    """The columns of a list, taken from `source` if the rows come from there.

    Ids and decimals come as the text that JSON has for them: to make objects of them, and text
    again, would be the larger part of what a page costs.
    """
    columns = (table if source is None else source).columns
    return [
        cast(columns[each.name], Text).label(each.name)
        if _reader(each.type)
        else columns[each.name]
        for each in table.columns
    ]


def _reader(kind: TypeEngine[Any]) -> Callable[[str], Any] | None:
    """What makes a value of the text, for types that are listed as text."""
    if isinstance(kind, Uuid):
        return DriversUUID
    return Decimal if isinstance(kind, Numeric) and kind.asdecimal else None


class Hydrator[ModelT: Entity]:
    """Makes instances that are complete, and detached as those of an ORM session that was closed.

    So a relationship raises DetachedInstanceError, and `session.add` attaches the instance.
    `lists`: from rows whose columns are those of `listed`.
    """

    def __init__(self, model: type[ModelT], *, lists: bool = False) -> None:
        self._model = model
        self._lists = lists

    def __call__(self, row: Row) -> ModelT:
        instance: ModelT = self._new_instance()
        fields = instance.__dict__
        fields.update(row.items())
        for name, convert in self._converters:
            fields[name] = convert(fields[name])
        fields["_sa_instance_state"].key = self._identity, (fields["id"],), None
        return instance

    def value(self, row: Row, field: str) -> Any:
        """One value as an instance would have it, but for enums."""
        value = row[field]
        read = self._readers.get(field)
        return value if read is None or value is None else read(value)

    @cached_property
    def decodes(self) -> bool:
        """Whether a row's own values differ from an instance's, other than by being enums."""
        return bool(self._decorators)

    @cached_property
    def _mapper(self) -> Mapper[ModelT]:
        configure_mappers()  # which a first query would do, and an attribute needs
        mapper: Mapper[ModelT] = inspect(self._model)
        return mapper

    @cached_property
    def _new_instance(self) -> Callable[[], ModelT]:
        return self._mapper.class_manager.new_instance

    @cached_property
    def _identity(self) -> type[Any]:
        """The class that SQLAlchemy's identity key has: of a hierarchy, the first."""
        return self._mapper.base_mapper.class_

    @cached_property
    def _converters(self) -> Converters:
        read = [(name, partial(_unless_none, read)) for name, read in self._readers.items()]
        return [*read, *self._converters_of(Enum), *self._decorators]

    @cached_property
    def _readers(self) -> dict[str, Callable[[str], Any]]:
        if not self._lists:
            return {}
        columns = self._mapper.local_table.columns
        readers = {column.name: _reader(column.type) for column in columns}
        return {name: read for name, read in readers.items() if read}

    @cached_property
    def _decorators(self) -> Converters:
        return self._converters_of(TypeDecorator)

    def _converters_of(self, kind: type[TypeEngine[Any]]) -> Converters:
        # The driver decodes every other type by itself.
        found: Converters = []
        for column in self._mapper.local_table.columns:
            scalar = column.type.item_type if isinstance(column.type, ARRAY) else column.type
            if isinstance(scalar, kind):
                convert = column.type.dialect_impl(DIALECT).result_processor(DIALECT, None)
                if convert is not None:
                    found.append((column.name, convert))
        return found


class Rows[ModelT: Entity](Sequence[ModelT]):
    """The rows of a result, each an instance from the moment that someone looks at it."""

    def __init__(self, rows: list[Row], hydrate: Hydrator[ModelT]) -> None:
        self._rows = rows
        self._hydrate = hydrate
        self._instances: list[ModelT] | None = None

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> ModelT: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[ModelT]: ...
    def __getitem__(self, index: int | slice) -> ModelT | Sequence[ModelT]:
        if self._instances is None:
            self._instances = [self._hydrate(row) for row in self._rows]
        return self._instances[index]

    def mappings(self) -> Sequence[Any]:
        """What has each row's values by column, to be written: instances' own, if there are any."""
        if self._instances is not None or self._hydrate.decodes:
            return [vars(each) for each in self]
        return self._rows


def _unless_none(read: Callable[[str], Any], value: str | None) -> Any:
    return None if value is None else read(value)


def insert_defaults(table: Table) -> dict[str, Callable[[], Any]]:
    """What the application, rather than the database, gives a new row's columns."""
    found: dict[str, Callable[[], Any]] = {}
    for column in table.columns:
        default: Any = column.default
        if default is None:
            continue
        if default.is_callable:
            found[column.name] = partial(default.arg, None)
        elif default.is_scalar:
            found[column.name] = partial(copy, default.arg)
    return found
