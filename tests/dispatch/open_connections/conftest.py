from collections.abc import AsyncIterator

import pytest

from app.config import Settings
from tests.dispatch.conftest import application
from tests.dispatch.open_connections.routes import BEGAN, ENDED, router
from tests.faults.load import eventually
from tests.live import Live, served

INTERVAL = 0.05  # seconds; the default is 5


@pytest.fixture(scope="module")
async def live(settings: Settings) -> AsyncIterator[Live]:
    limits = {"max_open_connections_per_user": 2, "max_open_connections": 3}
    made = application(router, settings, session_check_interval=INTERVAL, **limits)
    async with served(made) as live:
        yield live


@pytest.fixture(autouse=True)
async def nothing_open(live: Live) -> None:
    assert await eventually(lambda: holds(live, 0), 10)
    BEGAN.clear()
    ENDED.clear()


async def holds(live: Live, number: int) -> bool:
    return len(live.app.open_connections) == number
