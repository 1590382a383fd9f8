"""If-None-Match spares a read its body; If-Match keeps an edit from undoing another one."""

import asyncio
from collections.abc import AsyncIterator
from time import perf_counter
from typing import Any

import httpx
import pytest
from fastapi import APIRouter

from app.core.types import Id
from app.dependencies import RequiredIfMatch
from app.main import Application, create_app
from tests.conftest import new_client
from tests.factories import create_lamps, lamp
from tests.lamps.dependencies import Lamps
from tests.lamps.models import Lamp
from tests.lamps.schemas import LampRead, LampUpdate
from tests.problems import CANARY, LAMPS, ME, NO_LAMP, REGISTER, read_problem
from tests.statements import recorded_statements

READ, NOT_STORED = "private, no-cache", "no-store"

CURRENT = ['"1"', '"0", "1"', '"1","2"', ' \t"1"\t , "x" ', "*", " * ", '"x,1", "1"']
OTHER = ['"2"', '"01"', '"+1"', '""', '"x"', '"1a"', '"9999999999"', '"2147483648"']
NO_TAGS = [
    "",
    "1",
    '"1',
    '1"',
    "'1'",
    "W/1",
    ",",
    "**",
    '"1 "',
    '"1" "2"',
    '*, "1"',
    'w/"1"',
    '"\t"',
]


async def new_lamp(client: httpx.AsyncClient) -> str:
    """The path of a lamp in its first version."""
    [created] = await create_lamps(client, {})
    return f"{LAMPS}/{created['id']}"


def headers(name: str, *values: str) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode("latin-1")) for value in values]


class TestETag:
    async def test_is_the_version_wherever_one_row_is_answered(
        self, alice: httpx.AsyncClient
    ) -> None:
        created = await alice.post(LAMPS, json=lamp())
        path = created.headers["Location"]
        answers = [created, await alice.get(path)]
        answers.append(await alice.patch(path, json={"quantity": 1}))
        answers.append(await alice.patch(path, json={}))
        await alice.delete(path)
        answers.append(await alice.post(f"{path}/restore"))
        answers.append(await alice.post(f"{path}/restore"))
        answers.append(await alice.get(path))
        assert [each.json()["version"] for each in answers] == [1, 1, 2, 2, 4, 4, 4]
        for each in answers:
            assert each.headers.get_list("ETag") == [f'"{each.json()["version"]}"']

    async def test_of_the_caller(self, alice: httpx.AsyncClient, client: httpx.AsyncClient) -> None:
        account = {"email": "new@example.com", "password": "correct horse battery staple"}
        answers = [
            await client.post(REGISTER, json=account),
            await alice.get(ME),
            await alice.patch(ME, json={"display_name": "Alice"}),
            await alice.get(ME),
        ]
        assert [each.json()["version"] for each in answers] == [1, 1, 2, 2]
        for each in answers:
            assert each.headers["ETag"] == f'"{each.json()["version"]}"'

    async def test_is_of_one_row_only(self, alice: httpx.AsyncClient) -> None:
        many = {"items": [lamp()]}
        answers = [
            await alice.post(f"{LAMPS}/bulk", json=many),
            await alice.put(f"{LAMPS}/bulk", json=many),
            await alice.get(LAMPS),
            await alice.get(f"{LAMPS}/{NO_LAMP}"),
        ]
        assert not any("ETag" in each.headers for each in answers)

    async def test_only_what_can_be_asked_for_again_is_kept(self, alice: httpx.AsyncClient) -> None:
        path = await new_lamp(alice)
        for kept in (path, ME):
            response = await alice.get(kept)
            assert response.headers.get_list("Cache-Control") == [READ]
            # Two callers may have the same tag, as /users/me has for each of them.
            assert response.headers.get_list("Vary") == ["Authorization"]
        for method, other, body in [
            ("GET", LAMPS, None),
            ("GET", f"{LAMPS}/{NO_LAMP}", None),
            ("POST", LAMPS, lamp()),
            ("PATCH", path, {"quantity": 1}),
            ("POST", f"{path}/restore", None),
            ("DELETE", path, None),
        ]:
            response = await alice.request(method, other, json=body)
            assert response.headers.get_list("Cache-Control") == [NOT_STORED]


