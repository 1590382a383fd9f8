"""Finds the migrations of an entity's table in their sources, whoever wrote them."""

import ast
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from alembic.script import Script, ScriptDirectory

from app.database.migrations import alembic_config

type Operation = tuple[str, list[str]]


def line() -> list[Script]:
    """All migrations, the latest first."""
    return list(ScriptDirectory.from_config(alembic_config("")).walk_revisions())


def of_table(table: str) -> list[Script]:
    """Those of the table since it was created, the latest first; none if it is not there."""
    found = []
    for script in line():
        operations = list(_operations(script))
        if ("drop_table", [table]) in operations:
            break
        if any(table in names for _, names in operations):
            found.append(script)
        if ("create_table", [table]) in operations:
            return found
    return []


def is_of(script: Script, table: str) -> bool:
    """Whether a migration touches no other table."""
    tables = {
        name for each in line() for operation in _operations(each) for name in _made(operation)
    }
    touched = {name for _, names in _operations(script) for name in names}
    return touched & tables <= {table}


def has_column(scripts: Sequence[Script], column: str) -> bool:
    """Whether the table has the column after these migrations, which `of_table` found."""
    for each in scripts:
        if any(name == "drop_column" and column in names for name, names in _operations(each)):
            return False
        if re.search(rf"""["']{column}["']""", Path(each.path).read_text()):
            return True
    return False


def _made(operation: Operation) -> list[str]:
    name, strings = operation
    return strings if name == "create_table" else []


def _operations(script: Script) -> Iterator[Operation]:
    """The operations of the upgrade, with the words of their first arguments, such as the table."""
    for definition in ast.parse(Path(script.path).read_text()).body:
        if not (isinstance(definition, ast.FunctionDef) and definition.name == "upgrade"):
            continue
        for node in ast.walk(definition):
            match node:
                case ast.Call(ast.Attribute(ast.Name("op"), name), arguments):
                    yield name, [word for each in arguments[:2] for word in _words(each)]


def _words(node: ast.expr) -> list[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return re.findall(r"\w+", node.value)
    return []
