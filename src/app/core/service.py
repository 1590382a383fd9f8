"""What every service needs; an entity overrides the method where it has a rule."""

from collections.abc import Sequence
from uuid import UUID

from pydantic import BaseModel

from app.core.filters import Filter
from app.core.models import Entity
from app.core.pagination import Page
from app.core.repository import AbstractRepository, Upserted, Versions
from app.exceptions import NotFound


class Service[ModelT: Entity, CreateT: BaseModel, UpdateT: BaseModel]:
    """The rules of one entity, on any of its repositories. Raises NotFound if a row is missing."""

    def __init__(self, repository: AbstractRepository[ModelT, CreateT, UpdateT]) -> None:
        self.repository = repository

    async def get(self, id: UUID) -> ModelT:
        return self._found(await self.repository.get(id), id)

    async def list(self, filters: Filter) -> Page[ModelT]:
        return await self.repository.list(filters)

    async def create(self, data: CreateT) -> ModelT:
        return await self.repository.create(data)

    async def update(self, id: UUID, data: UpdateT, versions: Versions | None = None) -> ModelT:
        return self._found(await self.repository.update(id, data, versions), id)

    async def delete(self, id: UUID, versions: Versions | None = None) -> None:
        if not await self.repository.delete(id, versions):
            raise self._missing(id)

    async def restore(self, id: UUID, versions: Versions | None = None) -> ModelT:
        return self._found(await self.repository.restore(id, versions), id)

    async def bulk_create(self, data: Sequence[CreateT]) -> Sequence[ModelT]:
        return await self.repository.bulk_create(data)

    async def bulk_upsert(self, data: Sequence[CreateT]) -> Sequence[Upserted]:
        return await self.repository.bulk_upsert(data)

    async def bulk_delete(self, ids: Sequence[UUID]) -> int:
        return await self.repository.bulk_delete(ids)

    def _found(self, row: ModelT | None, id: UUID) -> ModelT:
        if row is None:
            raise self._missing(id)
        return row

    def _missing(self, id: UUID) -> NotFound:
        return NotFound(f"{self.repository.model.__name__} {id} not found")
