"""Deleting, what of a row is left then, and bringing it back."""

import asyncio

import pytest

from tests.conformance.resources import having
from tests.conformance.things import Things
from tests.problems import read_problem

RESTORE = ("DELETE /{id}", "POST /{id}/restore")


@having("DELETE /{id}")
class TestDelete:
    async def test_takes_the_row_out_of_reads_lists_and_counts(self, things: Things) -> None:
        row, kept = await things.create(), await things.create()
        response = await things.send("DELETE /{id}", row["id"])
        assert (response.status_code, response.content) == (204, b"")
        read_problem(await things.send("GET /{id}", row["id"]), 404, "NOT_FOUND")
        page = await things.page()
        assert (page["items"], page["total"]) == ([kept], 1)

    async def test_leaves_its_unique_values_to_others(self, things: Things) -> None:
        body = await things.body()
        row = await things.deleted(body)
        assert (await things.create(body))["id"] != row["id"]


class TestRestore:
    @having(*RESTORE)
    async def test_brings_the_row_back(self, things: Things) -> None:
        before = await things.deleted()
        response = await things.send("POST /{id}/restore", before["id"])
        after = response.json()
        assert response.status_code == 200
        assert response.headers["ETag"] == f'"{after["version"]}"'
        written = {name: after[name] for name in ("version", "updated_at")}
        assert after == before | written
        assert after["version"] == 3
        assert (await things.send("GET /{id}", before["id"])).json() == after
        assert await things.ids() == [before["id"]]

    @having(*RESTORE)
    async def test_answers_a_live_row_as_it_is(self, things: Things) -> None:
        row = await things.create()
        response = await things.send("POST /{id}/restore", row["id"])
        assert (response.status_code, response.json()) == (200, row)
        assert await things.read(row) == row

    @having(*RESTORE, key=True)
    async def test_names_what_was_taken_meanwhile(self, things: Things) -> None:
        body = await things.body()
        row = await things.deleted(body)
        taker = await things.create(body)
        response = await things.send("POST /{id}/restore", row["id"])
        problem = read_problem(response, 409, "CONFLICT")
        assert {tuple(each["loc"]) for each in problem["errors"]} <= {
            ("body", name) for name in things.resource.unique
        }
        assert await things.rows() == [taker]

    @pytest.mark.general
    @having(*RESTORE)
    async def test_of_two_at_once_both_see_the_row_and_one_writes_it(self, things: Things) -> None:
        row = await things.deleted()
        responses = await asyncio.gather(
            *(things.send("POST /{id}/restore", row["id"]) for _ in range(2))
        )
        assert [response.status_code for response in responses] == [200, 200]
        assert responses[0].json() == responses[1].json()
        assert (await things.read(row))["version"] == 3

    @having(*RESTORE, key=True)
    async def test_of_two_at_once_to_one_unique_value_one_wins(self, things: Things) -> None:
        body = await things.body()
        rows = [await things.deleted(body), await things.deleted(body)]
        responses = await asyncio.gather(
            *(things.send("POST /{id}/restore", row["id"]) for row in rows)
        )
        assert sorted(response.status_code for response in responses) == [200, 409]
        assert (await things.page())["total"] == 1


@having("DELETE /{id}")
class TestLists:
    async def test_show_the_bin_where_it_is_asked_for(self, things: Things) -> None:
        binned, live = await things.deleted(), await things.create()
        found = {
            deleted: await things.page(deleted=deleted, order_by="created_at")
            for deleted in ("exclude", "only", "include")
        }
        in_bin = found["only"]["items"]
        assert found["exclude"]["items"] == [live]
        assert [row["id"] for row in in_bin] == [binned["id"]]
        assert found["include"]["items"] == [*in_bin, live]
        assert [found[each]["total"] for each in found] == [1, 1, 2]
        assert [row["deleted_at"] is None for row in [*in_bin, live]] == [False, True]

    @pytest.mark.general
    async def test_refuse_other_words(self, things: Things) -> None:
        for wrong in ("", "all", "EXCLUDE", "only,include"):
            response = await things.send("GET", params={"deleted": wrong})
            problem = read_problem(response, 422, "VALIDATION_ERROR")
            assert problem["errors"][0]["loc"] == ["query", "deleted"]
