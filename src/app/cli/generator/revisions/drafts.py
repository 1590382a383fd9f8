"""The migrations of generated entities, written without a database."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from app.cli.generator.files.disk import Files, scratch
from app.cli.generator.grammar.spec import SpecError
from app.cli.generator.processes import run_module
from app.cli.generator.rendering import templates
from app.cli.generator.rendering.tidy import tidy
from app.cli.generator.revisions import history
from app.database.migrations import ROOT

VERSIONS = Path("alembic/versions")


def make(
    message: str, table: str, package: Files, columns: Mapping[str, str | None] | None = None
) -> Files:
    """A migration that creates the table, or `columns` with the values of existing rows."""
    upgrade, downgrade = _sources(table, package, columns or {})
    return _migration(message, upgrade, downgrade)


def unmake(
    message: str, table: str, package: Files, columns: Mapping[str, str | None] | None = None
) -> Files:
    """A migration that drops the table, or `columns`, which the package still has."""
    upgrade, downgrade = _sources(table, package, columns or {})
    return _migration(message, downgrade, upgrade)


def _sources(table: str, package: Files, columns: Mapping[str, str | None]) -> tuple[str, str]:
    """Raises SpecError for models that cannot be imported."""
    with scratch(package) as folder:
        arguments = [str(folder / "src/app"), table, json.dumps(dict(columns))]
        ended = run_module("app.cli.generator.revisions.directives", *arguments).finish()
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
