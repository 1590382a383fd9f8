"""Files as they shall be: rendered, compared with those that are there, and written all at once."""

import difflib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined

from app.cli.generator import names
from app.cli.generator.source import EntitySource
from app.migrations import ROOT

TEMPLATES = Path(__file__).parents[1] / "templates"
OVERRIDES = ROOT / "templates"  # a project's own, by the same names

SORT_IMPORTS = [
    "check",
    "--fix-only",
    "--select=I,F401",
    '--config=lint.isort.known-first-party=["app", "tests"]',  # not there yet
]

type Files = Mapping[Path, str]


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the command's output; `create`, `identical`, `conflict`, `remove` or `keep`."""

    verb: str
    path: Path

    def __str__(self) -> str:
        return f"{self.verb:>10}  {self.path}"


def render(entity: EntitySource) -> dict[Path, str]:
    """The files of an entity, by their paths from the root of the project."""
    package, tests = Path("src/app") / entity.plural, Path("tests") / entity.plural
    templates = {
        package / f"{name}.py": f"entity/{name}.py.jinja"
        for name in (
            "models",
            "schemas",
            "filters",
            "repository",
            "service",
            "dependencies",
            "router",
        )
    } | {
        tests / "factory.py": "tests/factory.py.jinja",
        tests / f"test_{entity.plural}.py": "tests/test_entity.py.jinja",
    }
    rendered = {path: render_template(name, entity=entity) for path, name in templates.items()}
    return tidy(rendered) | {package / "__init__.py": "", tests / "__init__.py": ""}


def render_template(name: str, **values: object) -> str:
    environment = Environment(
        loader=ChoiceLoader([FileSystemLoader(OVERRIDES), FileSystemLoader(TEMPLATES)]),
        line_statement_prefix="#%",
        keep_trailing_newline=True,
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - Python, not HTML
    )
    return environment.get_template(name).render(values, names=names)


def tidy(files: Files) -> dict[Path, str]:
    """The same as the project's formatter has them, without the imports that are not used."""
    with scratch(files) as folder:
        paths = [str(folder / path) for path in files]
        for options in (SORT_IMPORTS, ["format"]):
            command = [ruff(), *options, "--quiet", "--no-cache", *paths]
            subprocess.run(command, cwd=ROOT, check=True)  # noqa: S603 - ours
        return {path: (folder / path).read_text() for path in files}


def ruff() -> str:
    return str(Path(sys.executable).with_name("ruff"))


@contextmanager
def scratch(files: Files) -> Iterator[Path]:
    """A folder within the project, with these files, that is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix=".new-", dir=ROOT))
    try:
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
        yield folder
    finally:
        shutil.rmtree(folder)


def compare(files: Files) -> list[Change]:
    """What writing them would mean."""
    changes = []
    for path, text in sorted(files.items()):
        if not (ROOT / path).exists():
            changes.append(Change("create", path))
        else:
            same = (ROOT / path).read_text() == text
            changes.append(Change("identical" if same else "conflict", path))
    return changes


def difference(path: Path, text: str) -> str:
    """What is there, and what would be."""
    old = (ROOT / path).read_text().splitlines(keepends=True)
    return "".join(
        difflib.unified_diff(old, text.splitlines(keepends=True), f"{path}", "generated")
    )


def write(files: Files) -> None:
    """All or none: what was there before is put back when one of them cannot be written."""
    before = {path: (ROOT / path).read_text() if (ROOT / path).exists() else None for path in files}
    with scratch(files) as folder:
        try:
            for path in files:
                (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).replace(ROOT / path)
        except BaseException:
            put_back(before)
            raise


def put_back(before: Mapping[Path, str | None]) -> None:
    for path, text in before.items():
        if text is None:
            delete(path)
        else:
            (ROOT / path).write_text(text)


def delete(path: Path) -> None:
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
