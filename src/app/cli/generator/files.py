"""Files as they shall be: rendered, compared with those that are there, and written all at once."""

import ast
import difflib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from app.cli.generator import templates
from app.cli.generator.merging import merge
from app.cli.generator.source import EntitySource
from app.cli.generator.spec import SpecError
from app.database.migrations import ROOT

ROLES = ("models", "schemas", "filters", "repository", "service", "dependencies", "router")

FIX = ["check", "--fix-only", '--config=lint.isort.known-first-party=["app", "tests"]']
UNUSED = [*FIX, "--select=F401"]
ONE_EACH = [*FIX, "--select=I", "--config=lint.isort.force-single-line=true"]
SORTED = [*FIX, "--select=I"]
FORMAT = ["format"]

type Files = Mapping[Path, str]


@dataclass(frozen=True, slots=True)
class Change:
    """A line of the output; `create`, `update`, `identical`, `conflict`, `remove` or `keep`."""

    verb: str
    path: Path

    def __str__(self) -> str:
        return f"{self.verb:>10}  {self.path}"


def render(entity: EntitySource) -> dict[Path, str]:
    """The files of an entity, by their paths from the root of the project."""
    package, tests = Path("src/app") / entity.plural, Path("tests") / entity.plural
    sources = {package / f"{role}.py": f"entity/{role}.py.jinja" for role in ROLES} | {
        tests / "factory.py": "tests/factory.py.jinja",
        tests / f"test_{entity.plural}.py": "tests/test_entity.py.jinja",
    }
    rendered = {path: templates.render(name, entity=entity) for path, name in sources.items()}
    return tidy(rendered) | {package / "__init__.py": "", tests / "__init__.py": ""}


def tidy(files: Files) -> dict[Path, str]:
    """The same as the project's formatter has them, without the imports that are not used."""
    return _ruff(files, UNUSED, SORTED, FORMAT)


def merged(base: Files, mine: Files, generated: Files) -> dict[Path, str | None]:
    """Files with both the changes by hand and those of the generator; None where they conflict.

    Of imports, each name is a line of its own meanwhile.
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
    """Raises SpecError for what is no Python."""
    if not files:
        return {}
    for path, text in files.items():
        try:
            ast.parse(text)
        except SyntaxError as error:  # of which ruff tells nothing here
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


@contextmanager
def scratch(files: Files) -> Generator[Path]:
    """A folder within the project, with these files, that is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix=".new-", dir=ROOT))
    try:
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
        yield folder
    finally:
        shutil.rmtree(folder)


def on_disk(path: Path) -> str | None:
    return (ROOT / path).read_text() if (ROOT / path).exists() else None


def difference(path: Path, text: str) -> str:
    """What is there, and what would be."""
    old = (on_disk(path) or "").splitlines(keepends=True)
    new = text.splitlines(keepends=True)
    return "".join(difflib.unified_diff(old, new, str(path), f"{path} as generated"))


def carry_out(writes: Files, deletes: Iterable[Path]) -> None:
    """All or none: what was there before is put back when one of them cannot be done."""
    before = {path: on_disk(path) for path in [*writes, *deletes]}
    try:
        _write(writes)
        for path in deletes:
            _delete(path)
    except BaseException:
        for path, text in before.items():
            if text is None:
                _delete(path)
            else:
                (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
                (ROOT / path).write_text(text)
        raise


def _write(files: Files) -> None:
    """Folders that are new come with all of their files, and what is served comes last."""
    with scratch(files) as folder:
        for path in sorted(files, key=lambda path: (path.parts[0] == "src", "api" in path.parts)):
            moved = path.parent if not (ROOT / path.parent).exists() else path
            if (folder / path).exists():
                (ROOT / moved).parent.mkdir(parents=True, exist_ok=True)
                (folder / moved).replace(ROOT / moved)
    (ROOT / "src/app/__init__.py").touch()  # `app dev` does not look into a folder that is moved in


def _delete(path: Path) -> None:
    """The file, and the folders that are empty without it, but for Python's caches."""
    (ROOT / path).unlink(missing_ok=True)
    folder = (ROOT / path).parent
    while folder != ROOT and folder.exists():
        if any(each.name != "__pycache__" for each in folder.iterdir()):
            return
        shutil.rmtree(folder)
        folder = folder.parent


def digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()
