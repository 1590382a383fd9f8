"""The migrations of generated entities: written without a database, withdrawn while they can be."""

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from alembic.script import Script

from app.cli.generator import history, templates
from app.cli.generator.files import Files, scratch, tidy
from app.cli.generator.processes import run_module
from app.cli.generator.spec import SpecError
from app.cli.local_database import local_database
from app.cli.maintenance import applied
from app.config import SettingsError, load_settings
from app.database.migrations import ROOT
from app.exceptions import AppError

VERSIONS = Path("alembic/versions")


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """What is left of a line of migrations without some of them."""

    deleted: list[Path]
    changed: dict[Path, str]


def make(
    message: str, table: str, package: Files, columns: Mapping[str, str | None] | None = None
) -> Files:
    """Of a new table as the package has it, or of new columns, with what existing rows get."""
    upgrade, downgrade = _sources(table, package, columns or {})
    return _migration(message, upgrade, downgrade)


def unmake(
    message: str, table: str, package: Files, columns: Mapping[str, str | None] | None = None
) -> Files:
    """Of dropping what the package still has."""
    upgrade, downgrade = _sources(table, package, columns or {})
    return _migration(message, downgrade, upgrade)


def withdraw(gone: Sequence[Script], table: str) -> Withdrawal | None:
    """The line without them.

    None if they touch other tables too, if the database on this machine has one, or if it does not
    tell.
    """
    if not all(history.is_of(each, table) for each in gone):
        return None
    line = history.line()
    before = {each.revision: each.down_revision for each in gone}
    applied = _applied([each.revision for each in line])
    if applied is None or not applied.isdisjoint(before):
        return None
    changed: dict[Path, str] = {}
    for each in line:
        below = each.down_revision
        while below in before:
            below = before[below]
        if each.revision not in before and below != each.down_revision:
            source = Path(each.path).read_text()
            changed[_path(each)] = onto(source, str(each.down_revision), below)
    return Withdrawal([_path(each) for each in gone], changed)


def onto(source: str, above: str, below: object) -> str:
    """A migration that no longer follows the one, but the other, or none."""
    source = source.replace(f"Revises: {above}", f"Revises: {below or ''}".strip())
    return re.sub(rf"""["']{above}["']""", f'"{below}"' if below else "None", source)


def _path(script: Script) -> Path:
    return Path(script.path).relative_to(ROOT)


def _sources(table: str, package: Files, columns: Mapping[str, str | None]) -> tuple[str, str]:
    """Raises SpecError for models that cannot be imported."""
    with scratch(package) as folder:
        arguments = [str(folder / "src/app"), table, json.dumps(dict(columns))]
        ended = run_module("app.cli.generator.operations", *arguments).finish()
    *_, last = ended.output.splitlines()
    if not ended.passed:
        raise SpecError([f"{table}: its models cannot be imported: {last}"])
    upgrade, downgrade = json.loads(last)
    return upgrade, downgrade


def _migration(message: str, upgrade: str, downgrade: str) -> Files:
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
        down_revision=next((each.revision for each in history.line()), None),
        created=now,
        upgrade=upgrade,
        downgrade=downgrade,
    )
    return tidy({path: source})


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
