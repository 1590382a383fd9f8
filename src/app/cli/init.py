import subprocess
import sys
from typing import Annotated

import typer

from app.cli.generator import entities
from app.cli.generator.changeset import Change, Changeset
from app.cli.generator.files.disk import carry_out
from app.cli.generator.files.manifest import find
from app.cli.generator.grammar.spec import SpecError
from app.cli.identity.edits import edited
from app.cli.identity.names import Identity, identity
from app.database.migrations import ROOT

EXAMPLE = "item"
UNDO = "commit them, or take them back with `git checkout .`, so that this can be undone"


def init(
    name: Annotated[str, typer.Argument(help="Of the package: acme, or acme-shop.")],
    title: Annotated[
        str | None, typer.Option(help="What people read. Default: the name, as Acme Shop.")
    ] = None,
    without_example: Annotated[
        bool, typer.Option("--without-example", help="Remove the example entity too.")
    ] = False,
) -> None:
    """Give the project a name of its own: the package, the API, its mails and databases."""
    try:
        project = identity(name, title)
        _require_no_changes()
        removed = _without_example() if without_example else None
    except SpecError as error:
        print(*error.problems, "Nothing was written.", sep="\n", file=sys.stderr)
        sys.exit(2)
    files = edited(project)
    carry_out({**files, **(removed.writes if removed else {})}, removed.deletes if removed else [])
    for path in files:
        print(f"    update  {path}")
    if removed is not None:
        print(*_short(removed), sep="\n")
    print(_next_steps(project, removed) if files or removed else "Nothing to do: it has that name.")


def _require_no_changes() -> None:
    """Raises SpecError where git could not undo what is done."""
    command = ["git", "status", "--porcelain", "--untracked-files=no"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    if done.returncode != 0:
        repository = "git init && git add --all && git commit --message='Plinth as it came'"
        raise SpecError([f"This is no git repository, so nothing could be undone: {repository}"])
    if done.stdout:
        changed = ", ".join(line[3:] for line in done.stdout.splitlines()[:3])
        raise SpecError([f"There are changes that are not committed, such as {changed}: {UNDO}"])


def _without_example() -> Changeset | None:
    return entities.remove_entity(EXAMPLE) if find(EXAMPLE) else None


def _short(removed: Changeset) -> list[str]:
    """A line for each folder of the entity's, unless some of its files stay."""
    lines = []
    for each in removed.changes:
        whole = each.verb == "remove" and each.path.parent.name == removed.entity.plural
        lines.append(str(Change(each.verb, each.path.parent) if whole else each))
    return list(dict.fromkeys(lines))


def _next_steps(project: Identity, removed: Changeset | None) -> str:
    changes = removed.changes if removed else []
    made = [each.path for each in changes if each.verb == "create"]
    undo = " && ".join(["git checkout .", *(f"rm {path}" for path in made)])
    return f"""
It is called {project.title} now, and {project.name} as a package, which is imported as `app`.

Next
  uv sync --reinstall-package {project.name}    installs it under its new name
  uv run app check --fast
  git commit --all      or take all of it back: {undo}
  README.md and LICENSE are still Plinth's: write your own README; the licence asks for its notice
"""
