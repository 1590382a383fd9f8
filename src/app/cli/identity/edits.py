"""The files that name the project, and what each says afterwards.

Each edit goes by what stands around the name, so that it finds the one that an earlier `app init`
has written.
"""

import re
import tomllib
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from app.cli.generator.files.disk import Files, on_disk
from app.cli.identity.names import Identity, quoted
from app.database.migrations import ROOT

FIRST_VERSION = "0.1.0"  # of a new project

type Edit = Callable[[str, Identity], str]


def edited(project: Identity) -> Files:
    """The files that change. One that was deleted is left out."""
    found: dict[Path, str] = {}
    for path, edit in EDITS.items():
        text = on_disk(Path(path))
        if text is not None and (new := edit(text, project)) != text:
            found[Path(path)] = new
    return found


def package() -> dict[str, Any]:
    """What pyproject.toml says of the project as it is."""
    found: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return found


def _version() -> tuple[str, str]:
    """The project's own version, and that of the Plinth that it was made from."""
    found = package()
    current: str = found["project"]["version"]
    origin: str | None = found.get("tool", {}).get("plinth", {}).get("version")
    return (FIRST_VERSION, current) if origin is None else (current, origin)


def _pyproject(text: str, project: Identity) -> str:
    version, origin = _version()
    described = f"description = {quoted(project.title)}\n"
    if project.author:
        name, _, email = project.author.rstrip(">").rpartition(" <")
        described += f"authors = [{{ name = {quoted(name)}, email = {quoted(email)} }}]\n"
        text = _replaced(text, r"^authors = .*\n", "")
    text = _replaced(text, r'^name = ".*"$', f"name = {quoted(project.name)}")
    text = _replaced(text, r'^version = ".*"$', f'version = "{version}"')
    text = _replaced(text, r'^description = ".*"\n', described)
    if "[tool.plinth]" not in text:
        text += f'\n[tool.plinth]\nversion = "{origin}"  # that this project was made from\n'
    return text


def _lock(text: str, project: Identity, source: str) -> str:
    """The project's own package, which comes from the folder `source`, and where it is needed."""
    own = rf'^name = ".*"\nversion = ".*"\n(?=source = {{ editable = "{re.escape(source)}" }}$)'
    version, _ = _version()
    text = _replaced(text, own, f'name = "{project.name}"\nversion = "{version}"\n')
    text = text.replace(
        f'{{ name = "{package()["project"]["name"]}"', f'{{ name = "{project.name}"'
    )
    head, *packages = text.rstrip("\n").split("\n\n[[package]]\n")
    return "\n\n[[package]]\n".join([head, *sorted(packages, key=_first_line)]) + "\n"


def _first_line(text: str) -> str:
    return text.partition("\n")[0]


def _benchmarks(text: str, project: Identity) -> str:
    text = text.replace(f'    "{package()["project"]["name"]}",\n', f'    "{project.name}",\n')
    return _replaced(text, r'^[\w-]+(?= = \{ path = "\.\.")', project.name)


def _settings(text: str, project: Identity) -> str:
    return _replaced(text, r'^(APP_NAME = )".*"', quoted(project.title))


def _example_settings(text: str, project: Identity) -> str:
    return _replaced(text, r"^(#?APP_NAME=).*$", project.title)


def _settings_page(text: str, project: Identity) -> str:
    return _replaced(text, r"^(\| `APP_NAME` \| `)[^`]*", project.title)


def _containers(text: str, project: Identity) -> str:
    for before in (
        r"^name: ",
        r"^ +POSTGRES_(?:DB|USER): ",
        r"postgresql://",
        r"@database:5432/",
        r"--(?:username|dbname)=",
    ):
        text = re.sub(rf"({before})[\w-]+", rf"\g<1>{project.database}", text, flags=re.MULTILINE)
    return text


def _readme(text: str, project: Identity) -> str:
    return _replaced(text, r"\A(# ).*$", project.title)


def _replaced(text: str, pattern: str, replacement: str) -> str:
    """With the first match replaced; a group of the pattern is what stays before it."""
    found = re.compile(pattern, re.MULTILINE)
    return found.sub(lambda at: "".join(at.groups()) + replacement, text, count=1)


EDITS: Mapping[str, Edit] = {
    "pyproject.toml": _pyproject,
    "uv.lock": partial(_lock, source="."),
    "src/app/config.py": _settings,
    ".env.example": _example_settings,
    "compose.yaml": _containers,
    "README.md": _readme,
    "docs/settings.md": _settings_page,
    "benchmarks/pyproject.toml": _benchmarks,
    "benchmarks/uv.lock": partial(_lock, source="../"),
}
