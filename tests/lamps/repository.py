from app.common.postgres_repository import PostgresRepository
from tests.lamps.models import Lamp
from tests.lamps.schemas import LampCreate, LampUpdate


class LampRepository(PostgresRepository[Lamp, LampCreate, LampUpdate]):
    """Queries beyond what every entity has go here; they start from `self.query()`."""
