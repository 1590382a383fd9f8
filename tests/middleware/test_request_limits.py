from collections import Counter
from collections.abc import AsyncIterator

import httpx
import pytest
from structlog.testing import capture_logs

from app.main import Application, create_app
from tests.accounts.steps import ME
from tests.accounts.throttling import client_at, throttling
from tests.problems import read_problem

HOME, ELSEWHERE = "203.0.113.7", "203.0.113.8"


@pytest.fixture
async def limited(app: Application) -> AsyncIterator[Application]:
    """Takes five requests a minute of an address."""
    changes = {"address_requests_per_minute": 5, "cors_origins": ["https://app.example"]}
    limited = create_app(app.settings.model_copy(update=changes))
    assert isinstance(limited, Application)
    yield limited
    await limited.database.close()


async def statuses(client: httpx.AsyncClient, *paths: str) -> Counter[int]:
    return Counter([(await client.get(path)).status_code for path in paths])


async def test_an_address_is_limited_on_every_route_whoever_asks(limited: Application) -> None:
    async with client_at(limited, HOME) as client, client_at(limited, ELSEWHERE) as other:
        assert await statuses(client, ME, "/nowhere", "/docs", ME, "/openapi.json") == {
            401: 2,
            404: 1,
            200: 2,
        }
        refused = await client.get(ME, headers={"Origin": "https://app.example"})
        read_problem(refused, 429, "RATE_LIMITED")
        assert refused.headers["Retry-After"] == "12"
        assert refused.headers["RateLimit"] == '"address";r=0;t=12'
        assert refused.headers["RateLimit-Policy"] == '"address";q=5;w=60'
        assert refused.headers["Access-Control-Allow-Origin"] == "https://app.example"
        assert (await other.get(ME)).status_code == 401


async def test_probes_are_not(limited: Application) -> None:
    async with client_at(limited, HOME) as client:
        probes = ["/health/live", "/health/ready"] * 5
        assert await statuses(client, *probes) == {200: 10}
        assert await statuses(client, *[f"/nowhere{probe}" for probe in probes]) == {404: 5, 429: 5}


@pytest.mark.parametrize(
    ("peer", "trusted", "told"),
    [(HOME, [], [HOME]), (HOME, ["10.0.0.0/8"], [HOME]), ("10.1.2.3", ["10.0.0.0/8"], [])],
)
async def test_a_proxy_that_nobody_trusts_is_logged_once(
    app: Application, peer: str, trusted: list[str], told: list[str]
) -> None:
    headers = {"X-Forwarded-For": "198.51.100.1"}
    async with (
        throttling(app, trusted_proxies=trusted) as proxied,
        client_at(proxied, peer) as client,
    ):
        with capture_logs() as logs:
            await client.get("/health/live")
            for _ in range(3):
                await client.get("/health/live", headers=headers)
    found = [each["peer"] for each in logs if each["event"] == "forwarded_for_ignored"]
    assert found == told