class TestIfNoneMatch:
    @pytest.mark.parametrize("value", [*CURRENT, 'W/"1"', 'W/"0" , W/"1"'])
    async def test_of_what_the_client_has_spares_the_body(
        self, alice: httpx.AsyncClient, value: str
    ) -> None:
        path = await new_lamp(alice)
        response = await alice.get(path, headers=headers("If-None-Match", value))
        assert (response.status_code, response.content) == (304, b"")
        assert response.headers["ETag"] == '"1"'
        assert response.headers.get_list("Cache-Control") == [READ]
        assert response.headers.get_list("Vary") == ["Authorization"]
        assert response.headers["X-Correlation-ID"]
        assert "Content-Type" not in response.headers
        assert "Content-Length" not in response.headers

    @pytest.mark.parametrize("value", [*OTHER, *NO_TAGS[:9]])
    async def test_of_anything_else_answers_the_row(
        self, alice: httpx.AsyncClient, value: str
    ) -> None:
        path = await new_lamp(alice)
        response = await alice.get(path, headers=headers("If-None-Match", value))
        assert response.json()["version"] == 1

    async def test_in_two_lines_is_one_list(self, alice: httpx.AsyncClient) -> None:
        path = await new_lamp(alice)
        both = headers("If-None-Match", '"0"', '"1"')
        assert (await alice.get(path, headers=both)).status_code == 304

    async def test_of_an_older_version_answers_the_new_one(self, alice: httpx.AsyncClient) -> None:
        path = await new_lamp(alice)
        await alice.patch(path, json={"quantity": 7})
        response = await alice.get(path, headers={"If-None-Match": '"1"'})
        assert (response.json()["quantity"], response.headers["ETag"]) == (7, '"2"')

    async def test_of_the_caller(self, alice: httpx.AsyncClient) -> None:
        known = {"If-None-Match": (await alice.get(ME)).headers["ETag"]}
        assert (await alice.get(ME, headers=known)).status_code == 304
        await alice.patch(ME, json={"display_name": "Alice"})
        assert (await alice.get(ME, headers=known)).json()["display_name"] == "Alice"

    async def test_tells_nobody_what_he_may_not_read(
        self, alice: httpx.AsyncClient, bob: httpx.AsyncClient, client: httpx.AsyncClient
    ) -> None:
        mine, deleted = await new_lamp(alice), await new_lamp(bob)
        await bob.delete(deleted)
        for value in ("*", '"1"', '"1", "2"'):
            sent = {"If-None-Match": value}
            for path in (mine, deleted, f"{LAMPS}/{NO_LAMP}"):
                read_problem(await bob.get(path, headers=sent), 404, "NOT_FOUND")
            read_problem(await client.get(mine, headers=sent), 401, "UNAUTHORIZED")

    async def test_means_nothing_to_a_list_or_a_write(self, alice: httpx.AsyncClient) -> None:
        sent = {"If-None-Match": "*"}
        path = await new_lamp(alice)
        assert (await alice.get(LAMPS, headers=sent)).json()["total"] == 1
        changed = await alice.patch(path, json={"quantity": 2}, headers=sent)
        assert changed.json()["quantity"] == 2
        assert (await alice.post(LAMPS, json=lamp(), headers=sent)).status_code == 201


EDITS: dict[str, tuple[str, str, Any]] = {
    "a patch": ("PATCH", "", {"quantity": 5}),
    "an empty patch": ("PATCH", "", {}),
    "a delete": ("DELETE", "", None),
    "a restore of a live row": ("POST", "/restore", None),
}


