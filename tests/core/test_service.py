"""A service's rule, tested without a database: the in-memory repository keeps the contract."""

from uuid import UUID, uuid4

import pytest

from app.common.memory_repository import MemoryRepository
from app.core.models import uuid7
from app.core.repository import Versions
from app.core.service import Service
from app.exceptions import Conflict, NotFound
from tests.common.test_repositories import change, new
from tests.lamps.models import Lamp
from tests.lamps.schemas import LampCreate, LampUpdate


class MemoryLamps(MemoryRepository[Lamp, LampCreate, LampUpdate]): ...


class Frozen(Service[Lamp, LampCreate, LampUpdate]):
    """An example of a rule: what is archived stays as it is."""

    async def update(self, id: UUID, data: LampUpdate, versions: Versions | None = None) -> Lamp:
        if (await self.get(id)).status == "archived":
            raise Conflict("An archived lamp cannot be changed")
        return await super().update(id, data, versions)


async def test_a_rule() -> None:
    service = Frozen(MemoryLamps(uuid4()))
    lamp = await service.create(new(status="archived"))
    with pytest.raises(Conflict, match="archived"):
        await service.update(lamp.id, change(name="x"))


async def test_what_is_not_there_is_not_found() -> None:
    service = Service(MemoryLamps(uuid4()))
    missing = uuid7()
    for call in (
        service.get(missing),
        service.update(missing, change(name="x")),
        service.delete(missing),
        service.restore(missing),
    ):
        with pytest.raises(NotFound, match=f"Lamp {missing} not found"):
            await call
