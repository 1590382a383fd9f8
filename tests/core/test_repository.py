"""What a repository is told by its type arguments, and what it refuses when it is defined."""

from types import new_class
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel
from sqlalchemy import Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.common import bulk_sql
from app.common.memory_repository import MemoryRepository
from app.common.postgres_repository import PostgresRepository
from app.core.models import Entity, Owned, unique_among_live
from tests.common.tables import IsolatedEntity
from tests.lamps.models import Lamp
from tests.lamps.repository import LampRepository


class Coded(IsolatedEntity):
    __abstract__ = True

    code: Mapped[str] = mapped_column(String(20))
    year: Mapped[int]


class Plain(Coded):
    __tablename__ = "test_keys_plain"
    natural_key = ("code",)


class AmongAll(Coded):
    """A row in the bin would take part in an upsert."""

    __tablename__ = "test_keys_among_all"
    __table_args__ = (Index("uq_test_keys_among_all", "code", unique=True),)
    natural_key = ("code",)


class ByCondition(Coded):
    __tablename__ = "test_keys_by_condition"
    __table_args__ = (
        Index("uq_test_keys", "code", unique=True, postgresql_where=text("year > 2000")),
    )
    natural_key = ("code",)


class AmongAllOwners(Owned, Coded):
    __tablename__ = "test_keys_among_all_owners"
    __table_args__ = (unique_among_live("test_keys_among_all_owners", "code"),)
    natural_key = ("code",)


class OfOneIndex(Coded):
    __tablename__ = "test_keys_of_one_index"
    __table_args__ = (unique_among_live("test_keys_of_one_index", "code", "year"),)
    natural_key = ("code",)


class NoTuple(Coded):
    __tablename__ = "test_keys_no_tuple"
    __table_args__ = (unique_among_live("test_keys_no_tuple", "code"),)
    natural_key: ClassVar[Any] = "code"


class Composite(Coded):
    __tablename__ = "test_keys_composite"
    natural_key = ("year", "code")


# As SQLAlchemy's users may add one: when the class is made already.
Index(
    "uq_test_keys_composite",
    Composite.code,
    Composite.year,
    unique=True,
    postgresql_where=Composite.deleted_at.is_(None),
)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (Plain, 'add unique_among_live("test_keys_plain", "code") to its __table_args__'),
        (AmongAll, 'add unique_among_live("test_keys_among_all", "code")'),
        (ByCondition, 'add unique_among_live("test_keys_by_condition", "code")'),
        (
            AmongAllOwners,
            'add unique_among_live("test_keys_among_all_owners", "owner_id", "code")',
        ),
        (OfOneIndex, 'add unique_among_live("test_keys_of_one_index", "code")'),
        (NoTuple, 'write a tuple of fields, such as ("name",)'),
    ],
)
def test_a_natural_key_that_is_not_unique_is_refused(model: type[Entity], message: str) -> None:
    with pytest.raises(TypeError) as refused:
        new_class("Repository", (PostgresRepository[model, BaseModel, BaseModel],))
    assert f"{model.__name__}.natural_key: {message}" in str(refused.value)


def test_a_natural_key_is_the_models() -> None:
    class Composites(PostgresRepository[Composite, BaseModel, BaseModel]): ...

    class MemoryLamps(MemoryRepository[Lamp, BaseModel, BaseModel]): ...

    assert Composites.natural_key == ("year", "code")
    assert LampRepository.natural_key == MemoryLamps.natural_key == Lamp.natural_key == ("sku",)
    with pytest.raises(TypeError, match=r"Lamps\.natural_key: declare it on the entity's model"):

        class Lamps(PostgresRepository[Lamp, BaseModel, BaseModel]):
            natural_key = ("sku",)


def test_the_order_of_locks_needs_no_repository() -> None:
    table = IsolatedEntity.metadata.tables[Plain.__tablename__]  # which has none
    order = [str(each) for each in bulk_sql.lock_order(table)]
    assert order == ['test_keys_plain.code COLLATE "C"', "test_keys_plain.id"]


def test_repositories_may_share_a_base() -> None:
    class Shared[ModelT: Entity](PostgresRepository[ModelT, BaseModel, BaseModel]):
        def plural(self) -> str:
            return f"{self.model.__name__}s"

    class Lamps(Shared[Lamp]): ...

    assert (Lamps.model, Lamps.owned, Lamps.natural_key) == (Lamp, True, ("sku",))
