"""Formats Python as the project does, and merges it."""

import ast
import subprocess
import sys
from pathlib import Path

from app.cli.generator.files.disk import Files, scratch
from app.cli.generator.files.merging import merge
from app.cli.generator.grammar.spec import SpecError
from app.database.migrations import ROOT

FIX = ["check", "--fix-only", '--config=lint.isort.known-first-party=["app", "tests"]']
UNUSED = [*FIX, "--select=F401"]
ONE_EACH = [*FIX, "--select=I", "--config=lint.isort.force-single-line=true"]
SORTED = [*FIX, "--select=I"]
FORMAT = ["format"]


def tidy(files: Files) -> dict[Path, str]:
    """The files, formatted, without the imports that are not used."""
    return _ruff(files, UNUSED, SORTED, FORMAT)


def merged(base: Files, mine: Files, generated: Files) -> dict[Path, str | None]:
    """Files with both the edits by hand and the generator's changes; None where they conflict.

    For the merge, each imported name has a line of its own.
    """
    texts = [
        _ruff({path: files[path] for path in mine}, ONE_EACH) for files in (base, mine, generated)
    ]
    results: dict[Path, str | None] = dict.fromkeys(mine)
    found: dict[Path, str] = {}
    for path in mine:
        lines = merge(*(text[path].splitlines(keepends=True) for text in texts))
        if lines is not None:
            found[path] = "".join(lines)
    return results | _ruff(found, SORTED, FORMAT)


def _ruff(files: Files, *commands: list[str]) -> dict[Path, str]:
    """Raises SpecError for a file that is not Python."""
    if not files:
        return {}
    for path, text in files.items():
        try:
            ast.parse(text)
        except SyntaxError as error:  # ruff would not say where
            raise SpecError([f"{path}:{error.lineno}: {error.msg}"]) from None
    with scratch(files) as folder:
        paths = [str(folder / path) for path in files]
        for options in commands:
            command = [
                str(Path(sys.executable).with_name("ruff")),
                *options,
                "--quiet",
                "--no-cache",
            ]
            done = subprocess.run(  # noqa: S603 - ours
                [*command, *paths], cwd=ROOT, capture_output=True, text=True, check=False
            )
            if done.returncode:
                raise SpecError((done.stdout + done.stderr).replace(f"{folder}/", "").splitlines())
        return {path: (folder / path).read_text() for path in files}
