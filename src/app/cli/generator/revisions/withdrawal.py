"""Deletes migrations that this machine's database has not applied."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from alembic.script import Script

from app.cli.generator.revisions import history
from app.cli.local_database import local_database
from app.config import SettingsError, load_settings
from app.database.migrations import ROOT, applied
from app.exceptions import AppError


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """The files to delete, and those that must follow another migration then."""

    deleted: list[Path]
    changed: dict[Path, str]


def withdraw(gone: Sequence[Script], table: str) -> Withdrawal | None:
    """The line of migrations without those that are gone.

    None if one of them touches another table, or if the database on this machine has applied one or
    cannot be asked.
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
    """The source of a migration that follows `below`, or none, in place of `above`."""
    source = source.replace(f"Revises: {above}", f"Revises: {below or ''}".strip())
    return re.sub(rf"""["']{above}["']""", f'"{below}"' if below else "None", source)


def _path(script: Script) -> Path:
    return Path(script.path).relative_to(ROOT)


def _applied(line: Sequence[str]) -> set[str] | None:
    """The migrations that this machine's database has applied; None if it cannot be asked."""
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
