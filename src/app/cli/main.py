"""The `app` command."""

import sys
from importlib.util import find_spec

import typer
from sqlalchemy.exc import SQLAlchemyError

from app.cli import check, maintenance, routes, servers, users
from app.config import SettingsError
from app.exceptions import AppError, FieldError

cli = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
cli.command()(servers.dev)
cli.command()(servers.serve)
cli.command()(maintenance.migrate)
cli.command()(maintenance.purge)
cli.command()(routes.routes)
cli.command()(check.check)
cli.add_typer(users.cli, name="user")
if find_spec("ruff"):  # of the development packages, which a new entity is written and checked by
    from app.cli import new

    cli.add_typer(new.new, name="new")
    cli.add_typer(new.remove, name="remove")


@cli.callback()
def describe() -> None:
    """Plinth: run it, migrate it, look after it."""


def main() -> None:
    try:
        cli()
    except SettingsError as error:
        _fail(str(error))
    except AppError as error:
        _fail(*([_sentence(each) for each in error.errors] or [error.detail]))
    except (OSError, SQLAlchemyError) as error:
        path = getattr(error, "filename", None)  # of what is not about a connection
        _fail(str(error) if path else f"The database did not do it: {error}")


def _sentence(error: FieldError) -> str:
    field = str(error.loc[-1])
    return error.message if error.message.startswith(field) else f"{field} {error.message}"


def _fail(*lines: str) -> None:
    print(*lines, sep="\n", file=sys.stderr)
    sys.exit(1)
