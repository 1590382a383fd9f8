from app.core.service import Service
from tests.lamps.models import Lamp
from tests.lamps.schemas import LampCreate, LampUpdate


class LampService(Service[Lamp, LampCreate, LampUpdate]):
    """Rules of lamps beyond what every entity has go here, as overridden methods."""