class TestIfMatch:
    @pytest.mark.parametrize("kind", EDITS)
    async def test_of_the_current_version_lets_an_edit_pass(
        self, alice: httpx.AsyncClient, kind: str
    ) -> None:
        method, end, body = EDITS[kind]
        for value in CURRENT:
            path = await new_lamp(alice) + end
            response = await alice.request(
                method, path, json=body, headers=headers("If-Match", value)
            )
            assert response.is_success, value

    @pytest.mark.parametrize("kind", EDITS)
    async def test_of_another_version_changes_nothing(
        self, alice: httpx.AsyncClient, kind: str
    ) -> None:
        method, end, body = EDITS[kind]
        path = await new_lamp(alice)
        before = (await alice.get(path)).json()
        for value in [*OTHER, 'W/"1"', 'W/"1", "2"']:
            sent = headers("If-Match", value)
            response = await alice.request(method, path + end, json=body, headers=sent)
            problem = read_problem(response, 412, "PRECONDITION_FAILED")
            assert "errors" not in problem
        assert (await alice.get(path)).json() == before

    @pytest.mark.parametrize("kind", EDITS)
    async def test_that_is_no_list_of_tags_is_named(
        self, alice: httpx.AsyncClient, kind: str
    ) -> None:
        method, end, body = EDITS[kind]
        path = await new_lamp(alice)
        before = (await alice.get(path)).json()
        for value in NO_TAGS:
            sent = headers("If-Match", value)
            response = await alice.request(method, path + end, json=body, headers=sent)
            problem = read_problem(response, 422, "VALIDATION_ERROR")
            assert [error["loc"] for error in problem["errors"]] == [["header", "If-Match"]], value
        assert (await alice.get(path)).json() == before

    async def test_in_two_lines_is_one_list(self, alice: httpx.AsyncClient) -> None:
        path = await new_lamp(alice)
        both = headers("If-Match", '"0"', '"1"')
        assert (await alice.patch(path, json={"quantity": 1}, headers=both)).status_code == 200

    @pytest.mark.parametrize("value", ["*", '"1"', '"7"'])
    async def test_a_row_out_of_reach_is_missing_and_not_stale(
        self, alice: httpx.AsyncClient, bob: httpx.AsyncClient, value: str
    ) -> None:
        deleted = await new_lamp(alice)
        await alice.delete(deleted)
        paths = [deleted, await new_lamp(bob), f"{LAMPS}/{NO_LAMP}"]
        calls: list[tuple[str, str, Any]] = [("PATCH", path, {"quantity": 1}) for path in paths]
        calls += [("PATCH", path, {}) for path in paths]
        calls += [("DELETE", path, None) for path in paths]
        calls += [("POST", f"{path}/restore", None) for path in paths[1:]]
        for method, path, body in calls:
            response = await alice.request(method, path, json=body, headers={"If-Match": value})
            read_problem(response, 404, "NOT_FOUND")

    async def test_of_a_deleted_row_is_what_its_delete_made(self, alice: httpx.AsyncClient) -> None:
        path = await new_lamp(alice)
        await alice.delete(path)
        for value, status in [('"1"', 412), ('"3"', 412), ('W/"2"', 412), ('"2"', 200)]:
            response = await alice.post(f"{path}/restore", headers={"If-Match": value})
            assert response.status_code == status
        assert response.headers["ETag"] == '"3"'

    async def test_what_is_wrong_by_itself_is_told_first(self, alice: httpx.AsyncClient) -> None:
        path = await new_lamp(alice)
        response = await alice.patch(path, json={"quantity": -1}, headers={"If-Match": '"7"'})
        problem = read_problem(response, 422, "VALIDATION_ERROR")
        assert problem["errors"][0]["loc"] == ["body", "quantity"]

    async def test_costs_no_statement_of_its_own(self, alice: httpx.AsyncClient) -> None:
        path = await new_lamp(alice)
        with recorded_statements() as statements:
            await alice.patch(path, json={"quantity": 1}, headers={"If-Match": '"1"'})
        assert [each.split()[0] for each in statements] == ["SELECT", "BEGIN", "UPDATE", "COMMIT"]

    async def test_of_the_caller(self, alice: httpx.AsyncClient) -> None:
        stale, current = {"If-Match": '"2"'}, {"If-Match": '"1"'}
        changed = await alice.patch(ME, json={"display_name": "A"}, headers=stale)
        read_problem(changed, 412, "PRECONDITION_FAILED")
        changed = await alice.patch(ME, json={"display_name": "B"}, headers=current)
        assert (changed.status_code, changed.headers["ETag"]) == (200, '"2"')


class TestConcurrentEdits:
    async def test_of_twenty_patches_with_one_etag_one_wins(self, alice: httpx.AsyncClient) -> None:
        path = await new_lamp(alice)
        answers = await asyncio.gather(
            *(
                alice.patch(path, json={"quantity": number + 1}, headers={"If-Match": '"1"'})
                for number in range(20)
            )
        )
        assert sorted(each.status_code for each in answers) == [200, *[412] * 19]
        [won] = [each for each in answers if each.status_code == 200]
        assert (await alice.get(path)).json() == won.json()
        assert won.headers["ETag"] == '"2"'

    async def test_of_patches_and_deletes_with_one_etag_one_wins(
        self, alice: httpx.AsyncClient
    ) -> None:
        sent = {"If-Match": '"1"'}
        for _ in range(5):
            path = await new_lamp(alice)
            patches = [alice.patch(path, json={"quantity": n}, headers=sent) for n in range(1, 6)]
            deletes = [alice.delete(path, headers=sent) for _ in range(5)]
            mixed = [each for pair in zip(patches, deletes, strict=True) for each in pair]
            statuses = [each.status_code for each in await asyncio.gather(*mixed)]
            assert sum(status < 300 for status in statuses) == 1
            # A row that was deleted meanwhile is missing, as it would be without an ETag.
            assert set(statuses) <= ({200, 412} if 200 in statuses else {204, 404})

    async def test_of_twenty_restores_with_one_etag_one_wins(
        self, alice: httpx.AsyncClient
    ) -> None:
        path = await new_lamp(alice)
        await alice.delete(path)
        restore, sent = f"{path}/restore", {"If-Match": '"2"'}
        answers = await asyncio.gather(*(alice.post(restore, headers=sent) for _ in range(20)))
        assert sorted(each.status_code for each in answers) == [200, *[412] * 19]
        assert (await alice.get(path)).headers["ETag"] == '"3"'

    async def test_who_reads_and_tries_again_loses_no_edit(self, alice: httpx.AsyncClient) -> None:
        path = await new_lamp(alice)

        async def increment() -> None:
            while True:
                read = await alice.get(path)
                changed = {"quantity": read.json()["quantity"] + 1}
                sent = {"If-Match": read.headers["ETag"]}
                if (await alice.patch(path, json=changed, headers=sent)).status_code == 200:
                    return

        await asyncio.gather(*(increment() for _ in range(8)))
        after = (await alice.get(path)).json()
        assert (after["quantity"], after["version"]) == (8, 9)


