"""Our application in FastAPI's place: built like a `FastAPI()`, and without a database.

It is also put into FastAPI's own test suite (`fastapi_suite.sh`), where nothing else of these tests
is, so it imports only the application.
"""

from enum import IntEnum
from typing import Any

from fastapi import Depends, FastAPI
from pydantic import SecretStr

from app.config import Environment, Settings
from app.database.connections import Database
from app.dispatch.query_parameters import strict
from app.exception_handlers import add_exception_handlers
from app.mail import mailer
from app.main import Application

NOWHERE = "postgresql+asyncpg://nobody:nothing@127.0.0.1:1/nothing"
SETTINGS = Settings(
    environment=Environment.TEST,
    database_url=SecretStr(NOWHERE),
    secret_key=SecretStr("kQ3v9Zt7Lw2Xr5Np8Bs1Hd6Yf4Jc0Gm_"),
    request_timeout=4,
    log_format="json",
    _env_file=None,
)


class Mode(IntEnum):
    """How much of the contract ours keeps beyond FastAPI: each has what those before it have."""

    PLAIN = 0
    SHAPED = 1
    STRICT = 2


class Plain(Application):
    """Ours with FastAPI's own exception handlers and OpenAPI document."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.settings = self.state.settings = SETTINGS
        self.database = Database(NOWHERE, SETTINGS)
        self.mailer = mailer(SETTINGS)

    def openapi(self) -> dict[str, Any]:
        return FastAPI.openapi(self)


class Shaped(Plain):
    """With the one shape of errors, as the application's own routes are."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        add_exception_handlers(self)
        for kind, handler in options.get("exception_handlers", {}).items():
            self.add_exception_handler(kind, handler)


class Strict(Shaped):
    """And strict, as routes below `/api/v1` are."""

    def __init__(self, **options: Any) -> None:
        dependencies = [Depends(strict), *options.pop("dependencies", ())]
        super().__init__(**options, dependencies=dependencies)


OURS = {Mode.PLAIN: Plain, Mode.SHAPED: Shaped, Mode.STRICT: Strict}
