"""The contract that every repository keeps, wherever its rows are stored."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, Literal, get_args
from uuid import UUID

from pydantic import BaseModel

from app.core.filters import Filter
from app.core.models import Entity, Owned, require_unique_key
from app.core.pagination import Page
from app.exceptions import PreconditionFailed


class Everyone:
    """The explicit choice to see the rows of all owners."""

    def __repr__(self) -> str:
        return "EVERYONE"


EVERYONE: Final = Everyone()

type Caller = UUID | Everyone
type Outcome = Literal["created", "updated", "unchanged"]

type Versions = frozenset[int]
"""The versions of a row that a write accepts, from the client's If-Match."""


@dataclass(slots=True)
class Upserted:
    """The outcome for one row of a bulk upsert."""

    id: UUID
    outcome: Outcome


class AbstractRepository[ModelT: Entity, CreateT: BaseModel, UpdateT: BaseModel](ABC):
    """The rows of one entity that a caller may see, and what they may do to them.

    For every operation, a row that is soft-deleted or another owner's does not exist. A unique
    value that a live row holds raises Conflict, which names the field. A write with `versions`
    raises PreconditionFailed, and changes nothing, when the row's version is not among them.

    A reference to a row that does not exist raises Invalid, which names the field, or Conflict when
    the referring row is restored. Deleting a row carries out the rule of each reference to it, and
    raises Conflict where that is `restrict`.
    """

    model: type[ModelT]
    owned: ClassVar[bool]
    natural_key: ClassVar[tuple[str, ...]] = ()
    """Read from the model, which declares it."""

    def __init_subclass__(cls) -> None:
        """Raises TypeError for a natural key that is not the model's, or not unique."""
        super().__init_subclass__()
        if "natural_key" in vars(cls):
            raise TypeError(f"{cls.__name__}.natural_key: declare it on the entity's model")
        for base in getattr(cls, "__orig_bases__", ()):
            arguments = get_args(base)
            if arguments and isinstance(arguments[0], type):
                model: type[ModelT] = arguments[0]
                require_unique_key(model)
                cls.model, cls.natural_key = model, model.natural_key
                cls.owned = issubclass(model, Owned)

    def __init__(self, caller: Caller) -> None:
        self.caller = caller

    @property
    def owner_id(self) -> UUID:
        """The owner of the rows this repository creates; TypeError without one."""
        if isinstance(self.caller, UUID):
            return self.caller
        raise TypeError(f"{type(self).__name__}: a new row needs an owner, not {self.caller}")

    @abstractmethod
    async def get(self, id: UUID) -> ModelT | None: ...

    @abstractmethod
    async def list(self, filters: Filter) -> Page[ModelT]:
        """The page that the filters ask for; soft-deleted rows only where they say so."""

    @abstractmethod
    async def count(self, filters: Filter) -> int: ...

    @abstractmethod
    async def create(self, data: CreateT) -> ModelT: ...

    @abstractmethod
    async def update(
        self, id: UUID, data: UpdateT, versions: Versions | None = None
    ) -> ModelT | None:
        """Write the fields that were set. If none was, nothing changes, not even `updated_at`."""

    @abstractmethod
    async def delete(self, id: UUID, versions: Versions | None = None) -> bool:
        """Soft-delete the row; False if there is none."""

    @abstractmethod
    async def restore(self, id: UUID, versions: Versions | None = None) -> ModelT | None:
        """Restore a soft-deleted row; a live one is returned as it is."""

    @abstractmethod
    async def bulk_create(self, data: Sequence[CreateT]) -> Sequence[ModelT]:
        """Create all rows or none, and return them in the order given."""

    @abstractmethod
    async def bulk_upsert(self, data: Sequence[CreateT]) -> Sequence[Upserted]:
        """Create or update by the natural key, and return the outcome of each row, in order.

        A field that was not set takes its default in a new row and stays in an existing one; a
        row that would not change is not written. Raises Invalid when two rows share a key.
        """

    @abstractmethod
    async def bulk_delete(self, ids: Sequence[UUID]) -> int:
        """Soft-delete all of the rows or none, and return how many distinct ones there were.

        Raises NotFound when one of them does not exist.
        """

    def _of_version(self, row: ModelT | None, versions: Versions | None) -> ModelT | None:
        if row is not None and versions is not None and row.version not in versions:
            raise PreconditionFailed
        return row
