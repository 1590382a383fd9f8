"""What a key is, and that it belongs to one request of one user."""

import httpx
import pytest

from app.database.connections import Database
from tests.factories import create_lamps, lamp
from tests.idempotency.steps import KEY, KEYED, RUN, SENT, Serve, count, same
from tests.lamps.dependencies import Lamps
from tests.lamps.models import Lamp
from tests.lamps.schemas import LampCreate
from tests.problems import CANARY, JSON, LAMPS, LOGIN, REGISTER, read_problem


class TestKey:
    @pytest.mark.parametrize(
        "key",
        [
            b"",
            b"x" * 256,
            CANARY.encode() * 5_000,
            b"a\tb",
            b"a\x7f",
            b"\x00",
            b"\xff",
            "ä".encode(),
        ],
        ids=lambda key: repr(key[:9]),
    )
    async def test_what_is_none_is_named_and_nothing_is_written(
        self, alice: httpx.AsyncClient, database: Database, key: bytes
    ) -> None:
        response = await alice.post(LAMPS, json=SENT, headers=[(KEY.encode(), key)])
        problem = read_problem(response, 422, "VALIDATION_ERROR")
        assert [error["loc"] for error in problem["errors"]] == [["header", KEY]]
        assert CANARY not in response.text
        assert await count(database, "lamps") == 0

    @pytest.mark.parametrize("key", ["x", "x" * 255, '"a b", ;~', "'; DROP TABLE lamps; --", "%00"])
    async def test_any_printable_ascii_is_one(self, alice: httpx.AsyncClient, key: str) -> None:
        headers = {KEY: key}
        first = await alice.post(LAMPS, json=SENT, headers=headers)
        assert first.status_code == 201
        assert same(first, await alice.post(LAMPS, json=SENT, headers=headers))

    async def test_is_the_same_in_the_same_case_only(self, alice: httpx.AsyncClient) -> None:
        for key in ("key", "KEY"):
            response = await alice.post(LAMPS, json=lamp(), headers={KEY: key})
            assert response.status_code == 201

    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [
            ("POST", LAMPS, b'{"name": "a", "sku": "A", "price": 2}'),
            ("POST", LAMPS, b'{"name":"a","sku":"A","price":1}'),
            ("POST", LAMPS, b""),
            ("POST", f"{LAMPS}/bulk", b'{"name": "a", "sku": "A", "price": 1}'),
            ("PUT", f"{LAMPS}/bulk", b'{"name": "a", "sku": "A", "price": 1}'),
        ],
    )
    async def test_of_another_request_is_refused(
        self, alice: httpx.AsyncClient, database: Database, method: str, path: str, body: bytes
    ) -> None:
        headers = KEYED | JSON
        sent = b'{"name": "a", "sku": "A", "price": 1}'
        first = await alice.post(LAMPS, content=sent, headers=headers)
        other = await alice.request(method, path, content=body, headers=headers)
        read_problem(other, 422, "IDEMPOTENCY_KEY_REUSED")
        assert same(first, await alice.post(LAMPS, content=sent, headers=headers))
        assert await count(database, "lamps") == 1

    async def test_with_another_query_is_refused(self, serve: Serve) -> None:
        async def endpoint(lamps: Lamps, quantity: int) -> Lamp:
            return await lamps.create(LampCreate.model_validate(lamp(quantity=quantity)))

        client = await serve(endpoint)
        first = await client.post(RUN, params={"quantity": 1}, headers=KEYED)
        assert first.status_code == 201
        other = await client.post(RUN, params={"quantity": 2}, headers=KEYED)
        read_problem(other, 422, "IDEMPOTENCY_KEY_REUSED")

    async def test_of_another_user_is_another_key(
        self, alice: httpx.AsyncClient, bob: httpx.AsyncClient
    ) -> None:
        mine = await alice.post(LAMPS, json=SENT, headers=KEYED)
        others = await bob.post(LAMPS, json=SENT, headers=KEYED)
        assert others.status_code == 201
        assert others.json()["id"] != mine.json()["id"]
        assert (await bob.get(mine.headers["Location"])).status_code == 404
        changed = await bob.post(LAMPS, json=SENT | {"price": 2}, headers=KEYED)
        read_problem(changed, 422, "IDEMPOTENCY_KEY_REUSED")
        assert same(mine, await alice.post(LAMPS, json=SENT, headers=KEYED))

    async def test_means_nothing_where_answers_hold_secrets(
        self, client: httpx.AsyncClient, database: Database
    ) -> None:
        account = {"email": "new@example.com", "password": "correct horse battery staple"}
        for status in (201, 409):
            response = await client.post(REGISTER, json=account, headers=KEYED)
            assert response.status_code == status
        tokens = set()
        for key in ("k", "k", "not one: ä"):
            headers = [(KEY.encode(), key.encode())]
            response = await client.post(LOGIN, json=account, headers=headers)
            tokens.add(response.json()["token"])
        assert len(tokens) == 3
        assert await count(database, "idempotency_keys") == 0

    async def test_means_nothing_to_what_is_repeatable_by_itself(
        self, alice: httpx.AsyncClient, database: Database
    ) -> None:
        [created] = await create_lamps(alice, {})
        path = f"{LAMPS}/{created['id']}"
        for quantity in (1, 2):
            changed = await alice.patch(path, json={"quantity": quantity}, headers=KEYED)
            assert changed.json()["quantity"] == quantity
        assert (await alice.delete(path, headers=KEYED)).status_code == 204
        assert (await alice.delete(path, headers=KEYED)).status_code == 404
        assert await count(database, "idempotency_keys") == 0
