"""At the level debug, the log has one line for each statement, and no value of a parameter."""

from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError
from structlog.testing import capture_logs

from app.config import Settings
from app.database.connections import Database
from app.database.unit_of_work import UnitOfWork
from app.exceptions import Invalid
from app.logging import configure_logging
from app.users.models import User
from tests.problems import CANARY

BY_EMAIL = select(User.id).where(User.email == CANARY)
FAILING = select(func.to_date(CANARY, "YYYY"))


@pytest.fixture
async def talkative(settings: Settings, database: Database) -> AsyncIterator[Database]:
    """The same database, at the level debug."""
    told = settings.model_copy(update={"log_level": "debug"})
    configure_logging(told)
    made = Database(database.engine.url.render_as_string(hide_password=False), told)
    yield made
    await made.close()
    configure_logging(settings)


async def lines_of(database: Database, statement: Any, way: str) -> list[Any]:
    with capture_logs() as logs, suppress(Invalid, DBAPIError):
        async with UnitOfWork(database) as work:
            if way == "session":
                await work.session().execute(statement)
            else:
                await work.fetch(statement)
    return [each for each in logs if each["event"] == "sql"]


@pytest.mark.parametrize("way", ["unit", "session"])
class TestStatements:
    @pytest.mark.parametrize("statement", [BY_EMAIL, FAILING], ids=["rows", "an error"])
    async def test_each_has_a_line_with_its_time(
        self, talkative: Database, statement: Any, way: str
    ) -> None:
        lines = await lines_of(talkative, statement, way)
        [line] = [each for each in lines if each["statement"].startswith("SELECT")]
        assert "$1" in line["statement"]
        assert "\n" not in line["statement"]
        assert (line["log_level"], line["ms"] > 0) == ("debug", True)
        assert CANARY not in str(lines)

    async def test_there_is_none_by_default(self, database: Database, way: str) -> None:
        assert await lines_of(database, BY_EMAIL, way) == []
