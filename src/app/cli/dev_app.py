"""The application that `app dev` serves, on a database that has the migrations of this code."""

import asyncio

from fastapi import FastAPI

from app.config import Settings, load_settings
from app.database.migrations import applied, head_revision, upgrade
from app.main import create_app


def dev_app() -> FastAPI:
    settings = load_settings()
    _catch_up(settings)
    return create_app(settings)


def _catch_up(settings: Settings) -> None:
    assert settings.database_url is not None
    head = head_revision()
    if asyncio.run(applied(settings)) == head:
        return
    revision = upgrade(settings.database_url.get_secret_value())
    if revision == head:
        print(f"The database was migrated to revision {revision}", flush=True)
    else:
        print(
            f"The database is at revision {revision}, which other code has migrated; it has all "
            f"that this code needs ({head})",
            flush=True,
        )
