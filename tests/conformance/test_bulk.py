import asyncio

import pytest

from tests.conformance.resources import each_of, having
from tests.conformance.things import MISSING, Row, Things
from tests.problems import read_problem


def key_of(things: Things, body: Row) -> Row:
    return {name: body[name] for name in things.resource.natural_key}


@pytest.mark.general
class TestLimits:
    @each_of("POST /bulk", "PUT /bulk", "POST /bulk/delete")
    async def test_one_to_a_thousand_rows(self, things: Things, route: str) -> None:
        name = "ids" if "delete" in route else "items"
        one = MISSING if "delete" in route else await things.body()
        for number in (0, 1001):
            response = await things.send(route, json={name: [one] * number})
            problem = read_problem(response, 422, "VALIDATION_ERROR")
            assert [error["loc"] for error in problem["errors"]] == [["body", name]]
        # A thousand alike may be refused for what they are: missing, taken, or the same.
        response = await things.send(route, json={name: [one] * 1000})
        errors = response.json().get("errors", [])
        assert ["body", name] not in [error["loc"] for error in errors]


class TestCreate:
    @having("POST /bulk")
    async def test_answers_in_the_order_of_the_items(self, things: Things) -> None:
        bodies = (await things.bodies(5))[::-1]
        response = await things.send("POST /bulk", json={"items": bodies})
        created = response.json()["items"]
        assert (response.status_code, [*response.json()]) == (201, ["items"])
        for body, row in zip(bodies, created, strict=True):
            assert row == row | {name: body[name] for name in body.keys() & row.keys()}
            assert (await things.send("GET /{id}", row["id"])).json() == row

    @having("POST /bulk")
    async def test_takes_items_that_set_different_fields(self, things: Things) -> None:
        bodies = [await things.required(), await things.body()]
        response = await things.send("POST /bulk", json={"items": bodies})
        alone = [await things.create(await things.required()), await things.create()]
        for row, other, body in zip(response.json()["items"], alone, bodies, strict=True):
            for name in things.resource.fields.keys() & row.keys():
                assert row[name] == (body[name] if name in body else other[name]), name

    @having("POST /bulk", key=True)
    async def test_creates_none_where_one_conflicts(self, things: Things) -> None:
        bodies = await things.bodies(3)
        bodies[2] |= key_of(things, bodies[0])
        response = await things.send("POST /bulk", json={"items": bodies})
        problem = read_problem(response, 409, "CONFLICT")
        wrong = [["body", "items", 2, name] for name in things.resource.natural_key]
        assert [error["loc"] for error in problem["errors"]] == wrong
        assert await things.rows(deleted="include") == []

    @having("POST /bulk", key=True)
    async def test_names_each_row_whose_key_is_taken(self, things: Things) -> None:
        stored = [await things.body() for _ in range(2)]
        await things.create_many(stored)
        bodies = await things.bodies(4)
        bodies[1] |= key_of(things, stored[1])
        bodies[3] |= key_of(things, stored[0])
        response = await things.send("POST /bulk", json={"items": bodies})
        problem = read_problem(response, 409, "CONFLICT")
        names = things.resource.natural_key
        wrong = [["body", "items", position, name] for position in (1, 3) for name in names]
        assert [error["loc"] for error in problem["errors"]] == wrong


