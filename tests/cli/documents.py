"""Writes the documents that are made from the code: `uv run python -m tests.cli.documents`."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.core import TyperGroup

from app.cli.generator.grammar.help import GRAMMAR
from app.cli.lazy import LazyCommand
from app.cli.main import cli
from app.database.migrations import ROOT

COMMANDS = """\
# Commands

`uv run app COMMAND`; each has `--help`. A command that fails says why in one line and what to do,
and exits with another status than 0.
"""
SETTINGS = """\
# Settings

They come from the environment, or from a file `.env` in the current folder; the environment wins,
and an empty value counts as none. What is not safe in production is refused there, at start, with a
line for each. `.env.example` is this list to copy from.
"""
SETTING = re.compile(r"((?:# .*\n)+)((?:#[A-Z_]+=.*(?:\n|\Z))+)", re.MULTILINE)
SECTION = re.compile(r"\n\n# ([^\n]+)\n\n")


def documents() -> dict[Path, str]:
    return {
        ROOT / "docs/commands.md": COMMANDS + "".join(_commands("app", cli)) + _grammar(),
        ROOT / "docs/settings.md": SETTINGS + "".join(_settings()),
    }


def _commands(path: str, group: TyperGroup) -> Iterator[str]:
    for name, found in group.commands.items():
        if isinstance(found, TyperGroup):
            yield from _commands(f"{path} {name}", found)
            continue
        assert isinstance(found, LazyCommand)
        command: Any = found.load()
        yield f"\n## `{path} {name}`\n\n{_sentences(command.help)}\n"
        rows = [_parameter(each) for each in command.params if each.name != "help"]
        if rows:
            yield "\n| argument or option | |\n|---|---|\n" + "".join(rows)


def _parameter(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        many = "…" if parameter.nargs == -1 else ""
        names = f"`{parameter.name.upper()}{many}`"
    else:
        value = "" if parameter.is_flag else " …"
        names = ", ".join(f"`{each}{value}`" for each in parameter.opts)
    return f"| {names} | {parameter.help or ''} |\n"


def _sentences(help: str) -> str:
    return "\n".join(line.rstrip() for line in help.strip().splitlines())


def _grammar() -> str:
    """What `app new --help` tells of types and flags."""
    text = re.sub(r"^\\b\n", "", GRAMMAR.replace("\b", ""), flags=re.MULTILINE).strip("\n")
    return f"\n## Fields\n\n```text\n{text}\n```\n"


def _settings() -> Iterator[str]:
    text = (ROOT / ".env.example").read_text()
    _, *parts = SECTION.split(text)
    for title, settings in zip(parts[::2], parts[1::2], strict=True):
        yield f"\n## {title}\n\n| setting | default | |\n|---|---|---|\n"
        for comment, lines in SETTING.findall(settings):
            names, defaults = zip(
                *(each[1:].split("=", 1) for each in lines.splitlines()), strict=True
            )
            about = " ".join(line.removeprefix("# ") for line in comment.splitlines())
            yield f"| {_code(names)} | {_code(defaults)} | {about.replace('|', '/')} |\n"


def _code(words: tuple[str, ...]) -> str:
    return "<br>".join(f"`{each}`" if each else "" for each in words)


if __name__ == "__main__":
    for path, text in documents().items():
        path.write_text(text)
