"""What every table and every entity has, in terms of SQLAlchemy alone."""

import time
from datetime import datetime
from enum import StrEnum
from functools import cache
from os import register_at_fork, urandom
from struct import unpack
from typing import Any, ClassVar, Literal
from uuid import UUID, SafeUUID

from sqlalchemy import (
    DateTime,
    Enum,
    FetchedValue,
    ForeignKey,
    Index,
    MetaData,
    Table,
    Uuid,
    event,
    func,
    inspect,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Connection
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    MappedColumn,
    Mapper,
    mapped_column,
    object_session,
)

NAMING_CONVENTION = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
}

Document = dict[str, Any] | list[Any]
"""The type of a JSON column, in a model and in answers."""

type OnDelete = Literal["restrict", "cascade", "setnull"]

# In a column's `info`, for what users are told of all that is stored about them:
SECRET = "secret"  # noqa: S105 - never told, such as a hash
ABOUT_USER = "about_user"  # names whom the row is about, without a foreign key
TOLD_TO = "told_to"  # the column with the only user to be told; everybody, where that is null

_LIVE = "deleted_at IS NULL"
_NATURAL_KEY = "natural_key"  # in a table's `info`

WORDS_AT_ONCE = 256  # so many keys need one request for random bits

_last_tick = 0
_random_words: list[int] = []  # 64 unpredictable bits each
register_at_fork(after_in_child=_random_words.clear)  # or two processes make the same keys
_new, _set = UUID.__new__, object.__setattr__


def uuid7() -> UUID:
    """A UUID of version 7 (RFC 9562, 5.7), greater than every one this process made before.

    Time fills 60 bits: milliseconds, then 12 bits below them (RFC 9562, 6.2, method 3).
    """
    global _last_tick  # noqa: PLW0603 - the order of keys within a process is the point
    tick = (time.time_ns() << 12) // 1_000_000
    if tick <= _last_tick:
        tick = _last_tick + 1
    _last_tick = tick
    if not _random_words:
        _random_words.extend(unpack(f"{WORDS_AT_ONCE}Q", urandom(WORDS_AT_ONCE * 8)))
    high = (tick >> 12) << 16 | 0x7000 | tick & 0xFFF
    made = _new(UUID)  # its __init__ takes longer than all of the above
    _set(made, "int", high << 64 | 0b10 << 62 | _random_words.pop() >> 2)
    _set(made, "is_safe", SafeUUID.unknown)
    return made


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING_CONVENTION)
    type_annotation_map = {  # noqa: RUF012 - declared so by SQLAlchemy
        datetime: DateTime(timezone=True),
        Document: JSONB(none_as_null=True),  # else None is the JSON null, not NULL
        # VARCHAR with a CHECK: a native enum type cannot lose a value again.
        StrEnum: Enum(
            StrEnum,
            native_enum=False,
            create_constraint=True,
            length=32,
            values_callable=lambda enum: [member.value for member in enum],
        ),
    }


class Entity(Base):
    """A row with a key of its own, times, a version that counts its writes, and a soft delete.

    `natural_key` names the fields by which an upsert finds a row. A `unique_among_live` index keeps
    them unique: on these columns alone, or with `owner_id` where the entity is Owned.
    """

    __abstract__ = True

    natural_key: ClassVar[tuple[str, ...]] = ()

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7, sort_order=-1)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), sort_order=1)
    # An ORM update sets it by SQL, and has it returned.
    updated_at: Mapped[datetime] = mapped_column(
        server_default=func.now(), server_onupdate=FetchedValue(), sort_order=1
    )
    version: Mapped[int] = mapped_column(server_default="1", sort_order=1)
    deleted_at: Mapped[datetime | None] = mapped_column(sort_order=1)

    # An ORM update compares and raises the version, and leaves nothing to be loaded later.
    __mapper_args__ = {"version_id_col": version, "eager_defaults": True}  # noqa: RUF012

    def __init_subclass__(cls, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        table = vars(cls).get("__table__")
        if isinstance(table, Table):
            table.info[_NATURAL_KEY] = cls.natural_key


@event.listens_for(Entity, "before_update", propagate=True)
def _set_updated_at(_: Mapper[Any], __: Connection, instance: Entity) -> None:
    session = object_session(instance)
    if session is not None and session.is_modified(instance, include_collections=False):
        instance.updated_at = func.now()


@event.listens_for(Entity, "mapper_configured", propagate=True)
def _check_mapper(mapper: Mapper[Any], model: type[Entity]) -> None:
    name = model.__name__
    if mapper.version_id_col is None or mapper.base_mapper.eager_defaults is not True:
        raise TypeError(
            f"{name}: write __mapper_args__ = {{**Entity.__mapper_args__, …}}, since those of "
            "Entity count the versions"
        )
    for each in mapper.relationships:
        if each.cascade.delete_orphan and issubclass(each.mapper.class_, Entity):
            raise TypeError(
                f"{name}.{each.key}: delete-orphan would remove rows of "
                f"{each.mapper.class_.__name__} for good: leave it out, and delete by "
                "`await session.delete(instance)`, which a cascade of `all` may do as well"
            )


class Owned:
    """A row that belongs to the user who created it; nobody else reads or writes it."""

    owner_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("users.id", ondelete="CASCADE"))


