from sqlalchemy import bindparam, insert

from app.common.postgres_repository import PostgresRepository
from app.database.sql import Statement
from app.security_events.models import SecurityEvent
from app.security_events.schemas import SecurityEventCreate, SecurityEventUpdate

_insert = insert(SecurityEvent).values(
    {name: bindparam(name, None) for name in ("id", *SecurityEventCreate.model_fields)}
)
RECORD = Statement(_insert)
RECORD_NOW = Statement(_insert, autonomous=True)


class SecurityEventRepository(
    PostgresRepository[SecurityEvent, SecurityEventCreate, SecurityEventUpdate]
):
    pass
