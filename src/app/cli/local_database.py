"""The database of a development machine: the configured one, or one that needs no installation."""

from collections.abc import Generator
from contextlib import contextmanager

from pydantic import SecretStr

from app.cli.embedded.errors import DataDirInUseError, EmbeddedPostgresError
from app.cli.embedded.server import EmbeddedPostgres
from app.config import Settings, SettingsError


@contextmanager
def local_database(settings: Settings, *, own: bool = False) -> Generator[Settings]:
    """Settings with a DATABASE_URL that works within the context.

    Without one, in development, the embedded PostgreSQL of DATA_DIR is started, or a running one
    is shared unless it has to be our `own`. Raises SettingsError when there is none to be had.
    """
    if settings.database_url is not None:
        yield settings
        return
    server = EmbeddedPostgres(settings.data_dir)
    try:
        url = server.start()
    except EmbeddedPostgresError as error:
        if own or not isinstance(error, DataDirInUseError):
            raise SettingsError(str(error)) from None
        url = _attach(server)
    try:
        yield settings.model_copy(update={"database_url": SecretStr(url)})
    finally:
        server.stop()


def _attach(server: EmbeddedPostgres) -> str:
    try:
        return server.attach()
    except EmbeddedPostgresError as error:
        raise SettingsError(str(error)) from None