@having("PUT /bulk", "DELETE /{id}")
class TestUpsert:
    async def test_tells_what_became_of_each_item(self, things: Things) -> None:
        bodies = await things.bodies(2)
        same, changed = [await things.create(body) for body in bodies]
        change = await things.change(changed)
        if change.keys() & {*things.resource.natural_key}:
            pytest.skip("it is no more than its key")
        new = await things.body()
        items = [new, bodies[1] | change, bodies[0]]
        answer = (await things.send("PUT /bulk", json={"items": items})).json()
        [created, _, _] = answer["results"]
        assert answer == {
            "created": 1,
            "updated": 1,
            "unchanged": 1,
            "results": [
                {"id": created["id"], "outcome": "created"},
                {"id": changed["id"], "outcome": "updated"},
                {"id": same["id"], "outcome": "unchanged"},
            ],
        }
        assert await things.read(same) == same
        after = await things.read(changed)
        written = {"version": 2, "updated_at": after["updated_at"]}
        assert after == changed | change | written
        assert (await things.read(created))["version"] == 1

    async def test_absent_fields_stay_or_take_their_default(self, things: Things) -> None:
        old = await things.body()
        row = await things.create(old)
        new = await things.required()
        plain = await things.create(await things.required())
        items = [new, {name: old[name] for name in new}, await things.body()]
        answer = (await things.send("PUT /bulk", json={"items": items})).json()
        outcomes = [each["outcome"] for each in answer["results"]]
        assert outcomes == ["created", "unchanged", "created"]
        assert await things.read(row) == row
        made = await things.read(answer["results"][0])
        for name in things.resource.fields.keys() & made.keys():
            assert made[name] == (new[name] if name in new else plain[name]), name

    async def test_null_clears_what_may_be_empty(self, things: Things) -> None:
        for name, field in things.resource.fields.items():
            if field.nullable and name in things.resource.shown:
                body = await things.body()
                row = await things.create(body)
                items = [body | {name: None}]
                answer = (await things.send("PUT /bulk", json={"items": items})).json()
                assert answer["updated"] == (row[name] is not None)
                assert (await things.read(row))[name] is None

    async def test_two_items_with_one_key_are_both_named(self, things: Things) -> None:
        bodies = await things.bodies(4)
        bodies[3] |= key_of(things, bodies[1])
        response = await things.send("PUT /bulk", json={"items": bodies})
        problem = read_problem(response, 422, "VALIDATION_ERROR")
        [error] = problem["errors"]
        assert error["loc"][:3] == ["body", "items", 3]
        assert "1 and 3" in error["message"]
        assert await things.rows() == []

    async def test_a_row_in_the_bin_is_not_there(self, things: Things) -> None:
        body = await things.body()
        row = await things.deleted(body)
        binned = await things.read(row)
        answer = (await things.send("PUT /bulk", json={"items": [body]})).json()
        assert (answer["created"], answer["results"][0]["id"] == row["id"]) == (1, False)
        assert await things.read(row) == binned

    @pytest.mark.general
    async def test_concurrent_ones_over_the_same_keys_all_succeed(self, things: Things) -> None:
        bodies = await things.bodies(6)
        orders = [bodies[at % 6 :] + bodies[: at % 6] for at in range(5)]
        orders += [order[::-1] for order in orders]
        responses = await asyncio.gather(
            *(things.send("PUT /bulk", json={"items": order}) for order in orders)
        )
        assert {response.status_code for response in responses} == {200}
        assert sum(response.json()["created"] for response in responses) == 6
        assert [row["version"] for row in await things.rows()] == [1] * 6


@having("POST /bulk/delete")
class TestDelete:
    async def test_a_repeated_id_counts_once(self, things: Things) -> None:
        [a, b, kept] = [await things.create() for _ in range(3)]
        body = {"ids": [a["id"], b["id"], a["id"]]}
        response = await things.send("POST /bulk/delete", json=body)
        assert (response.status_code, response.json()) == (200, {"deleted": 2})
        assert await things.rows() == [kept]
        assert len(await things.rows(deleted="only")) == 2

    async def test_deletes_none_where_one_is_not_there(self, things: Things) -> None:
        row, binned = await things.create(), await things.deleted()
        for missing in (MISSING, binned["id"]):
            body = {"ids": [row["id"], missing]}
            problem = read_problem(
                await things.send("POST /bulk/delete", json=body), 404, "NOT_FOUND"
            )
            assert problem["detail"] == f"{things.resource.model.__name__} {missing} not found"
        assert await things.rows() == [row]
