from collections.abc import AsyncIterator

import pytest

from app.main import Application
from tests.accounts.throttling import throttling


@pytest.fixture(scope="module")
async def throttled_app(session_app: Application) -> AsyncIterator[Application]:
    async with throttling(session_app) as enabled:
        yield enabled


@pytest.fixture(scope="module")
async def proxied_app(session_app: Application) -> AsyncIterator[Application]:
    async with throttling(session_app, trusted_proxies=["10.0.0.0/8"]) as enabled:
        yield enabled


@pytest.fixture
def throttled(app: Application, throttled_app: Application) -> Application:
    throttled_app.mailer = app.mailer
    return throttled_app


@pytest.fixture
def proxied(app: Application, proxied_app: Application) -> Application:
    """Believes the X-Forwarded-For of 10.0.0.0/8."""
    proxied_app.mailer = app.mailer
    return proxied_app
