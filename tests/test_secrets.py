"""No password, token or address of a database reaches a log line or an error."""

import httpx
from structlog.testing import capture_logs

from tests.api.test_auth import EMAIL, login, register
from tests.factories import PASSWORD

CANARY = "canary-5f1c-sings"


async def test_no_secret_is_logged_or_echoed(client: httpx.AsyncClient) -> None:
    with capture_logs() as logs:
        await register(client)
        token = (await login(client)).json()["token"]
        headers = {"Authorization": f"Bearer {token}"}
        answers = [
            await register(client),
            await register(client, password=CANARY),
            await login(client, password=CANARY),
            await login(client, email=f"{CANARY}@example.com"),
            await client.get(f"/api/v1/items?search={CANARY}&size={CANARY}", headers=headers),
            await client.post("/api/v1/items", headers=headers, json={"name": CANARY, "sku": 5}),
            await client.get("/api/v1/users/me", headers={"Authorization": f"Bearer {CANARY}"}),
        ]
    assert [each["event"] for each in logs].count("request") == len(answers) + 2
    for secret in (PASSWORD, CANARY, token, EMAIL):
        assert secret not in str(logs)
    for answer in answers:
        assert answer.is_error
        assert CANARY not in answer.text
        assert PASSWORD not in answer.text
