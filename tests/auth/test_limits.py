from collections.abc import AsyncIterator

import pytest

from app.main import Application, create_app
from tests.accounts.steps import ME
from tests.conftest import new_client
from tests.factories import SignIn, lamp
from tests.problems import LAMPS, read_problem
from tests.statements import recorded_statements


@pytest.fixture
async def limited(app: Application) -> AsyncIterator[Application]:
    """Takes five requests a minute of a user."""
    limited = create_app(app.settings.model_copy(update={"user_requests_per_minute": 5}))
    assert isinstance(limited, Application)
    yield limited
    await limited.database.close()


async def test_a_user_is_limited_over_all_sessions_and_routes(
    limited: Application, sign_in: SignIn
) -> None:
    tokens = [(await sign_in("alice@example.com")).headers for _ in range(2)]
    bob = (await sign_in("bob@example.com")).headers
    async with new_client(limited) as client:
        for number in range(5):
            response = await client.get([ME, LAMPS][number % 2], headers=tokens[number % 2])
            assert response.status_code == 200
        with recorded_statements() as statements:
            refused = await client.post(LAMPS, json=lamp(), headers=tokens[0])
        read_problem(refused, 429, "RATE_LIMITED")
        assert refused.headers["Retry-After"] == "12"
        assert refused.headers["RateLimit"] == '"user";r=0;t=12'
        assert len(statements) == 1  # whose session it is
        assert (await client.get(ME, headers=bob)).status_code == 200
        assert (await client.get(ME)).status_code == 401
    assert limited.database.in_use == 0
