"""What a project is called: by programs, and by people."""

import json
import re
import subprocess
from dataclasses import dataclass

from app.cli.generator.grammar.spec import SpecError
from app.config import printable
from app.database.migrations import ROOT

NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
MAX_NAME, MAX_TITLE = 40, 50
TAKEN = {"template0", "template1"}  # databases of PostgreSQL's own
FOREIGN = re.compile(r'^name = "(.+)"\nversion = .*\nsource = { registry', re.MULTILINE)
LOCKS = ("uv.lock", "benchmarks/uv.lock")


@dataclass(frozen=True, slots=True)
class Identity:
    """`name` is the package's, `title` what people read, `author` a name with an address."""

    name: str
    title: str
    author: str | None = None

    @property
    def database(self) -> str:
        return self.name.replace("-", "_")


def identity(name: str, title: str | None) -> Identity:
    """What the project will be called. Raises SpecError with everything that is wrong."""
    title = name.replace("-", " ").title() if title is None else title.strip()
    if problems := [*_wrong_with_name(name), *_wrong_with_title(title)]:
        raise SpecError(problems)
    return Identity(name, title, _author())


def quoted(text: str) -> str:
    """As TOML and Python write it."""
    return json.dumps(text, ensure_ascii=False)


def _wrong_with_name(name: str) -> list[str]:
    if not NAME.fullmatch(name) or len(name) > MAX_NAME:
        made = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-0123456789")[:MAX_NAME].rstrip("-")
        hint = f", such as {made}" if made else ""
        rule = f"up to {MAX_NAME} lower-case letters and digits, in words that hyphens join"
        return [f"{name}: must be {rule}, and begin with a letter{hint}"]
    if name in TAKEN:
        return [f"{name}: is a database of PostgreSQL's own"]
    if name in _packages():
        return [f"{name}: is a package that the project uses; choose another name"]
    return []


def _packages() -> set[str]:
    """Those that the project needs from elsewhere."""
    texts = [(ROOT / each).read_text() for each in LOCKS if (ROOT / each).exists()]
    return {name for text in texts for name in FOREIGN.findall(text)}


def _wrong_with_title(title: str) -> list[str]:
    try:
        printable(title)
    except ValueError as error:
        return [f"--title: {error}"]
    if not title or len(title) > MAX_TITLE:
        return [f"--title: must have 1 to {MAX_TITLE} characters"]
    if set(title) & set("\"'\\#"):
        return ["--title: must be without quotes, \\ and #"]
    return []


def _author() -> str | None:
    """Who commits here."""
    name, email = (_git_setting(f"user.{each}") for each in ("name", "email"))
    return f"{name} <{email}>" if name and email else None


def _git_setting(name: str) -> str:
    command = ["git", "config", "--get", name]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    return done.stdout.strip()
