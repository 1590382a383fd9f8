"""Between the driver's rows and model instances, without a session in between."""

from collections.abc import Callable
from copy import copy
from functools import cached_property, partial
from typing import Any

from sqlalchemy import Enum, Table, TypeDecorator, inspect
from sqlalchemy.orm import Mapper, configure_mappers

from app.core.models import Entity
from app.database import DIALECT, Row


class Hydrator[ModelT: Entity]:
    """Makes instances that are complete and detached: no attribute ever loads by itself."""

    def __init__(self, model: type[ModelT]) -> None:
        self._model = model

    def __call__(self, row: Row) -> ModelT:
        instance: ModelT = self._new_instance()
        fields = instance.__dict__
        fields.update(row)
        for name, convert in self._converters:
            fields[name] = convert(fields[name])
        return instance

    @cached_property
    def _mapper(self) -> Mapper[ModelT]:
        configure_mappers()  # which a first query would do, and an attribute needs
        mapper: Mapper[ModelT] = inspect(self._model)
        return mapper

    @cached_property
    def _new_instance(self) -> Callable[[], ModelT]:
        return self._mapper.class_manager.new_instance

    @cached_property
    def _converters(self) -> list[tuple[str, Callable[[Any], Any]]]:
        # The driver decodes every other type by itself.
        found: list[tuple[str, Callable[[Any], Any]]] = []
        for column in self._mapper.local_table.columns:
            if isinstance(column.type, Enum | TypeDecorator):
                convert = column.type.dialect_impl(DIALECT).result_processor(DIALECT, None)
                if convert is not None:
                    found.append((column.name, convert))
        return found


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
