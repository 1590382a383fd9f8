"""The `app` command. Each module is imported when one of its commands is run, and not before."""

import os
import signal
import sys
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from app.cli.generator.grammar.help import GRAMMAR
from app.cli.lazy import LazyGroup
from app.one_line import one_line

USER = LazyGroup(
    "user",
    {
        "create": "app.cli.users:create",
        "list": "app.cli.users:list_users",
        "disable": "app.cli.users:disable",
        "enable": "app.cli.users:enable",
        "promote": "app.cli.users:promote",
        "demote": "app.cli.users:demote",
        "reset-password": "app.cli.users:reset_password",
    },
    help="Look after the accounts.",
)
NEW = LazyGroup(
    "new",
    {"entity": "app.cli.new:new_entity", "field": "app.cli.new:new_field"},
    help="Write an entity, or a field of one.",
    epilog=GRAMMAR,
)
REMOVE = LazyGroup(
    "remove",
    {"field": "app.cli.new:remove_field", "entity": "app.cli.new:remove_entity"},
    help="Remove an entity, or a field of one.",
)
# A new entity is written and checked by packages that are for development only.
WRITING = {"new": NEW, "remove": REMOVE, "init": "app.cli.init:init"}
DEVELOPMENT = WRITING if find_spec("ruff") else {}

cli = LazyGroup(
    "app",
    {
        "dev": "app.cli.dev:dev",
        "serve": "app.cli.serve:serve",
        "migrate": "app.cli.maintenance:migrate",
        "purge": "app.cli.maintenance:purge",
        "psql": "app.cli.psql:psql",
        "reset": "app.cli.reset:reset",
        "sql": "app.cli.sql:sql",
        "routes": "app.cli.routes:routes",
        "check": "app.cli.check:check",
        "user": USER,
        **DEVELOPMENT,
    },
    help="Run the application, migrate it, look after it.",
)


def main() -> None:
    # The first process of a container has no default for it, and would ignore it until it serves.
    signal.signal(signal.SIGTERM, _leave if sys.argv[1:2] == ["serve"] else _end)
    run()


def run() -> None:
    """Run the command that the arguments name. Always raises SystemExit."""
    try:
        cli()
    except SystemExit:  # the usual end; the clauses below import what they name
        raise
    except SyntaxError as error:
        _fail(one_line(error))
    except _raised("app.exceptions", "AppError") as error:
        _fail(*_sentences(error))
    except (
        _raised("app.config", "SettingsError"),
        _raised("alembic.util", "CommandError"),
    ) as error:
        _fail(str(error))
    except (
        OSError,
        _raised("asyncpg", "PostgresError"),
        _raised("sqlalchemy.exc", "SQLAlchemyError"),
    ) as error:
        if getattr(error, "filename", None):  # a file could not be used, and not the database
            _fail(str(error))
        _fail(
            f"The database failed: {error}", "Check that it runs, and that DATABASE_URL is right."
        )


def _end(number: int, _: object) -> None:
    sys.exit(128 + number)  # as a shell says it


def _leave(number: int, _: object) -> None:
    """Before it serves, a server has nothing to undo.

    An exception might be lost on its way: Python ignores one that comes up in a callback, such as
    those of its imports.
    """
    os._exit(128 + number)


def _raised(module: str, name: str) -> type[Exception]:
    found: type[Exception] = getattr(import_module(module), name)
    return found


def _sentences(error: Any) -> list[str]:
    if isinstance(error.__cause__, _raised("app.database.unreachable", "Unreachable")):
        return [str(error.__cause__)]
    return [_sentence(each) for each in error.errors] or [error.detail]


def _sentence(error: Any) -> str:
    field, message = str(error.loc[-1]), str(error.message)
    return message if message.startswith(field) else f"{field} {message}"


def _fail(*lines: str) -> None:
    print(*lines, sep="\n", file=sys.stderr)
    sys.exit(1)
