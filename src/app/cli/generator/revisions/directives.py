"""The directives of a migration, as alembic renders them, without a database to compare with.

A program: `python -m app.cli.generator.revisions.directives FOLDER TABLE COLUMNS`. Packages in the
folder take the place of the project's. It prints a JSON list of two sources: the upgrade, which
creates the table or its columns, and the downgrade, which drops them.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence

from alembic.autogenerate import render_python_code
from alembic.operations import ops
from alembic.runtime.migration import MigrationContext
from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, Index, Table, text

import app
from app.core.registry import load_models


def create_table(table: Table) -> Iterator[ops.MigrateOperation]:
    yield ops.CreateTableOp.from_table(table)
    yield from (ops.CreateIndexOp.from_index(index) for index in _by_name(table.indexes))


def add_columns(table: Table, names: Mapping[str, str | None]) -> Iterator[ops.MigrateOperation]:
    """`names` has the SQL of the value for existing rows; a column without one may be null."""
    for name, default in names.items():
        column = table.columns[name]
        nullable = column.nullable or default is None
        value = None if default is None else text(default)
        added = Column(name, column.type, nullable=nullable, server_default=value)
        yield ops.AddColumnOp.from_column_and_tablename(None, table.name, added)
        if default is not None:
            yield ops.AlterColumnOp(table.name, name, modify_server_default=None)
    for constraint in sorted(table.constraints, key=lambda each: str(each.name)):
        if isinstance(constraint, ForeignKeyConstraint) and {*constraint.column_keys} <= {*names}:
            yield ops.CreateForeignKeyOp.from_constraint(constraint)
        elif isinstance(constraint, CheckConstraint) and _names_field(constraint, table, names):
            yield ops.CreateCheckConstraintOp.from_constraint(constraint)
    for index in _by_name(table.indexes):
        if not {*names}.isdisjoint(column.name for column in index.columns):
            yield ops.CreateIndexOp.from_index(index)


def _names_field(
    constraint: CheckConstraint, table: Table, names: Mapping[str, str | None]
) -> bool:
    return str(constraint.name) in {f"ck_{table.name}_{name}" for name in names}


def _by_name(indexes: set[Index]) -> list[Index]:
    return sorted(indexes, key=lambda index: str(index.name))


def sources(operations: Sequence[ops.MigrateOperation]) -> tuple[str, str]:
    """The Python of the upgrade and of the downgrade."""
    context = MigrationContext.configure(dialect_name="postgresql")
    up = ops.UpgradeOps(list(operations))
    # Dropping a column also drops its constraints and indexes; the migration names each of them.
    undone = [each for each in operations if not isinstance(each, ops.AlterColumnOp)]
    down = ops.DowngradeOps([each.reverse() for each in reversed(undone)])
    return _source(up, context), _source(down, context)


def _source(operations: ops.UpgradeOps | ops.DowngradeOps, context: MigrationContext) -> str:
    lines = render_python_code(operations, migration_context=context).splitlines()
    return "\n".join(line.removeprefix("    ") for line in lines if "# ###" not in line)


def main() -> None:
    folder, name, columns = sys.argv[1:]
    app.__path__.insert(0, folder)
    table = load_models().metadata.tables[name]
    names = json.loads(columns)
    found = add_columns(table, names) if names else create_table(table)
    print(json.dumps(sources(list(found))))


if __name__ == "__main__":
    main()
