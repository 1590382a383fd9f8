"""Bulk calls over HTTP: their limits, their order, and that they are all or nothing."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from app.config import Settings
from app.main import Application, create_app
from tests.conftest import new_client
from tests.factories import create_lamps
from tests.problems import CANARY, JSON, LAMPS, LIMIT, NO_LAMP, read_problem

BULK, DELETE = f"{LAMPS}/bulk", f"{LAMPS}/bulk/delete"
BULK_LIMIT = 10 * LIMIT
SMALL_LIMIT = 2048
ROWS = 3

type Body = Callable[[bytes], Any]
type Call = tuple[str, str, str]
CALLS: list[Call] = [("POST", BULK, "items"), ("PUT", BULK, "items"), ("POST", DELETE, "ids")]
WRITES = CALLS[:2]


def row(sku: str = "A", **fields: Any) -> dict[str, Any]:
    return {"name": "n", "sku": sku, "price": "1.00"} | fields


async def by_sku(client: httpx.AsyncClient, **query: Any) -> dict[str, dict[str, Any]]:
    page = (await client.get(LAMPS, params={"size": 100} | query)).json()
    return {each["sku"]: each for each in page["items"]}


async def upsert(client: httpx.AsyncClient, *rows: dict[str, Any]) -> list[str]:
    """The outcome for each row, once it is seen that the answer is true to itself."""
    response = await client.put(BULK, json={"items": rows})
    assert response.status_code == 200, response.text
    answer = response.json()
    outcomes = [each["outcome"] for each in answer["results"]]
    counts = {name: outcomes.count(name) for name in ("created", "updated", "unchanged")}
    assert answer == counts | {"results": answer["results"]}
    ids = {each["sku"]: each["id"] for each in (await by_sku(client)).values()}
    assert [each["id"] for each in answer["results"]] == [ids[each["sku"]] for each in rows]
    return outcomes


@pytest.fixture(scope="module")
async def small_app(settings: Settings) -> AsyncIterator[Application]:
    """An application that takes three rows at once, and less of them than of anything else."""
    changes = {"max_bulk_rows": ROWS, "max_bulk_body_size": SMALL_LIMIT}
    app = create_app(settings.model_copy(update=changes))
    assert isinstance(app, Application)
    yield app
    await app.database.close()


@pytest.fixture
async def small(small_app: Application, alice: httpx.AsyncClient) -> AsyncIterator[Any]:
    async with new_client(small_app, {"Authorization": alice.headers["Authorization"]}) as client:
        yield client


async def in_chunks(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), 65536):
        yield content[start : start + 65536]


class TestRows:
    @pytest.mark.parametrize(("method", "path", "name"), CALLS)
    async def test_there_must_be_some(
        self, alice: httpx.AsyncClient, method: str, path: str, name: str
    ) -> None:
        problem = read_problem(
            await alice.request(method, path, json={name: []}), 422, "VALIDATION_ERROR"
        )
        assert problem["errors"][0]["loc"] == ["body", name]

    @pytest.mark.parametrize(("method", "path", "name"), CALLS)
    async def test_how_many_is_a_setting(
        self, small: httpx.AsyncClient, method: str, path: str, name: str
    ) -> None:
        created = await create_lamps(small, *({"sku": f"{n}"} for n in range(ROWS + 1)))
        ids = [each["id"] for each in created]
        rows: list[Any] = ids if name == "ids" else [row(f"new {n}") for n in range(ROWS + 1)]
        refused = await small.request(method, path, json={name: rows})
        problem = read_problem(refused, 422, "VALIDATION_ERROR")
        assert [each["loc"] for each in problem["errors"]] == [["body", name]]
        assert len(await by_sku(small)) == ROWS + 1
        assert (await small.request(method, path, json={name: rows[:ROWS]})).is_success
        assert len(await by_sku(small)) == (1 if name == "ids" else 2 * ROWS + 1)

    async def test_a_thousand_by_default(self, alice: httpx.AsyncClient) -> None:
        rows = [row(f"{number}") for number in range(1001)]
        for method, path, _ in WRITES:
            refused = await alice.request(method, path, json={"items": rows})
            read_problem(refused, 422, "VALIDATION_ERROR")
        created = await alice.post(BULK, json={"items": rows[1:]})
        assert [each["sku"] for each in created.json()["items"]] == [x["sku"] for x in rows[1:]]

    @pytest.mark.parametrize(("method", "path", "name"), CALLS)
    @pytest.mark.parametrize("rows", [None, {}, "A", [None], [[]], ["A"], [1]])
    async def test_what_is_no_list_of_them(
        self, alice: httpx.AsyncClient, method: str, path: str, name: str, rows: Any
    ) -> None:
        response = await alice.request(method, path, json={name: rows})
        problem = read_problem(response, 422, "VALIDATION_ERROR")
        assert problem["errors"][0]["loc"][:2] == ["body", name]

    @pytest.mark.parametrize(("method", "path", "name"), CALLS)
    async def test_nothing_goes_with_them(
        self, alice: httpx.AsyncClient, method: str, path: str, name: str
    ) -> None:
        rows: list[Any] = [NO_LAMP] if name == "ids" else [row()]
        response = await alice.request(method, path, json={name: rows, "owner_id": NO_LAMP})
        problem = read_problem(response, 422, "VALIDATION_ERROR")
        assert problem["errors"][0]["loc"] == ["body", "owner_id"]


class TestSize:
    @pytest.mark.parametrize(("method", "path", "name"), CALLS)
    @pytest.mark.parametrize("body", [bytes, in_chunks])
    async def test_many_rows_may_be_larger_than_one(
        self, alice: httpx.AsyncClient, method: str, path: str, name: str, body: Body
    ) -> None:
        async def ask(url: str, size: int, verb: str = "POST") -> httpx.Response:
            content = body(b"{}".ljust(size))
            return await alice.request(verb, url, content=content, headers=JSON)

        read_problem(await ask(LAMPS, LIMIT + 1), 413, "PAYLOAD_TOO_LARGE")
        problem = read_problem(await ask(path, LIMIT + 1, method), 422, "VALIDATION_ERROR")
        assert problem["errors"][0]["loc"] == ["body", name]
        read_problem(await ask(path, BULK_LIMIT, method), 422, "VALIDATION_ERROR")
        problem = read_problem(await ask(path, BULK_LIMIT + 1, method), 413, "PAYLOAD_TOO_LARGE")
        assert str(BULK_LIMIT) in problem["detail"]

    async def test_a_declared_length_is_refused_unread(self, alice: httpx.AsyncClient) -> None:
        headers = JSON | {"Content-Length": str(BULK_LIMIT + 1)}
        response = await alice.put(BULK, content=b"{}", headers=headers)
        read_problem(response, 413, "PAYLOAD_TOO_LARGE")

    @pytest.mark.parametrize("body", [bytes, in_chunks])
    async def test_both_limits_are_settings(self, small: httpx.AsyncClient, body: Body) -> None:
        for size, path, status in [
            (SMALL_LIMIT, BULK, 422),
            (SMALL_LIMIT + 1, BULK, 413),
            (LIMIT, LAMPS, 422),
            (LIMIT + 1, LAMPS, 413),
        ]:
            response = await small.post(path, content=body(b"{}".ljust(size)), headers=JSON)
            assert response.status_code == status


class TestCreate:
    async def test_answers_in_the_order_of_the_request(self, alice: httpx.AsyncClient) -> None:
        skus = [f"{number}" for number in range(50)]
        random.shuffle(skus)
        response = await alice.post(BULK, json={"items": [row(sku, name=sku) for sku in skus]})
        assert response.status_code == 201
        lamps = response.json()["items"]
        assert [each["sku"] for each in lamps] == skus
        assert [each["id"] for each in lamps] == sorted(each["id"] for each in lamps)
        assert "Location" not in response.headers
        stored = await by_sku(alice)
        assert all(each == stored[each["sku"]] for each in lamps)

    async def test_is_all_or_nothing(self, alice: httpx.AsyncClient) -> None:
        await create_lamps(alice, {"sku": "taken"})
        for rows in ([row("A"), row("taken")], [row("A"), row("B"), row("A")]):
            response = await alice.post(BULK, json={"items": rows})
            problem = read_problem(response, 409, "CONFLICT")
            assert problem["errors"][0]["loc"][-1] == "sku"
        assert (await by_sku(alice)).keys() == {"taken"}

    async def test_anothers_and_deleted_skus_are_free(
        self, alice: httpx.AsyncClient, bob: httpx.AsyncClient
    ) -> None:
        await create_lamps(bob, {"sku": "A"})
        [deleted] = await create_lamps(alice, {"sku": "B"})
        await alice.delete(f"{LAMPS}/{deleted['id']}")
        response = await alice.post(BULK, json={"items": [row("A"), row("B")]})
        assert response.status_code == 201
        [mine] = {each["owner_id"] for each in response.json()["items"]}
        assert mine == deleted["owner_id"]


class TestErrors:
    @pytest.mark.parametrize(("method", "path", "_"), WRITES)
    async def test_name_each_position_and_field(
        self, alice: httpx.AsyncClient, method: str, path: str, _: str
    ) -> None:
        rows = [row("A"), row("B", name=""), row("C"), row("D", price="-1", colour=CANARY)]
        del rows[2]["sku"]
        response = await alice.request(method, path, json={"items": rows})
        problem = read_problem(response, 422, "VALIDATION_ERROR")
        assert sorted(each["loc"] for each in problem["errors"]) == [
            ["body", "items", 1, "name"],
            ["body", "items", 2, "sku"],
            ["body", "items", 3, "colour"],
            ["body", "items", 3, "price"],
        ]
        assert CANARY not in response.text
        assert await by_sku(alice) == {}

    async def test_name_the_position_of_what_is_no_id(self, alice: httpx.AsyncClient) -> None:
        [created] = await create_lamps(alice, {})
        response = await alice.post(DELETE, json={"ids": [created["id"], CANARY]})
        problem = read_problem(response, 422, "VALIDATION_ERROR")
        assert [each["loc"] for each in problem["errors"]] == [["body", "ids", 1]]
        assert CANARY not in response.text
        assert len(await by_sku(alice)) == 1

    async def test_are_no_more_than_anyone_reads(self, alice: httpx.AsyncClient) -> None:
        rows = [row(sku=str(number), name="") for number in range(1000)]
        response = await alice.put(BULK, json={"items": rows})
        problem = read_problem(response, 422, "VALIDATION_ERROR")
        assert len(problem["errors"]) == 100

    async def test_of_one_key_twice_names_both_positions(self, alice: httpx.AsyncClient) -> None:
        skus = ["A", "B", "A", "b", "B", "A"]
        response = await alice.put(BULK, json={"items": [row(sku) for sku in skus]})
        problem = read_problem(response, 422, "VALIDATION_ERROR")
        assert [(each["loc"], each["code"]) for each in problem["errors"]] == [
            (["body", "items", later, "sku"], "duplicate_key") for later in (2, 4, 5)
        ]
        for error, (first, later) in zip(problem["errors"], [(0, 2), (1, 4), (0, 5)], strict=True):
            assert f"{first} and {later}" in error["message"]
        assert await by_sku(alice) == {}

    async def test_of_a_thousand_equal_keys_are_no_more(self, alice: httpx.AsyncClient) -> None:
        response = await alice.put(BULK, json={"items": [row()] * 1000})
        problem = read_problem(response, 422, "VALIDATION_ERROR")
        assert len(problem["errors"]) <= 100


class TestUpsert:
    async def test_each_outcome_is_what_happened_in_the_order_of_the_request(
        self, alice: httpx.AsyncClient
    ) -> None:
        skus = [f"{number}" for number in range(30)]
        random.shuffle(skus)
        assert await upsert(alice, *map(row, skus[:20])) == ["created"] * 20
        before = await by_sku(alice)
        random.shuffle(skus)
        sent = {sku: row(sku, quantity=int(sku) % 2) for sku in skus}
        expected = [
            "created" if sku not in before else "updated" if int(sku) % 2 else "unchanged"
            for sku in skus
        ]
        assert await upsert(alice, *sent.values()) == expected
        after = await by_sku(alice)
        for sku, outcome in zip(skus, expected, strict=True):
            if outcome == "unchanged":
                assert after[sku] == before[sku]
            elif outcome == "updated":
                assert (after[sku]["version"], after[sku]["quantity"]) == (2, 1)
                assert after[sku]["updated_at"] > before[sku]["updated_at"]
                assert after[sku]["created_at"] == before[sku]["created_at"]
            else:
                assert after[sku]["version"] == 1

    @pytest.mark.parametrize("beside", [[], [row("other", status="active", quantity=1)]])
    async def test_an_absent_field_stays_and_takes_its_default(
        self, alice: httpx.AsyncClient, beside: list[dict[str, Any]]
    ) -> None:
        """Whether or not another lamp of the request sets it."""
        full = {"quantity": 5, "description": "d", "status": "active"}
        await upsert(alice, row("old", **full))
        outcomes = await upsert(alice, row("old", name="new name"), row("new"), *beside)
        assert outcomes == ["updated", "created", *["created"] * len(beside)]
        stored = await by_sku(alice)
        assert stored["old"].items() >= (full | {"name": "new name"}).items()
        default = {"quantity": 0, "description": None, "status": "draft"}
        assert stored["new"].items() >= default.items()
        # What is there is a value like any other, the default and null too.
        outcomes = await upsert(alice, row("old", name="new name", **default), *beside)
        assert outcomes == ["updated", *["unchanged"] * len(beside)]
        assert (await by_sku(alice))["old"].items() >= default.items()

    async def test_equal_values_in_another_form_change_nothing(
        self, alice: httpx.AsyncClient
    ) -> None:
        await upsert(alice, row(price="1.50"))
        for price in (1.5, "1.5", "01.50", "15e-1"):
            assert await upsert(alice, row(price=price)) == ["unchanged"]
        assert await upsert(alice, row(name="N")) == ["updated"]
        assert (await by_sku(alice))["A"]["version"] == 2

    async def test_keys_differ_as_their_bytes_do(self, alice: httpx.AsyncClient) -> None:
        skus = ["a", "A", " a", "a ", "\u00e9", "e\u0301", "%", "_", "\\", "'", "\U0001f600"]
        assert await upsert(alice, *map(row, skus)) == ["created"] * len(skus)
        assert await upsert(alice, *map(row, reversed(skus))) == ["unchanged"] * len(skus)

    async def test_anothers_row_with_the_same_key_is_untouched(
        self, alice: httpx.AsyncClient, bob: httpx.AsyncClient
    ) -> None:
        rows = [row("A", quantity=7), row("B")]
        await upsert(bob, *rows)
        before = await by_sku(bob)
        assert await upsert(alice, row("A", quantity=1), row("B")) == ["created"] * 2
        assert await upsert(alice, row("A", quantity=2), row("B")) == ["updated", "unchanged"]
        assert await by_sku(bob) == before

    async def test_a_deleted_row_is_not_there(self, alice: httpx.AsyncClient) -> None:
        [deleted] = await create_lamps(alice, {"sku": "A", "quantity": 5})
        await alice.delete(f"{LAMPS}/{deleted['id']}")
        in_bin = await by_sku(alice, deleted="only")
        assert await upsert(alice, row("A")) == ["created"]
        assert (await by_sku(alice))["A"]["quantity"] == 0
        assert await by_sku(alice, deleted="only") == in_bin

    async def test_is_all_or_nothing(self, alice: httpx.AsyncClient) -> None:
        [created] = await create_lamps(alice, {"sku": "A"})
        response = await alice.put(BULK, json={"items": [row("A"), row("B"), row("C", price=-1)]})
        assert response.status_code == 422
        assert await by_sku(alice) == {"A": created}


class TestDelete:
    async def test_a_repeated_id_counts_once(self, alice: httpx.AsyncClient) -> None:
        first, second, _ = await create_lamps(alice, {}, {}, {"sku": "kept"})
        ids = [first["id"], second["id"], first["id"].upper(), second["id"]]
        response = await alice.post(DELETE, json={"ids": ids})
        assert (response.status_code, response.json()) == (200, {"deleted": 2})
        assert (await by_sku(alice)).keys() == {"kept"}
        in_bin = await by_sku(alice, deleted="only")
        assert {each["version"] for each in in_bin.values()} == {2}

    async def test_one_out_of_reach_is_named_and_keeps_all(
        self, alice: httpx.AsyncClient, bob: httpx.AsyncClient
    ) -> None:
        kept, deleted = await create_lamps(alice, {}, {})
        [foreign] = await create_lamps(bob, {})
        await alice.delete(f"{LAMPS}/{deleted['id']}")
        for missing in (NO_LAMP, deleted["id"], foreign["id"]):
            response = await alice.post(DELETE, json={"ids": [kept["id"], missing, NO_LAMP]})
            problem = read_problem(response, 404, "NOT_FOUND")
            assert problem["detail"] == f"Lamp {missing} not found"
        assert (await by_sku(alice)) == {kept["sku"]: kept}
        assert len(await by_sku(bob)) == 1

    async def test_of_two_with_a_row_in_common_one_deletes(self, alice: httpx.AsyncClient) -> None:
        for _ in range(5):
            rows = await create_lamps(alice, *({} for _ in range(11)))
            ids = [each["id"] for each in rows]
            halves = (ids[:6], ids[:4:-1])
            answers = await asyncio.gather(
                *(alice.post(DELETE, json={"ids": half}) for half in halves)
            )
            assert sorted(each.status_code for each in answers) == [200, 404]
            left = {each["id"] for each in (await by_sku(alice)).values()}
            [lost] = [half for half, each in zip(halves, answers, strict=True) if each.is_error]
            assert left == set(lost) - {ids[5]}
            await alice.post(DELETE, json={"ids": list(left)})
