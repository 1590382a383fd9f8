"""What `app dev` serves, in a process that its reloader starts anew after each change."""

import asyncio
import os
import signal
import threading
import time

from fastapi import FastAPI

from app.cli.dev import PARENT
from app.cli.maintenance import applied
from app.config import Settings, load_settings
from app.database.migrations import head_revision, upgrade
from app.main import create_app


def dev_app() -> FastAPI:
    """The application, on a database that has the migrations which came with the last change.

    The process ends with the command, even with a killed one.
    """
    threading.Thread(target=_end_with, args=(int(os.environ[PARENT]),), daemon=True).start()
    settings = load_settings()
    catching_up = threading.Thread(
        target=_catch_up, args=(settings,)
    )  # this thread has a running loop
    catching_up.start()
    catching_up.join()
    return create_app(settings)


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os.kill(os.getpid(), signal.SIGKILL)


def _catch_up(settings: Settings) -> None:
    assert settings.database_url is not None
    if asyncio.run(applied(settings)) != head_revision():
        upgrade(settings.database_url.get_secret_value())
