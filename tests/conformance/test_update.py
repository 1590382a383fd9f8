from datetime import datetime

from tests.conformance.resources import having
from tests.conformance.things import Things
from tests.problems import read_problem

pytestmark = having("PATCH /{id}")


async def test_absent_fields_stay(things: Things) -> None:
    row, other = await things.create(), await things.create()
    fresh = await things.body()
    for name in things.resource.changes.keys() & fresh.keys():
        change = {name: fresh[name]}
        response = await things.send("PATCH /{id}", row["id"], json=change)
        after = response.json()
        assert response.status_code == 200
        written = {"version": row["version"] + 1, "updated_at": after["updated_at"]}
        assert after == row | change | written
        assert response.headers["ETag"] == f'"{after["version"]}"'
        before, now = (datetime.fromisoformat(each["updated_at"]) for each in (row, after))
        assert now > before
        row = after
    assert await things.rows() == [row, other]


async def test_null_clears_what_may_be_empty_and_nothing_else(things: Things) -> None:
    for name, field in things.resource.changes.items():
        row = await things.create()
        response = await things.send("PATCH /{id}", row["id"], json={name: None})
        if field.nullable:
            assert response.status_code == 200
            assert response.json()[name] is None
        else:
            problem = read_problem(response, 422, "VALIDATION_ERROR")
            assert problem["errors"][0]["loc"] == ["body", name]
            assert await things.read(row) == row


async def test_an_empty_patch_changes_nothing(things: Things) -> None:
    row = await things.create()
    response = await things.send("PATCH /{id}", row["id"], json={})
    assert (response.status_code, response.json()) == (200, row)
    assert response.headers["ETag"] == '"1"'
    assert await things.read(row) == row


async def test_names_the_unique_field_that_is_taken(things: Things) -> None:
    for names in things.resource.uniques:
        row, taken = await things.create(), await things.create()
        change = {name: taken[name] for name in names}
        response = await things.send("PATCH /{id}", row["id"], json=change)
        problem = read_problem(response, 409, "CONFLICT")
        assert [error["loc"] for error in problem["errors"]] == [["body", x] for x in names]
        assert await things.read(row) == row
