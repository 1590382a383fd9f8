import json
from typing import Any

import httpx
import pytest
from sqlalchemy import LargeBinary

from app.accounts.export import export, sources
from app.core.models import SECRET
from app.core.registry import load_models
from app.database.connections import Database
from app.database.unit_of_work import UnitOfWork
from tests.accounts.steps import ALICE, EVENTS, ME, USERS, id_of, login, post
from tests.factories import PASSWORD, SignIn, create_lamps
from tests.problems import read_problem

EXPORT = f"{ME}/export"


async def exported(client: httpx.AsyncClient) -> dict[str, list[dict[str, Any]]]:
    response = await client.get(EXPORT)
    assert response.status_code == 200, response.text
    found: dict[str, list[dict[str, Any]]] = response.json()
    return found


def names_of_users(table: Any) -> bool:
    return any(key.target_fullname == "users.id" for key in table.foreign_keys)


class TestExport:
    async def test_anonymous(self, client: httpx.AsyncClient) -> None:
        read_problem(await client.get(EXPORT), 401, "UNAUTHORIZED")

    async def test_is_a_file_to_keep(self, alice: httpx.AsyncClient) -> None:
        for method in ("GET", "HEAD"):
            response = await alice.request(method, EXPORT)
            assert response.headers["Content-Type"] == "application/json"
            assert response.headers["Content-Disposition"].startswith("attachment;")
            assert response.headers["Cache-Control"] == "no-store"
            assert bool(response.content) == (method == "GET")

    async def test_has_each_table_that_names_users(self, alice: httpx.AsyncClient) -> None:
        tables = load_models().metadata.tables.values()
        expected = {each.name for each in tables if names_of_users(each)}
        assert set(await exported(alice)) == expected | {"users", "security_events"}

    async def test_is_the_callers_alone(
        self, alice: httpx.AsyncClient, bob: httpx.AsyncClient
    ) -> None:
        [mine] = await create_lamps(alice, {})
        await create_lamps(bob, {})
        found = await exported(alice)
        me = await id_of(alice)
        assert [each["id"] for each in found["users"]] == [me]
        assert [each["id"] for each in found["lamps"]] == [mine["id"]]
        assert {each["user_id"] for each in found["sessions"]} == {me}
        assert await id_of(bob) not in json.dumps(found)

    async def test_has_what_the_routes_have_and_deleted_rows_too(
        self, alice: httpx.AsyncClient
    ) -> None:
        live, binned = await create_lamps(alice, {"price": "12.50"}, {"price": "0.00"})
        await alice.delete(f"/api/v1/lamps/{binned['id']}")
        found = (await exported(alice))["lamps"]
        assert found[0] == live
        assert found[1]["id"] == binned["id"]
        assert found[1]["price"] == "0.00"
        assert found[1]["deleted_at"] is not None

    async def test_has_no_secrets(
        self, client: httpx.AsyncClient, alice: httpx.AsyncClient, database: Database
    ) -> None:
        token = (await login(client, email=ALICE)).json()["token"]
        await post(alice, "email-verification")
        await alice.post(
            "/api/v1/lamps",
            json={"name": "x", "sku": "x", "price": 1},
            headers={"Idempotency-Key": "once"},
        )
        text = (await alice.get(EXPORT)).text
        async with UnitOfWork(database) as work:
            for table in load_models().metadata.sorted_tables:
                hidden = [each for each in table.columns if each.info.get(SECRET)]
                if hidden and names_of_users(table):
                    for row in await work.fetch(table.select().with_only_columns(*hidden)):
                        for value in row.values():
                            assert str(value) not in text
        for secret in ("password_hash", "token_hash", "fingerprint", "$argon2", token, PASSWORD):
            assert secret not in text
        assert '"idempotency_keys": [\n{"user_id"' in text

    def test_a_hash_of_a_new_table_is_a_secret_until_it_is_said_not_to_be(self) -> None:
        told = {("idempotency_keys", "body")}
        for table in load_models().metadata.sorted_tables:
            for column in table.columns:
                is_secret = "hash" in column.name or isinstance(column.type, LargeBinary)
                if is_secret and names_of_users(table) and (table.name, column.name) not in told:
                    assert column.info.get(SECRET), f"{table.name}.{column.name}"

    async def test_is_logged_and_tells_what_others_did_but_not_from_where(
        self, alice: httpx.AsyncClient, root: httpx.AsyncClient
    ) -> None:
        changed = await root.patch(f"{USERS}/{await id_of(alice)}", json={"is_superuser": True})
        assert changed.is_success
        await exported(alice)
        promoted, first, _ = (await exported(alice))["security_events"]
        assert promoted["event"] == "user_promoted"
        assert promoted["actor_id"] == await id_of(root)
        assert (promoted["ip"], promoted["session_id"]) == (None, None)
        assert first["event"] == "data_exported"
        assert first["ip"] == "127.0.0.1"
        assert first["session_id"] is not None
        done = (await exported(root))["security_events"][0]
        assert done["id"] == promoted["id"]
        assert done["ip"] == "127.0.0.1"
        assert (await root.get(EVENTS, params={"event": "data_exported"})).json()["total"] == 3

    async def test_is_read_in_batches(
        self, alice: httpx.AsyncClient, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made = await create_lamps(alice, *[{}] * 7)
        monkeypatch.setattr("app.accounts.export.BATCH", 3)
        sources.cache_clear()
        try:
            async with UnitOfWork(database) as work:
                user_id = made[0]["owner_id"]
                pieces = [each async for each in export(work, user_id)]
        finally:
            sources.cache_clear()
        assert max(each.count(b'"sku"') for each in pieces) == 3
        found = json.loads(b"".join(pieces))["lamps"]
        assert [each["id"] for each in found] == [each["id"] for each in made]


async def test_a_user_without_a_row_in_a_table_has_an_empty_list(
    sign_in: SignIn,
) -> None:
    found = await exported(await sign_in("new@example.com"))
    assert found["lamps"] == []
    assert found["email_tokens"] == []
