"""No password, token or address reaches a log line or an error, and no secret the database."""

import httpx
import pytest
from pydantic import BaseModel, SecretStr
from structlog.testing import capture_logs

from app.accounts.schemas import (
    ChangeEmail,
    ChangePassword,
    ConfirmAddress,
    ConfirmReset,
    Login,
    LoginRead,
    Reauthenticate,
    Register,
)
from app.database.connections import Database
from app.users.schemas import UserCreate
from tests.accounts.steps import (
    EMAIL,
    ME,
    NEW_PASSWORD,
    USERS,
    WRONG_PASSWORD,
    fetch,
    id_of,
    login,
    post,
    register,
)
from tests.factories import PASSWORD
from tests.mailbox import Mailbox

CANARY = "canary-5f1c-sings"
NEWEST_PASSWORD = "seven silent lighthouses wave"
NEW_EMAIL = "carol.new@example.com"


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
            await client.get(f"/api/v1/lamps?search={CANARY}&size={CANARY}", headers=headers),
            await client.post("/api/v1/lamps", headers=headers, json={"name": CANARY, "sku": 5}),
            await client.get("/api/v1/users/me", headers={"Authorization": f"Bearer {CANARY}"}),
            await post(client, "password-reset/confirm", token=CANARY, new_password=CANARY),
            await post(client, "email-verification/confirm", token=CANARY),
            await post(client, "email-change/confirm", token=CANARY),
            await client.get(f"/api/v1/auth/sessions?x={CANARY}", headers=headers),
        ]
    assert [each["event"] for each in logs].count("request") == len(answers) + 2
    for secret in (PASSWORD, CANARY, token, EMAIL):
        assert secret not in str(logs)
    for answer in answers:
        assert answer.is_error
        assert CANARY not in answer.text
        assert PASSWORD not in answer.text


@pytest.mark.parametrize(
    "schema",
    [
        Register(email=EMAIL, password=SecretStr(CANARY)),
        Login(email=EMAIL, password=SecretStr(CANARY)),
        LoginRead.model_construct(token=CANARY),
        Reauthenticate(current_password=SecretStr(CANARY)),
        ChangePassword(current_password=SecretStr(CANARY), new_password=SecretStr(CANARY)),
        ChangeEmail(current_password=SecretStr(CANARY), new_email=NEW_EMAIL),
        ConfirmAddress(token=CANARY),
        ConfirmReset(token=CANARY, new_password=SecretStr(CANARY)),
        UserCreate(email=EMAIL, password_hash=CANARY),
    ],
    ids=lambda schema: type(schema).__name__,
)
def test_no_secret_is_in_a_repr(schema: BaseModel) -> None:
    assert CANARY not in repr(schema)


async def live_through_everything(
    client: httpx.AsyncClient, root: httpx.AsyncClient, mailbox: Mailbox
) -> list[str]:
    """Everything that can happen to an account; returns the tokens that were used."""
    tokens: list[str] = []

    async def sign_in(**fields: str) -> None:
        answer = await login(client, **fields)
        assert answer.status_code == 200, answer.text
        tokens.append(answer.json()["token"])
        client.headers["Authorization"] = f"Bearer {tokens[-1]}"

    async def ask(path: str, **fields: str) -> None:
        assert (await post(client, path, **fields)).is_success
        tokens.extend(mailbox.tokens)
        mailbox.messages.clear()

    await register(client)
    await login(client, password=WRONG_PASSWORD)
    await sign_in()
    await ask("email-verification")
    await ask("email-verification/confirm", token=tokens[-1])
    await ask("reauthenticate", current_password=PASSWORD)
    await post(client, "reauthenticate", current_password=WRONG_PASSWORD)
    await ask("password", current_password=PASSWORD, new_password=NEW_PASSWORD)
    await ask("email-change", current_password=NEW_PASSWORD, new_email=NEW_EMAIL)
    await ask("email-change/confirm", token=tokens[-1])
    await ask("password-reset", email=NEW_EMAIL)
    reset = tokens[-1]
    await ask("password-reset/confirm", token=reset, new_password=NEWEST_PASSWORD)
    await post(client, "password-reset/confirm", token=reset, new_password=NEWEST_PASSWORD)
    await sign_in(email=NEW_EMAIL, password=NEWEST_PASSWORD)
    # A thief would look for what is still valid.
    await ask("password-reset", email=NEW_EMAIL)
    await ask("email-change", current_password=NEWEST_PASSWORD, new_email=EMAIL)
    id = await id_of(client)
    await root.patch(f"{USERS}/{id}", json={"display_name": "Carol"})
    await client.patch(ME, json={"display_name": "Carol C."}, headers={"Idempotency-Key": "once"})
    await client.post(
        "/api/v1/lamps",
        json={"name": "n", "sku": "s", "price": "1"},
        headers={"Idempotency-Key": "once"},
    )
    return tokens


async def test_neither_a_dump_nor_the_logs_hold_a_secret(
    client: httpx.AsyncClient,
    root: httpx.AsyncClient,
    mailbox: Mailbox,
    database: Database,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG")
    with capture_logs() as logs:
        tokens = await live_through_everything(client, root, mailbox)
    dump = ""
    for row in await fetch(database, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"):
        rows = await fetch(database, f'SELECT each::text FROM "{row[0]}" AS each')  # noqa: S608 - ours
        dump += "\n".join([row[0], *(each[0] for each in rows)])
    assert NEW_EMAIL in dump
    assert dump.count("plinth_") == 0
    assert len(set(tokens)) == 7
    printed = f"{logs}\n{caplog.text}"
    for secret in (PASSWORD, NEW_PASSWORD, NEWEST_PASSWORD, WRONG_PASSWORD, *tokens):
        for form in (secret, secret.encode().hex()):
            assert form not in dump
            assert form not in printed
    for address in (EMAIL, NEW_EMAIL):
        assert address not in printed
