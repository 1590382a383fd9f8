from typing import Annotated

from fastapi import Depends

from app.auth.dependencies import CurrentSession
from app.core.types import Id
from app.dependencies import Work
from tests.lamps.models import Lamp
from tests.lamps.repository import LampRepository
from tests.lamps.service import LampService


async def get_lamps(work: Work, session: CurrentSession) -> LampService:
    return LampService(LampRepository(work, session.user_id))


Lamps = Annotated[LampService, Depends(get_lamps)]


async def load_lamp(lamp_id: Id, lamps: Lamps) -> Lamp:
    return await lamps.get(lamp_id)


LoadedLamp = Annotated[Lamp, Depends(load_lamp)]
