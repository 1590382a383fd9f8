import asyncio
from typing import Annotated

import asyncpg
import typer
from sqlalchemy import URL, make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from app.cli.local_database import local_database
from app.config import Environment, SettingsError, load_settings
from app.database.migrations import upgrade
from app.database.unreachable import unreachable

IN_USE = "something else is connected to it: stop `app dev`, psql and the like first"
MAY_NOT = "its role may not create databases: give it CREATEDB, or drop and create it by hand"
REFUSALS = {asyncpg.ObjectInUseError: IN_USE, asyncpg.InsufficientPrivilegeError: MAY_NOT}


def reset(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Drop the development database with all that is in it, and make it anew."""
    settings = load_settings()
    if settings.environment is not Environment.DEVELOPMENT:
        raise SettingsError(
            f"ENVIRONMENT: `app reset` is for development, and this is {settings.environment}"
        )
    with local_database(settings, own=True) as ready:
        assert ready.database_url is not None
        url = make_url(ready.database_url.get_secret_value())
        place = settings.data_dir if settings.database_url is None else f"{url.host}:{url.port}"
        named = f"the database {url.database} ({place})"
        if not yes:
            typer.confirm(f"Delete everything in {named}?", abort=True)
        asyncio.run(_create_anew(url, named))
        revision = upgrade(ready.database_url.get_secret_value())
    print(f"Made {named} anew, at revision {revision}")


async def _create_anew(url: URL, named: str) -> None:
    """Raises SettingsError with nothing lost."""
    beside = url.set(database="template1" if url.database == "postgres" else "postgres")
    engine = create_async_engine(beside, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    quote = engine.dialect.identifier_preparer.quote_identifier
    old, new = quote(f"{url.database}"), quote(f"{url.database}_new")
    try:
        async with engine.connect() as connection:
            await connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {new}")
            await connection.exec_driver_sql(f"CREATE DATABASE {new} TEMPLATE template0")
            try:
                await connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {old}")
            except DBAPIError:
                await connection.exec_driver_sql(f"DROP DATABASE {new}")
                raise
            await connection.exec_driver_sql(f"ALTER DATABASE {new} RENAME TO {old}")
    except (OSError, SQLAlchemyError) as error:
        driver = getattr(error, "driver_exception", None)
        for kind, reason in REFUSALS.items():
            if isinstance(driver, kind):
                raise SettingsError(f"Cannot reset {named}: {reason}") from None
        raise SettingsError(str(unreachable(error, beside))) from None
    finally:
        await engine.dispose()
