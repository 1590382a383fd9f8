import httpx

from app.main import Application
from tests.accounts.throttling import client_at, throttling

HSTS = "Strict-Transport-Security"


async def test_hsts_is_sent_where_it_is_set(app: Application, client: httpx.AsyncClient) -> None:
    assert HSTS not in (await client.get("/nowhere")).headers
    async with throttling(app, hsts_max_age=31536000) as strict, client_at(strict) as other:
        for path in ("/nowhere", "/health/live", "/docs"):
            assert (await other.get(path)).headers[HSTS] == "max-age=31536000"