def natural_key(table: Table) -> tuple[str, ...]:
    """The natural key of the entity whose rows the table holds."""
    key: tuple[str, ...] = table.info.get(_NATURAL_KEY, ())
    return key


def require_unique_key(model: type[Entity]) -> None:
    """Raises TypeError for a natural key that no index keeps unique."""
    key = model.natural_key
    if not isinstance(key, tuple):
        raise TypeError(f'{model.__name__}.natural_key: write a tuple of fields, such as ("name",)')
    columns = ["owner_id", *key] if issubclass(model, Owned) else [*key]
    table = model.metadata.tables[model.__tablename__]
    unique = [each for each in table.indexes if each.unique and is_among_live(each)]
    if key and {*columns} not in [{column.name for column in each.columns} for each in unique]:
        index = ", ".join(f'"{name}"' for name in (table.name, *columns))
        raise TypeError(
            f"{model.__name__}.natural_key: add unique_among_live({index}) to its __table_args__"
        )


def is_among_live(index: Index) -> bool:
    """Whether it has the live rows, and all of them."""
    assert index.table is not None
    return index_condition(index) in {_LIVE, f"{index.table.name}.{_LIVE}"}


def index_condition(index: Index) -> str | None:
    """The condition of a partial index, as SQL."""
    where = index.dialect_options["postgresql"]["where"]
    return None if where is None else str(where)


def reference(table: str, *, ondelete: OnDelete = "restrict") -> MappedColumn[Any]:
    """The id of a row of another entity; `ondelete` is what happens here when it is deleted.

    Repositories carry out this rule, since the database does not see a soft delete. The foreign key
    itself has no ON DELETE: it is checked at the end of a statement, so that all rows of an owner
    can be deleted in one, in any order.
    """
    return mapped_column(Uuid, ForeignKey(f"{table}.id"), info={"ondelete": ondelete})


@cache
def reference_fields(model: type[Entity]) -> tuple[str, ...]:
    """The fields that are made by `reference`."""
    mapper: Mapper[Any] = inspect(model)
    return tuple(
        mapper.get_property_by_column(column).key
        for column in mapper.columns
        if "ondelete" in column.info
    )


def listed_by(table: str, *columns: str) -> Index:
    """An index for lists of live rows in the order of its columns, forwards and backwards."""
    name = f"ix_{table}_{'_'.join(columns)}"
    return Index(name, *columns, postgresql_where=text(_LIVE))


def listed_in_bin(table: str, *columns: str) -> Index:
    """The same for lists of soft-deleted rows, at no cost for live ones."""
    name = f"ix_{table}_{'_'.join(columns)}_deleted"
    return Index(name, *columns, postgresql_where=text("deleted_at IS NOT NULL"))


def unique_among_live(table: str, *columns: str) -> Index:
    """A unique index of the live rows: a soft-deleted row is not in it."""
    name = f"uq_{table}_{'_'.join(columns)}"
    return Index(name, *columns, unique=True, postgresql_where=text(_LIVE))
