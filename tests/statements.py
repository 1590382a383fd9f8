"""Watches the SQL that requests run."""

from collections.abc import Generator
from contextlib import contextmanager
from unittest.mock import patch

from app.database.unit_of_work import UnitOfWork


@contextmanager
def recorded_statements() -> Generator[list[str]]:
    """The statements run inside the context, BEGIN and COMMIT included, in order."""
    statements: list[str] = []
    call = UnitOfWork._call

    async def record(self: UnitOfWork, method: str, sql: str, *arguments: object) -> object:
        statements.append(sql)
        return await call(self, method, sql, *arguments)

    with patch.object(UnitOfWork, "_call", record):
        yield statements
