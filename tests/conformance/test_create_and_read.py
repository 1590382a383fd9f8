from typing import Any
from uuid import UUID

import pytest

from tests.conformance.resources import each_of
from tests.conformance.things import MISSING, Row, Things
from tests.conformance.values import edges, refused, value
from tests.problems import CANARY, read_problem


class TestCreate:
    async def test_answers_the_row_its_place_and_its_version(self, things: Things) -> None:
        body = await things.body()
        response = await things.send("POST", json=body)
        created = response.json()
        assert response.status_code == 201
        assert created == created | {name: body[name] for name in body.keys() & created.keys()}
        assert created.keys() == things.resource.shown
        assert UUID(created["id"]).version == 7
        assert (created["version"], response.headers["ETag"]) == (1, '"1"')
        read = await things.client.get(response.headers["Location"])
        assert (read.status_code, read.json(), read.headers["ETag"]) == (200, created, '"1"')

    async def test_what_may_be_left_out_has_its_default(self, things: Things) -> None:
        created = await things.create(await things.required())
        for name, field in things.resource.fields.items():
            if field.has_default and name in created:
                default = things.resource.typed(name, field.default)
                assert things.resource.typed(name, created[name]) == default, name

    async def test_what_may_not_be_left_out_is_missed(self, things: Things) -> None:
        body = await things.required()
        for name in body:
            without = {key: given for key, given in body.items() if key != name}
            problem = read_problem(await things.send("POST", json=without), 422, "VALIDATION_ERROR")
            assert [error["loc"] for error in problem["errors"]] == [["body", name]]

    async def test_takes_the_extremes_of_each_field(self, things: Things) -> None:
        for name, field in things.resource.fields.items():
            for extreme in [] if field.reference else edges(field.shape):
                created = await things.create(await things.body(**{name: extreme}))
                assert created.get(name, extreme) == extreme, name

    async def test_takes_a_decimal_as_a_number_too(self, things: Things) -> None:
        for name, field in things.resource.fields.items():
            if field.shape.type == "decimal" and name in things.resource.shown:
                sent = value(field.shape, 10)  # which ends with a zero
                created = await things.create(await things.body(**{name: float(sent)}))
                assert created[name] == sent

    async def test_names_the_unique_field_that_is_taken(self, things: Things) -> None:
        for names in things.resource.uniques:
            taken = await things.body()
            before = [*await things.rows(), await things.create(taken)]
            body = await things.body(**{name: taken[name] for name in names})
            problem = read_problem(await things.send("POST", json=body), 409, "CONFLICT")
            assert [error["loc"] for error in problem["errors"]] == [["body", x] for x in names]
            assert await things.rows() == before


class TestBodies:
    @each_of("POST", "PATCH /{id}")
    async def test_refuses_what_does_not_fit_a_field(self, things: Things, route: str) -> None:
        row, body = await things.create(), await things.body()
        for name, field in things.resource.fields.items():
            for wrong in [*refused(field.shape), *([] if field.nullable else [None])]:
                response = await things.send(route, row["id"], json=body | {name: wrong})
                problem = read_problem(response, 422, "VALIDATION_ERROR")
                assert {tuple(error["loc"][:2]) for error in problem["errors"]} == {("body", name)}
                assert CANARY not in response.text, name
        assert await things.rows() == [row]

    @each_of("POST /bulk", "PUT /bulk")
    async def test_says_which_item_of_many_does_not_fit(self, things: Things, route: str) -> None:
        for name, field in things.resource.fields.items():
            for wrong in refused(field.shape)[:1]:
                bodies = [await things.body(), await things.body(**{name: wrong})]
                response = await things.send(route, json={"items": bodies})
                problem = read_problem(response, 422, "VALIDATION_ERROR")
                assert problem["errors"][0]["loc"][:4] == ["body", "items", 1, name]
        assert await things.rows() == []

    @pytest.mark.general
    @each_of("POST", "PATCH /{id}", "POST /bulk", "PUT /bulk", "POST /bulk/delete")
    async def test_refuses_fields_that_are_not_the_callers(
        self, things: Things, route: str
    ) -> None:
        row, body = await things.create(), await things.body()
        own = things.resource.shown - things.resource.fields.keys()
        for name in [CANARY, "owner_id", *own]:
            whole: Any = {"items": [body | {name: row.get(name)}]} if "/bulk" in route else body
            if route == "POST /bulk/delete":
                whole = {"ids": [row["id"]]}
            if "items" not in whole:
                whole = whole | {name: row.get(name)}
            problem = read_problem(
                await things.send(route, row["id"], json=whole), 422, "VALIDATION_ERROR"
            )
            assert [error["loc"][-1] for error in problem["errors"]] == [name]
        assert await things.rows() == [row]


@pytest.mark.general
class TestRead:
    @pytest.mark.parametrize("tags", ['"1"', 'W/"1"', '"7", W/"1"', "*"])
    async def test_says_when_nothing_has_changed(self, things: Things, tags: str) -> None:
        row = await things.create()
        response = await things.send("GET /{id}", row["id"], headers={"If-None-Match": tags})
        assert (response.status_code, response.content) == (304, b"")
        assert response.headers["ETag"] == '"1"'
        assert response.headers["Cache-Control"] == "private, no-cache"

    @pytest.mark.parametrize("tags", ['"2"', 'W/"11"', '"7", W/"2"'])
    async def test_answers_what_has_changed(self, things: Things, tags: str) -> None:
        row = await things.create()
        response = await things.send("GET /{id}", row["id"], headers={"If-None-Match": tags})
        assert (response.status_code, response.json()) == (200, row)

    @each_of("GET /{id}", "PATCH /{id}", "DELETE /{id}", "POST /{id}/restore")
    async def test_missing_and_deleted_are_alike(self, things: Things, route: str) -> None:
        row = await things.deleted()
        gone = [MISSING] if "restore" in route else [MISSING, row["id"]]
        for id in gone:
            for tags in ('"1"', "*"):
                body: Row | None = {} if route.startswith("PATCH") else None
                response = await things.send(route, id, headers={"If-Match": tags}, json=body)
                problem = read_problem(response, 404, "NOT_FOUND")
                assert problem["detail"] == f"{things.resource.model.__name__} {id} not found"

    @each_of("GET /{id}", "PATCH /{id}", "DELETE /{id}", "POST /{id}/restore", "POST /bulk/delete")
    async def test_an_id_has_one_form(self, things: Things, route: str) -> None:
        id = (await things.create())["id"]
        plain = id.replace("-", "")
        for wrong in (plain, f"{{{id}}}", f"urn:uuid:{id}", f"{id}0", CANARY, "%00"):
            body: Row = {"ids": [wrong]} if "bulk" in route else {}
            response = await things.send(route, wrong, json=body)
            problem = read_problem(response, 422, "VALIDATION_ERROR")
            assert problem["errors"][0]["loc"][0] == ("body" if "bulk" in route else "path")
            assert CANARY not in response.text
        assert (await things.send("GET /{id}", id)).status_code == 200