LONG = 60_000
HOSTILE = [
    "\x00", "\xff", f'"{CANARY}\x00"', f"'; DROP TABLE {CANARY}; --", CANARY, f'"{CANARY}',
    '"' * LONG, '"' + "a" * LONG, '"1",' * (LONG // 4), '"1",' * (LONG // 4) + CANARY,
    '"1"' + " " * LONG + CANARY, '"1"' + "\xa0" * LONG + CANARY, " " * LONG + CANARY,
    ('"1"' + " " * 40 + "," + " " * 40) * (LONG // 84) + CANARY, "W/" * (LONG // 2), '"",' * 20_000,
    'W/"' * (LONG // 3), "," * LONG, "*," * (LONG // 2), '"' + "9" * LONG + '"', "*" * LONG,
    ",".join(f'"{number}"' for number in range(2, 8_000)), '"\xff"' * (LONG // 3),
]  # fmt: skip


class TestHostileValues:
    @pytest.mark.parametrize("name", ["If-Match", "If-None-Match"])
    async def test_are_refused_or_mean_nothing_in_no_time(
        self, alice: httpx.AsyncClient, name: str
    ) -> None:
        path = await new_lamp(alice)
        known = (await alice.get(path)).json()
        for value in HOSTILE:
            sent, started = headers(name, value), perf_counter()
            answers = [
                await alice.get(path, headers=sent),
                await alice.patch(path, json={}, headers=sent),
                await alice.post(f"{path}/restore", headers=sent),
            ]
            assert perf_counter() - started < 1  # tens of milliseconds; squared, it were minutes
            assert answers[0].status_code in {200, 304}
            for answer in answers:
                assert answer.status_code in {200, 304, 412, 422}
                assert CANARY not in answer.text + str(answer.headers)
                assert len(answer.content) < 1000
        assert (await alice.get(path)).json() == known


class TestRequiredIfMatch:
    @pytest.fixture
    async def strict_app(self, app: Application) -> AsyncIterator[Application]:
        """An application with an entity whose edits must name a version."""
        router = APIRouter(prefix="/api/v1/strict")

        @router.patch("/{lamp_id}", response_model=LampRead)
        async def update_strictly(
            lamp_id: Id, data: LampUpdate, lamps: Lamps, if_match: RequiredIfMatch
        ) -> Lamp:
            return await lamps.update(lamp_id, data, if_match)

        made = create_app(app.settings)
        assert isinstance(made, Application)
        made.include_router(router)
        yield made
        await made.database.close()

    async def test_an_edit_without_one_is_refused(
        self, strict_app: Application, alice: httpx.AsyncClient
    ) -> None:
        path = await new_lamp(alice)
        authorization = {"Authorization": alice.headers["Authorization"]}
        async with new_client(strict_app, authorization) as client:
            strict = path.replace("lamps", "strict")
            for body in ({"quantity": 1}, {}):
                response = await client.patch(strict, json=body)
                read_problem(response, 428, "PRECONDITION_REQUIRED")
            statuses = []
            for value in ("1", '"2"', '"1"', "*"):
                sent = {"If-Match": value}
                changed = await client.patch(strict, json={"quantity": 2}, headers=sent)
                statuses.append(changed.status_code)
        assert statuses == [422, 412, 200, 200]
        assert (await alice.get(path)).json()["version"] == 3

    def test_the_schema_says_so(self, strict_app: Application) -> None:
        operation = strict_app.openapi()["paths"]["/api/v1/strict/{lamp_id}"]["patch"]
        [header] = [each for each in operation["parameters"] if each["name"] == "If-Match"]
        assert header["required"] is True
        assert operation["responses"].keys() >= {"412", "428"}
