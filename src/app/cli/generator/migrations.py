"""The migrations of generated entities: written without a database, withdrawn while they can be."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError

from app.cli.database import applied
from app.cli.generator.files import Files, render_template, scratch, tidy
from app.cli.local_database import local_database
from app.config import SettingsError, load_settings
from app.exceptions import AppError
from app.migrations import ROOT, alembic_config

VERSIONS = Path("alembic/versions")


@dataclass(frozen=True, slots=True)
class Migration:
    revision: str
    path: Path
    text: str


def make(
    message: str,
    table: str,
    models: Files,
    columns: Sequence[str] = (),
    defaults: Mapping[str, str] | None = None,
) -> Migration:
    """Of a new table, or of new columns, as these models have them."""
    upgrade, downgrade = _sources(table, models, columns, defaults or {})
    return _migration(message, upgrade, downgrade)


def unmake(
    message: str,
    table: str,
    models: Files,
    columns: Sequence[str] = (),
    defaults: Mapping[str, str] | None = None,
) -> Migration:
    """Of dropping what these models still have."""
    upgrade, downgrade = _sources(table, models, columns, defaults or {})
    return _migration(message, downgrade, upgrade)


def path_of(revision: str) -> Path | None:
    try:
        found = _scripts().get_revision(revision)
    except CommandError:
        return None
    return Path(found.path).relative_to(ROOT)


def can_be_deleted(revisions: Sequence[str]) -> bool:
    """Whether no other migration comes after them, and none of them is in the local database."""
    scripts = _scripts()
    line = [each.revision for each in scripts.walk_revisions()]
    if line[: len(revisions)] != list(reversed(revisions)):
        return False
    return _applied() not in revisions


def _sources(
    table: str, models: Files, columns: Sequence[str], defaults: Mapping[str, str]
) -> tuple[str, str]:
    with scratch(models) as folder:
        command = [
            sys.executable,
            "-m",
            "app.cli.generator.operations",
            str(folder / "src/app"),
            table,
        ]
        done = subprocess.run(  # noqa: S603 - ours
            [*command, json.dumps(dict(defaults)), *columns],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise RuntimeError(f"The models cannot be imported:\n{done.stderr}")
    upgrade, downgrade = json.loads(done.stdout)
    return upgrade, downgrade


def _migration(message: str, upgrade: str, downgrade: str) -> Migration:
    now = datetime.now(UTC)
    revision = uuid4().hex[-12:]
    slug = "_".join(message.replace(",", "").split())
    path = VERSIONS / f"{now:%Y%m%d_%H%M}_{slug}.py"
    if (ROOT / path).exists():
        path = VERSIONS / f"{now:%Y%m%d_%H%M}_{slug}_{revision}.py"
    source = render_template(
        "migration.py.jinja",
        message=message,
        revision=revision,
        down_revision=_scripts().get_current_head(),
        created=now,
        upgrade=upgrade,
        downgrade=downgrade,
    )
    return Migration(revision, path, tidy({path: source})[path])


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(alembic_config(""))


def _applied() -> str | None:
    """The revision of the database that this project uses on this machine, if there is one."""
    settings = load_settings()
    if settings.database_url is None and not (settings.data_dir / "postgres").exists():
        return None
    try:
        with local_database(settings) as found:
            return asyncio.run(applied(found))
    except (AppError, SettingsError, OSError):
        return None
