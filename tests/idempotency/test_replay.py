"""A request with an Idempotency-Key runs once; each repetition gets the first answer."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from fastapi import HTTPException
from starlette.responses import Response

from app.database.connections import Database
from app.dependencies import Work
from app.exceptions import (
    AppError,
    Conflict,
    Forbidden,
    Invalid,
    RateLimited,
    ServiceUnavailable,
    Unauthorized,
)
from tests.factories import create_lamps
from tests.idempotency.steps import KEY, KEYED, RUN, SENT, Serve, count, raise_, same, write
from tests.lamps.dependencies import Lamps, LoadedLamp
from tests.lamps.models import Lamp
from tests.lamps.schemas import LampCreate
from tests.problems import JSON, LAMPS, NO_LAMP, read_problem
from tests.statements import recorded_statements

ANSWERS: dict[str, tuple[int, str, str, Any]] = {
    "created": (201, "POST", LAMPS, SENT),
    "restored": (200, "POST", f"{LAMPS}/{{deleted}}/restore", None),
    "many created": (201, "POST", f"{LAMPS}/bulk", {"items": [SENT, SENT | {"sku": "B"}]}),
    "many upserted": (200, "PUT", f"{LAMPS}/bulk", {"items": [SENT, SENT | {"sku": "taken"}]}),
    "many deleted": (200, "POST", f"{LAMPS}/bulk/delete", {"ids": ["{taken}"]}),
    "no JSON": (400, "POST", LAMPS, b"{"),
    "missing": (404, "POST", f"{LAMPS}/{NO_LAMP}/restore", None),
    "missing of many": (404, "POST", f"{LAMPS}/bulk/delete", {"ids": ["{taken}", NO_LAMP]}),
    "a taken value": (409, "POST", LAMPS, SENT | {"sku": "taken"}),
    "a taken value of many": (
        409,
        "POST",
        f"{LAMPS}/bulk",
        {"items": [SENT, SENT | {"sku": "taken"}]},
    ),
    "a stale version": (412, "POST", f"{LAMPS}/{{deleted}}/restore", None),
    "no lamp": (422, "POST", LAMPS, {}),
    "a key twice": (422, "PUT", f"{LAMPS}/bulk", {"items": [SENT, SENT]}),
}


class TestReplay:
    @pytest.mark.parametrize("kind", ANSWERS)
    async def test_every_answer_comes_again_and_nothing_runs(
        self, alice: httpx.AsyncClient, kind: str
    ) -> None:
        status, method, path, body = ANSWERS[kind]
        taken, deleted = await create_lamps(alice, {"sku": "taken"}, {})
        await alice.delete(f"{LAMPS}/{deleted['id']}")
        ids = {"taken": taken["id"], "deleted": deleted["id"]}
        content = body if isinstance(body, bytes) else None
        if isinstance(body, dict) and "ids" in body:
            body = {"ids": [each.format(**ids) for each in body["ids"]]}
        headers = KEYED | JSON | ({"If-Match": '"7"'} if status == 412 else {})

        async def send() -> httpx.Response:
            json = None if content else body
            url = path.format(**ids)
            return await alice.request(method, url, json=json, content=content, headers=headers)

        first = await send()
        assert first.status_code == status, first.text
        if kind == "created":
            assert first.headers["ETag"] == '"1"'
            assert first.headers["Location"] == f"{LAMPS}/{first.json()['id']}"
        page = (await alice.get(LAMPS, params={"deleted": "include"})).json()
        with recorded_statements() as statements:
            assert same(first, await send(), await send())
        assert not any("lamps" in each for each in statements)
        assert (await alice.get(LAMPS, params={"deleted": "include"})).json() == page

    async def test_is_of_the_first_answer_whatever_became_of_the_row(
        self, alice: httpx.AsyncClient
    ) -> None:
        first = await alice.post(LAMPS, json=SENT, headers=KEYED)
        await alice.patch(first.headers["Location"], json={"quantity": 5})
        assert same(first, await alice.post(LAMPS, json=SENT, headers=KEYED))
        await alice.delete(first.headers["Location"])
        assert same(first, await alice.post(LAMPS, json=SENT, headers=KEYED))

    @pytest.mark.parametrize("error", [Forbidden(), Invalid()])
    async def test_an_error_undoes_what_was_written_and_keeps_the_key(
        self, serve: Serve, database: Database, error: AppError
    ) -> None:
        runs = 0

        async def endpoint(lamps: Lamps) -> Lamp:
            nonlocal runs
            runs += 1
            await write(lamps)
            raise error

        client = await serve(endpoint)
        first = await client.post(RUN, headers=KEYED)
        read_problem(first, error.status, error.error_code)
        assert same(first, await client.post(RUN, headers=KEYED))
        assert runs == 1
        assert (await count(database, "lamps"), await count(database, "idempotency_keys")) == (0, 1)

    async def test_a_refusal_by_the_database_is_an_error_like_others(
        self, serve: Serve, database: Database
    ) -> None:
        async def endpoint(lamps: Lamps) -> Lamp:
            await lamps.create(LampCreate.model_validate(SENT))
            return await lamps.create(LampCreate.model_validate(SENT))

        client = await serve(endpoint)
        first = await client.post(RUN, headers=KEYED)
        read_problem(first, 409, "CONFLICT")
        assert same(first, await client.post(RUN, headers=KEYED))
        assert await count(database, "lamps") == 0

    async def test_a_response_of_the_endpoints_own(self, serve: Serve, database: Database) -> None:
        async def endpoint(lamps: Lamps) -> Response:
            await write(lamps)
            headers = {"X-Of-Its-Own": "1"}
            return Response(b"\x00\xff", 409, headers, "application/octet-stream")

        client = await serve(endpoint)
        first = await client.post(RUN, headers=KEYED)
        assert (first.status_code, first.headers["X-Of-Its-Own"]) == (409, "1")
        assert same(first, await client.post(RUN, headers=KEYED))
        assert await count(database, "lamps") == 0

    async def test_what_fastapi_raises(self, serve: Serve, database: Database) -> None:
        async def endpoint(lamps: Lamps) -> Lamp:
            await write(lamps)
            raise HTTPException(404)

        client = await serve(endpoint)
        first = await client.post(RUN, headers=KEYED)
        read_problem(first, 404, "NOT_FOUND")
        assert same(first, await client.post(RUN, headers=KEYED))
        assert (await count(database, "lamps"), await count(database, "idempotency_keys")) == (0, 1)

    async def test_a_header_that_is_there_twice(self, serve: Serve) -> None:
        async def endpoint() -> Response:
            response = Response()
            response.headers.append("Link", "</a>")
            response.headers.append("Link", "</b>")
            return response

        client = await serve(endpoint)
        first, again = [await client.post(RUN, headers=KEYED) for _ in range(2)]
        assert first.headers.get_list("Link") == ["</a>", "</b>"]
        assert same(first, again)

    async def test_comes_before_what_a_dependency_finds_by_now(self, serve: Serve) -> None:
        async def endpoint(lamp: LoadedLamp, lamps: Lamps) -> Lamp:
            await lamps.delete(lamp.id)
            return lamp

        client = await serve(endpoint)
        [created] = await create_lamps(client, {})
        query = {"lamp_id": created["id"]}
        first, again = [await client.post(RUN, params=query, headers=KEYED) for _ in range(2)]
        assert first.status_code == 201
        assert same(first, again)

    async def test_of_what_a_dependency_misses(self, serve: Serve, database: Database) -> None:
        async def endpoint(lamp: LoadedLamp) -> Lamp:
            return lamp

        client = await serve(endpoint)
        query = {"lamp_id": NO_LAMP}
        first, again = [await client.post(RUN, params=query, headers=KEYED) for _ in range(2)]
        read_problem(first, 404, "NOT_FOUND")
        assert same(first, again)
        assert await count(database, "idempotency_keys") == 1

    async def test_nothing_follows_what_was_undone(self, serve: Serve) -> None:
        ended = []

        async def follow() -> None:
            ended.append("after the commit")

        async def endpoint(work: Work, refused: str) -> Response:
            work.after_commit.append(follow)
            if refused == "raised":
                raise Conflict
            return Response(status_code=409 if refused else 204)

        client = await serve(endpoint)
        for refused, status in [("raised", 409), ("answered", 409), ("", 204)]:
            for headers in ({}, {KEY: f"k{refused}"}):
                response = await client.post(RUN, params={"refused": refused}, headers=headers)
                assert response.status_code == status
        assert len(ended) == 2

    async def test_no_content(self, serve: Serve, database: Database) -> None:
        async def endpoint(lamps: Lamps) -> Response:
            await write(lamps)
            return Response(status_code=204)

        client = await serve(endpoint)
        first, again = [await client.post(RUN, headers=KEYED) for _ in range(2)]
        assert (first.status_code, first.content) == (204, b"")
        assert same(first, again)
        assert await count(database, "lamps") == 1


class TestNotStored:
    @pytest.mark.parametrize(
        "ending",
        [
            raise_(RateLimited(1)),
            raise_(Unauthorized()),
            raise_(ServiceUnavailable()),
            raise_(RuntimeError("a defect")),
            raise_(HTTPException(500)),
            lambda: Response(status_code=401),
            lambda: Response(status_code=429),
            lambda: Response(status_code=503),
        ],
    )
    async def test_another_try_runs_it_anew(
        self, serve: Serve, database: Database, ending: Callable[[], Any]
    ) -> None:
        endings = [ending]

        async def endpoint(lamps: Lamps) -> Any:
            written = await write(lamps)
            return endings.pop()() if endings else written

        client = await serve(endpoint)
        first = await client.post(RUN, headers=KEYED)
        assert first.status_code in {401, 429, 500, 503}
        assert (await count(database, "lamps"), await count(database, "idempotency_keys")) == (0, 0)
        assert (await client.post(RUN, headers=KEYED)).status_code == 201
        assert await count(database, "lamps") == 1

    async def test_nor_is_what_is_refused_before_the_caller_is_known(
        self, alice: httpx.AsyncClient, client: httpx.AsyncClient
    ) -> None:
        assert (await client.post(LAMPS, json=SENT, headers=KEYED)).status_code == 401
        assert (await alice.post(LAMPS, json=SENT, headers=KEYED)).status_code == 201
