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

from app.cli.database import applied
from app.cli.generator import templates
from app.cli.generator.files import Files, scratch, tidy
from app.cli.generator.spec import SpecError
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


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """What is left of a line of migrations without some of them."""

    deleted: list[Path]
    changed: dict[Path, str]


def make(
    message: str, table: str, package: Files, columns: Mapping[str, str | None] | None = None
) -> Migration:
    """Of a new table as the package has it, or of new columns, with what existing rows get."""
    upgrade, downgrade = _sources(table, package, columns or {})
    return _migration(message, upgrade, downgrade)


def unmake(
    message: str, table: str, package: Files, columns: Mapping[str, str | None] | None = None
) -> Migration:
    """Of dropping what the package still has."""
    upgrade, downgrade = _sources(table, package, columns or {})
    return _migration(message, downgrade, upgrade)


def message(revisions: Sequence[str]) -> str:
    """That of the first one; empty if there is none."""
    scripts = _scripts().walk_revisions()
    return next((each.doc for each in scripts if each.revision in revisions[:1]), "")


def withdraw(revisions: Sequence[str]) -> Withdrawal | None:
    """The line without them; None if the database on this machine has one, or does not tell."""
    line = list(_scripts().walk_revisions())  # the latest first
    gone = [each for each in line if each.revision in revisions]
    if not gone:
        return Withdrawal([], {})
    applied = _applied([each.revision for each in line])
    if applied is None or not applied.isdisjoint(revisions):
        return None
    changed: dict[Path, str] = {}
    before = {each.revision: each.down_revision for each in gone}
    for each in line:
        below = each.down_revision
        while below in before:
            below = before[below]
        if each not in gone and below != each.down_revision:
            source = Path(each.path).read_text()
            path = Path(each.path).relative_to(ROOT)
            changed[path] = source.replace(str(each.down_revision), str(below))
    return Withdrawal([Path(each.path).relative_to(ROOT) for each in gone], changed)


def _sources(table: str, package: Files, columns: Mapping[str, str | None]) -> tuple[str, str]:
    """Raises SpecError for models that cannot be imported."""
    with scratch(package) as folder:
        arguments = [str(folder / "src/app"), table, json.dumps(dict(columns))]
        done = subprocess.run(  # noqa: S603 - ours
            [sys.executable, "-m", "app.cli.generator.operations", *arguments],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        *_, reason = done.stderr.strip().splitlines()
        raise SpecError([f"{table}: its models cannot be imported: {reason}"])
    upgrade, downgrade = json.loads(done.stdout)
    return upgrade, downgrade


def _migration(message: str, upgrade: str, downgrade: str) -> Migration:
    now = datetime.now(UTC)
    revision = uuid4().hex[-12:]
    slug = "_".join(message.split())[:80]
    path = VERSIONS / f"{now:%Y%m%d_%H%M}_{slug}.py"
    if (ROOT / path).exists():
        path = VERSIONS / f"{now:%Y%m%d_%H%M}_{slug}_{revision}.py"
    source = templates.render(
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


def _applied(line: Sequence[str]) -> set[str] | None:
    """What the database on this machine has of the line; None if that cannot be told."""
    settings = load_settings()
    if settings.database_url is None and not (settings.data_dir / "postgres").exists():
        return set()
    try:
        with local_database(settings) as found:
            revision = asyncio.run(applied(found))
    except (AppError, SettingsError, OSError):
        return None
    if revision is None:
        return set()
    return set(line[line.index(revision) :]) if revision in line else None
