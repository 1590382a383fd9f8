"""Migrations as the application sees them: where they are, which are applied, how to apply them."""

import time
import warnings
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import column, func, select, table
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from app.config import Settings
from app.database.connections import Database
from app.database.unit_of_work import UnitOfWork
from app.database.unreachable import unreachable
from app.one_line import one_line, place

ROOT = Path(__file__).resolve().parents[3]
VERSIONS = ROOT / "alembic" / "versions"
ATTEMPTS = 60
PAUSE = 0.5  # seconds before another try at a table that a long reader holds
LOCK_NOT_AVAILABLE = "55P03"
# alembic/env.py puts them there, before the first migration.
REVISION, LINE = "revision", "line"

# All revisions that are applied, as each migration leaves them: older code finds its own there.
applied_line = select(func.obj_description(func.to_regclass("alembic_version"), "pg_class"))


class MigrationError(CommandError):
    """The migrations cannot be applied; the message says why and what to do, in one line."""

    explains_itself = True


def alembic_config(url: str) -> Config:
    """Alembic's configuration for the database at the URL."""
    config = Config(ROOT / "alembic.ini")
    config.attributes["url"] = url
    return config


def upgrade(url: str) -> str | None:
    """Apply what is missing. Of several at once one does, and the others wait for it.

    A table that is in use is waited for briefly, so that its readers never queue behind a
    migration that waits itself, and then tried again. Returns the revision of the database, which
    is not one of ours where a newer release has migrated it. Raises MigrationError.
    """
    config = alembic_config(url)
    head = _head(config)
    for attempt in range(1, ATTEMPTS + 1):
        try:
            command.upgrade(config, "head")
        except DBAPIError as error:
            state = getattr(error.orig, "sqlstate", None)
            if state != LOCK_NOT_AVAILABLE or attempt == ATTEMPTS:
                raise _failed(error, url) from error
            time.sleep(PAUSE)
        except CommandError as error:
            revision: str | None = config.attributes.get(REVISION)
            if revision is None or _is_known(revision, config):
                raise
            if head not in config.attributes[LINE]:
                raise MigrationError(_unknown(revision, head)) from error
            return revision
        except Exception as error:
            raise _failed(error, url) from error
        else:
            break
    return head


@cache
def head_revision() -> str | None:
    """The revision that this code needs. Raises MigrationError."""
    return _head(alembic_config(""))


async def applied(settings: Settings) -> str | None:
    """The revision that the database is at; None for an empty one."""
    assert settings.database_url is not None
    database = Database(settings.database_url.get_secret_value(), settings)
    try:
        async with UnitOfWork(database) as work:
            return await applied_revision(work)
    finally:
        await database.close()


async def applied_revision(work: UnitOfWork) -> str | None:
    found = await work.fetch_one(select(func.to_regclass("alembic_version")))
    if found is None or found[0] is None:
        return None
    row = await work.fetch_one(select(column("version_num")).select_from(table("alembic_version")))
    return row["version_num"] if row else None


async def missing(work: UnitOfWork) -> str | None:
    """What keeps this code from running on the database, if it lacks migrations.

    One that a newer release has migrated lacks none: the schema suits two releases at once.
    """
    revision, head = await applied_revision(work), head_revision()
    if revision == head:
        return None
    if revision is None or _is_known(revision, alembic_config("")):
        return "Migrations are missing: run `app migrate`"
    line = await work.fetch_one(applied_line)
    return None if line and head in (line[0] or "").split() else _unknown(revision, head)


def _head(config: Config) -> str | None:
    """Raises MigrationError if the migrations do not form one line."""
    scripts = ScriptDirectory.from_config(config)
    try:
        with warnings.catch_warnings():
            # Alembic warns of a revision without a file or with two, and fails later with less.
            warnings.filterwarnings("error", "Revision .* present", UserWarning)
            heads = scripts.get_heads()
    except (UserWarning, CommandError) as error:
        raise MigrationError(
            f"alembic/versions: {error}: correct `revision` and `down_revision` in its files"
        ) from error
    except Exception as error:
        raise MigrationError(f"alembic/versions: {one_line(error)}") from error
    if len(heads) > 1:
        names = " and ".join(sorted(Path(scripts.get_revision(each).path).name for each in heads))
        raise MigrationError(
            f"alembic/versions has several heads, {names}: set `down_revision` of the one that no "
            "database has yet to the revision of the other (`uv run alembic current` tells which "
            "one yours has)"
        )
    return heads[0] if heads else None


def _is_known(revision: str, config: Config) -> bool:
    scripts = ScriptDirectory.from_config(config)
    return revision in {each.revision for each in scripts.walk_revisions()}


def _unknown(revision: str, head: str | None) -> str:
    return (
        f"The database is at revision {revision}, which this code does not know, and lacks its own "
        f"{head}: deploy the release or switch to the branch that has both; in development, "
        "DATA_DIR or DATABASE_URL may name another database"
    )


def _failed(error: Exception, url: str) -> CommandError:
    if isinstance(error, OSError | SQLAlchemyError) and place(error, VERSIONS) is None:
        return MigrationError(str(unreachable(error, url)))
    return MigrationError(f"A migration failed: {one_line(error)}")
