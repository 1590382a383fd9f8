"""A command imports what it needs itself, and none of what the others need."""

import json
import subprocess
import sys

import pytest

from app.cli.lazy import LazyCommand, LazyGroup
from app.cli.main import cli

HEAVY = {"alembic", "asyncpg", "fastapi", "jinja2", "sqlalchemy", "uvicorn"}
LIGHT = {
    "app.cli",
    "app.cli.generator",
    "app.cli.generator.grammar",
    "app.cli.generator.grammar.help",
    "app.cli.generator.grammar.kinds",
    "app.cli.lazy",
    "app.cli.main",
    "app.core",
    "app.core.limits",
    "app.one_line",
}
RUN = """
import contextlib, io, json, sys
from importlib import import_module
with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):
    {run}
print(json.dumps(list(sys.modules)))
"""


def imported(run: str) -> set[str]:
    """The modules that a fresh process has after this."""
    command = [sys.executable, "-c", RUN.format(run=run)]
    return set(json.loads(subprocess.check_output(command, text=True, timeout=30)))


def command(*arguments: str) -> str:
    return f"sys.argv = {['app', *arguments]}; import_module('app.cli.main').main()"


@pytest.mark.parametrize(
    "arguments",
    [["--help"], [], ["new", "--help"], ["remove", "--help"], ["user", "--help"], ["chekc"]],
)
def test_help_imports_no_command(arguments: list[str]) -> None:
    found = imported(command(*arguments))
    assert HEAVY & found == set()
    assert {each for each in found if each.startswith("app.")} == LIGHT


@pytest.mark.parametrize(
    ("module", "needless"),
    [
        ("app.cli.check", {"fastapi", "uvicorn"}),
        ("app.cli.maintenance", {"fastapi", "uvicorn", "app.main"}),
        ("app.cli.dev", {"fastapi", "app.main"}),  # the application is another process's
        ("app.cli.serve", {"app.main"}),
        ("app.cli.users", {"alembic", "uvicorn", "app.main"}),
    ],
)
def test_a_command_leaves_the_others_alone(module: str, needless: set[str]) -> None:
    assert needless & imported(f"import_module({module!r})") == set()


def commands(group: LazyGroup) -> list[LazyCommand]:
    found = []
    for each in group.commands.values():
        if isinstance(each, LazyGroup):
            found += commands(each)
        else:
            assert isinstance(each, LazyCommand)
            found.append(each)
    return found


@pytest.mark.parametrize("found", commands(cli), ids=lambda found: found.function)
def test_each_command_is_there_with_the_help_that_is_listed(found: LazyCommand) -> None:
    assert found.docstring
    assert found.load().help == found.docstring
