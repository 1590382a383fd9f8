"""A service's rule, tested without a database: the in-memory repository keeps the contract."""

from uuid import UUID, uuid4

import pytest

from app.common.memory_repository import MemoryRepository
from app.core.models import uuid7
from app.core.repository import Versions
from app.core.service import Service
from app.exceptions import Conflict, NotFound
from app.items.models import Item
from app.items.schemas import ItemCreate, ItemUpdate
from tests.common.test_repositories import change, new


class MemoryItems(MemoryRepository[Item, ItemCreate, ItemUpdate]): ...


class Frozen(Service[Item, ItemCreate, ItemUpdate]):
    """An example of a rule: what is archived stays as it is."""

    async def update(self, id: UUID, data: ItemUpdate, versions: Versions | None = None) -> Item:
        if (await self.get(id)).status == "archived":
            raise Conflict("An archived item cannot be changed")
        return await super().update(id, data, versions)


async def test_a_rule() -> None:
    service = Frozen(MemoryItems(uuid4()))
    item = await service.create(new(status="archived"))
    with pytest.raises(Conflict, match="archived"):
        await service.update(item.id, change(name="x"))


async def test_what_is_not_there_is_not_found() -> None:
    service = Service(MemoryItems(uuid4()))
    missing = uuid7()
    for call in (
        service.get(missing),
        service.update(missing, change(name="x")),
        service.delete(missing),
        service.restore(missing),
    ):
        with pytest.raises(NotFound, match=f"Item {missing} not found"):
            await call
