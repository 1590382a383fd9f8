"""Migrations as the application sees them: where they are, which one is applied, how to apply."""

import time
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import column, func, select, table
from sqlalchemy.exc import DBAPIError

from app.database.unit_of_work import UnitOfWork

ROOT = Path(__file__).resolve().parents[3]
ATTEMPTS = 60
PAUSE = 0.5  # seconds before another try at a table that a long reader holds
LOCK_NOT_AVAILABLE = "55P03"


def alembic_config(url: str) -> Config:
    """Alembic's configuration for the database at the URL."""
    config = Config(ROOT / "alembic.ini")
    config.attributes["url"] = url
    return config


def upgrade(url: str) -> None:
    """Apply what is missing. Of several at once one does, and the others wait for it.

    A table that is in use is waited for briefly, so that its readers never queue behind a
    migration that waits itself, and then tried again. Raises DBAPIError when that was in vain.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            command.upgrade(alembic_config(url), "head")
        except DBAPIError as error:
            state = getattr(error.orig, "sqlstate", None)
            if state != LOCK_NOT_AVAILABLE or attempt == ATTEMPTS:
                raise
            time.sleep(PAUSE)
        else:
            return


@cache
def head_revision() -> str | None:
    return ScriptDirectory.from_config(Config(ROOT / "alembic.ini")).get_current_head()


async def applied_revision(work: UnitOfWork) -> str | None:
    found = await work.fetch_one(select(func.to_regclass("alembic_version")))
    if found is None or found[0] is None:
        return None
    row = await work.fetch_one(select(column("version_num")).select_from(table("alembic_version")))
    return row["version_num"] if row else None
