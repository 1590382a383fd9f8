"""A request with an Idempotency-Key runs once, however often, wherever and whenever it arrives."""

import asyncio
from collections.abc import AsyncIterator, Callable
from time import perf_counter
from typing import Any, NoReturn, Protocol

import httpx
import pytest
from fastapi import APIRouter, Depends, HTTPException
from sqlalchemy import text
from starlette.responses import Response

from app.auth.dependencies import authenticate
from app.database.connections import Database
from app.database.unit_of_work import UnitOfWork
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
from app.idempotency.dependencies import idempotency_key
from app.idempotency.repository import purge
from app.items.dependencies import Items, LoadedItem
from app.items.models import Item
from app.items.schemas import ItemCreate, ItemRead
from app.main import Application, create_app
from tests.conftest import connect, new_client
from tests.factories import create_items, create_token, create_user, item
from tests.faults.load import eventually
from tests.problems import CANARY, ITEMS, JSON, LOGIN, NO_ITEM, REGISTER, read_problem
from tests.statements import recorded_statements

KEY = "Idempotency-Key"
KEYED = {KEY: "k"}
SENT = {"name": "a", "sku": "A", "price": 1}
RUN = "/run"
LOCK_TIMEOUT = 0.1


class Serve(Protocol):
    async def __call__(self, endpoint: Callable[..., Any], **settings: Any) -> httpx.AsyncClient:
        """A client of an application whose POST /run is the endpoint, and can be repeated."""
        ...


@pytest.fixture
async def serve(app: Application) -> AsyncIterator[Serve]:
    user = await create_user(app.database, "runner@example.com")
    token = await create_token(app.database, user)
    made: list[tuple[Application, httpx.AsyncClient]] = []

    async def serve(endpoint: Callable[..., Any], **settings: Any) -> httpx.AsyncClient:
        router = APIRouter(dependencies=[Depends(authenticate), Depends(idempotency_key)])
        router.post(RUN, status_code=201, response_model=ItemRead | None)(endpoint)
        application = create_app(app.settings.model_copy(update=settings))
        assert isinstance(application, Application)
        application.include_router(router)
        made.append((application, new_client(application, {"Authorization": f"Bearer {token}"})))
        return made[-1][1]

    yield serve
    for application, client in made:
        await client.aclose()
        await application.database.close()


async def count(database: Database, table: str) -> int:
    async with UnitOfWork(database) as work:
        row = await work.fetch_one(text(f"SELECT count(*) FROM {table}"))  # noqa: S608 - a constant
    assert row is not None
    return int(row[0])


async def age_all_keys(database: Database, by: str) -> None:
    async with UnitOfWork(database) as work:
        aged = "UPDATE idempotency_keys SET created_at = created_at - CAST(:by AS text)::interval"
        await work.execute(text(aged).bindparams(by=by))
        await work.commit()


async def write(items: Items) -> Item:
    return await items.create(ItemCreate.model_validate(item()))


def same(first: httpx.Response, *others: httpx.Response) -> bool:
    """Whether they are one answer: what only tells this request from others aside."""

    def stored(response: httpx.Response) -> Any:
        headers = [pair for pair in response.headers.items() if pair[0] != "x-correlation-id"]
        return response.status_code, sorted(headers), response.content

    return all(stored(each) == stored(first) for each in others)


async def is_waited_for(database_name: str, waiting: int = 1) -> None:
    """Return when so many statements wait for another transaction."""
    connection = await connect(database_name)
    blocked = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )

    async def all_wait() -> bool:
        return int(await connection.fetchval(blocked)) == waiting

    assert await eventually(all_wait, 2)
    await connection.close()


class Held:
    """An endpoint whose first run stops, with its key claimed and a row written, until told."""

    def __init__(self, ending: Callable[[], Any] = lambda: None) -> None:
        self.runs = 0
        self.started, self.go_on = asyncio.Event(), asyncio.Event()
        self._ending = ending

    async def endpoint(self, items: Items) -> Item:
        self.runs += 1
        written = await write(items)
        if self.runs == 1:
            self.started.set()
            await self.go_on.wait()
            self._ending()
        return written

    async def first(self, client: httpx.AsyncClient) -> "asyncio.Task[httpx.Response]":
        """Send the first request, and return when it holds its key."""
        task = asyncio.create_task(client.post(RUN, headers=KEYED))
        await self.started.wait()
        return task


def raise_(error: Exception) -> Callable[[], NoReturn]:
    def ending() -> NoReturn:
        raise error

    return ending


ANSWERS: dict[str, tuple[int, str, str, Any]] = {
    "created": (201, "POST", ITEMS, SENT),
    "restored": (200, "POST", f"{ITEMS}/{{deleted}}/restore", None),
    "many created": (201, "POST", f"{ITEMS}/bulk", {"items": [SENT, SENT | {"sku": "B"}]}),
    "many upserted": (200, "PUT", f"{ITEMS}/bulk", {"items": [SENT, SENT | {"sku": "taken"}]}),
    "many deleted": (200, "POST", f"{ITEMS}/bulk/delete", {"ids": ["{taken}"]}),
    "no JSON": (400, "POST", ITEMS, b"{"),
    "missing": (404, "POST", f"{ITEMS}/{NO_ITEM}/restore", None),
    "missing of many": (404, "POST", f"{ITEMS}/bulk/delete", {"ids": ["{taken}", NO_ITEM]}),
    "a taken value": (409, "POST", ITEMS, SENT | {"sku": "taken"}),
    "a taken value of many": (
        409,
        "POST",
        f"{ITEMS}/bulk",
        {"items": [SENT, SENT | {"sku": "taken"}]},
    ),
    "a stale version": (412, "POST", f"{ITEMS}/{{deleted}}/restore", None),
    "no item": (422, "POST", ITEMS, {}),
    "a key twice": (422, "PUT", f"{ITEMS}/bulk", {"items": [SENT, SENT]}),
}


class TestReplay:
    @pytest.mark.parametrize("kind", ANSWERS)
    async def test_every_answer_comes_again_and_nothing_runs(
        self, alice: httpx.AsyncClient, kind: str
    ) -> None:
        status, method, path, body = ANSWERS[kind]
        taken, deleted = await create_items(alice, {"sku": "taken"}, {})
        await alice.delete(f"{ITEMS}/{deleted['id']}")
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
            assert first.headers["Location"] == f"{ITEMS}/{first.json()['id']}"
        page = (await alice.get(ITEMS, params={"deleted": "include"})).json()
        with recorded_statements() as statements:
            assert same(first, await send(), await send())
        assert not any("items" in each for each in statements)
        assert (await alice.get(ITEMS, params={"deleted": "include"})).json() == page

    async def test_is_of_the_first_answer_whatever_became_of_the_row(
        self, alice: httpx.AsyncClient
    ) -> None:
        first = await alice.post(ITEMS, json=SENT, headers=KEYED)
        await alice.patch(first.headers["Location"], json={"quantity": 5})
        assert same(first, await alice.post(ITEMS, json=SENT, headers=KEYED))
        await alice.delete(first.headers["Location"])
        assert same(first, await alice.post(ITEMS, json=SENT, headers=KEYED))

    @pytest.mark.parametrize("error", [Forbidden(), Invalid()])
    async def test_an_error_undoes_what_was_written_and_keeps_the_key(
        self, serve: Serve, database: Database, error: AppError
    ) -> None:
        runs = 0

        async def endpoint(items: Items) -> Item:
            nonlocal runs
            runs += 1
            await write(items)
            raise error

        client = await serve(endpoint)
        first = await client.post(RUN, headers=KEYED)
        read_problem(first, error.status, error.error_code)
        assert same(first, await client.post(RUN, headers=KEYED))
        assert runs == 1
        assert (await count(database, "items"), await count(database, "idempotency_keys")) == (0, 1)

    async def test_a_refusal_by_the_database_is_an_error_like_others(
        self, serve: Serve, database: Database
    ) -> None:
        async def endpoint(items: Items) -> Item:
            await items.create(ItemCreate.model_validate(SENT))
            return await items.create(ItemCreate.model_validate(SENT))

        client = await serve(endpoint)
        first = await client.post(RUN, headers=KEYED)
        read_problem(first, 409, "CONFLICT")
        assert same(first, await client.post(RUN, headers=KEYED))
        assert await count(database, "items") == 0

    async def test_a_response_of_the_endpoints_own(self, serve: Serve, database: Database) -> None:
        async def endpoint(items: Items) -> Response:
            await write(items)
            headers = {"X-Of-Its-Own": "1"}
            return Response(b"\x00\xff", 409, headers, "application/octet-stream")

        client = await serve(endpoint)
        first = await client.post(RUN, headers=KEYED)
        assert (first.status_code, first.headers["X-Of-Its-Own"]) == (409, "1")
        assert same(first, await client.post(RUN, headers=KEYED))
        assert await count(database, "items") == 0

    async def test_what_fastapi_raises(self, serve: Serve, database: Database) -> None:
        async def endpoint(items: Items) -> Item:
            await write(items)
            raise HTTPException(404)

        client = await serve(endpoint)
        first = await client.post(RUN, headers=KEYED)
        read_problem(first, 404, "NOT_FOUND")
        assert same(first, await client.post(RUN, headers=KEYED))
        assert (await count(database, "items"), await count(database, "idempotency_keys")) == (0, 1)

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
        async def endpoint(item: LoadedItem, items: Items) -> Item:
            await items.delete(item.id)
            return item

        client = await serve(endpoint)
        [created] = await create_items(client, {})
        query = {"item_id": created["id"]}
        first, again = [await client.post(RUN, params=query, headers=KEYED) for _ in range(2)]
        assert first.status_code == 201
        assert same(first, again)

    async def test_of_what_a_dependency_misses(self, serve: Serve, database: Database) -> None:
        async def endpoint(item: LoadedItem) -> Item:
            return item

        client = await serve(endpoint)
        query = {"item_id": NO_ITEM}
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
        async def endpoint(items: Items) -> Response:
            await write(items)
            return Response(status_code=204)

        client = await serve(endpoint)
        first, again = [await client.post(RUN, headers=KEYED) for _ in range(2)]
        assert (first.status_code, first.content) == (204, b"")
        assert same(first, again)
        assert await count(database, "items") == 1


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

        async def endpoint(items: Items) -> Any:
            written = await write(items)
            return endings.pop()() if endings else written

        client = await serve(endpoint)
        first = await client.post(RUN, headers=KEYED)
        assert first.status_code in {401, 429, 500, 503}
        assert (await count(database, "items"), await count(database, "idempotency_keys")) == (0, 0)
        assert (await client.post(RUN, headers=KEYED)).status_code == 201
        assert await count(database, "items") == 1

    async def test_nor_is_what_is_refused_before_the_caller_is_known(
        self, alice: httpx.AsyncClient, client: httpx.AsyncClient
    ) -> None:
        assert (await client.post(ITEMS, json=SENT, headers=KEYED)).status_code == 401
        assert (await alice.post(ITEMS, json=SENT, headers=KEYED)).status_code == 201


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
        response = await alice.post(ITEMS, json=SENT, headers=[(KEY.encode(), key)])
        problem = read_problem(response, 422, "VALIDATION_ERROR")
        assert [error["loc"] for error in problem["errors"]] == [["header", KEY]]
        assert CANARY not in response.text
        assert await count(database, "items") == 0

    @pytest.mark.parametrize("key", ["x", "x" * 255, '"a b", ;~', "'; DROP TABLE items; --", "%00"])
    async def test_any_printable_ascii_is_one(self, alice: httpx.AsyncClient, key: str) -> None:
        headers = {KEY: key}
        first = await alice.post(ITEMS, json=SENT, headers=headers)
        assert first.status_code == 201
        assert same(first, await alice.post(ITEMS, json=SENT, headers=headers))

    async def test_is_the_same_in_the_same_case_only(self, alice: httpx.AsyncClient) -> None:
        for key in ("key", "KEY"):
            response = await alice.post(ITEMS, json=item(), headers={KEY: key})
            assert response.status_code == 201

    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [
            ("POST", ITEMS, b'{"name": "a", "sku": "A", "price": 2}'),
            ("POST", ITEMS, b'{"name":"a","sku":"A","price":1}'),
            ("POST", ITEMS, b""),
            ("POST", f"{ITEMS}/bulk", b'{"name": "a", "sku": "A", "price": 1}'),
            ("PUT", f"{ITEMS}/bulk", b'{"name": "a", "sku": "A", "price": 1}'),
        ],
    )
    async def test_of_another_request_is_refused(
        self, alice: httpx.AsyncClient, database: Database, method: str, path: str, body: bytes
    ) -> None:
        headers = KEYED | JSON
        sent = b'{"name": "a", "sku": "A", "price": 1}'
        first = await alice.post(ITEMS, content=sent, headers=headers)
        other = await alice.request(method, path, content=body, headers=headers)
        read_problem(other, 422, "IDEMPOTENCY_KEY_REUSED")
        assert same(first, await alice.post(ITEMS, content=sent, headers=headers))
        assert await count(database, "items") == 1

    async def test_with_another_query_is_refused(self, serve: Serve) -> None:
        async def endpoint(items: Items, quantity: int) -> Item:
            return await items.create(ItemCreate.model_validate(item(quantity=quantity)))

        client = await serve(endpoint)
        first = await client.post(RUN, params={"quantity": 1}, headers=KEYED)
        assert first.status_code == 201
        other = await client.post(RUN, params={"quantity": 2}, headers=KEYED)
        read_problem(other, 422, "IDEMPOTENCY_KEY_REUSED")

    async def test_of_another_user_is_another_key(
        self, alice: httpx.AsyncClient, bob: httpx.AsyncClient
    ) -> None:
        mine = await alice.post(ITEMS, json=SENT, headers=KEYED)
        others = await bob.post(ITEMS, json=SENT, headers=KEYED)
        assert others.status_code == 201
        assert others.json()["id"] != mine.json()["id"]
        assert (await bob.get(mine.headers["Location"])).status_code == 404
        changed = await bob.post(ITEMS, json=SENT | {"price": 2}, headers=KEYED)
        read_problem(changed, 422, "IDEMPOTENCY_KEY_REUSED")
        assert same(mine, await alice.post(ITEMS, json=SENT, headers=KEYED))

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
        [created] = await create_items(alice, {})
        path = f"{ITEMS}/{created['id']}"
        for quantity in (1, 2):
            changed = await alice.patch(path, json={"quantity": quantity}, headers=KEYED)
            assert changed.json()["quantity"] == quantity
        assert (await alice.delete(path, headers=KEYED)).status_code == 204
        assert (await alice.delete(path, headers=KEYED)).status_code == 404
        assert await count(database, "idempotency_keys") == 0


class TestConcurrency:
    @pytest.mark.parametrize("pool", [{}, {"db_pool_size": 1, "db_max_overflow": 0}])
    async def test_twenty_at_once_are_one(
        self, serve: Serve, database: Database, pool: dict[str, int]
    ) -> None:
        client = await serve(write, **pool)
        answers = await asyncio.gather(*(client.post(RUN, headers=KEYED) for _ in range(20)))
        assert answers[0].status_code == 201
        assert same(*answers)
        assert await count(database, "items") == 1
        assert await count(database, "idempotency_keys") == 1

    async def test_twenty_at_once_with_bodies_of_their_own(self, alice: httpx.AsyncClient) -> None:
        answers = await asyncio.gather(
            *(alice.post(ITEMS, json=item(), headers=KEYED) for _ in range(20))
        )
        assert sorted(each.status_code for each in answers) == [201, *[422] * 19]
        assert (await alice.get(ITEMS)).json()["total"] == 1

    async def test_a_duplicate_waits_for_the_first(
        self, serve: Serve, database: Database, database_name: str
    ) -> None:
        held = Held()
        client = await serve(held.endpoint)
        first = await held.first(client)
        duplicates = [asyncio.create_task(client.post(RUN, headers=KEYED)) for _ in range(3)]
        await is_waited_for(database_name, 3)
        held.go_on.set()
        answers = await asyncio.gather(first, *duplicates)
        assert answers[0].status_code == 201
        assert same(*answers)
        assert (held.runs, await count(database, "items")) == (1, 1)

    async def test_a_duplicate_of_an_error_waits_for_it_too(
        self, serve: Serve, database_name: str
    ) -> None:
        held = Held(raise_(Conflict("not today")))
        client = await serve(held.endpoint)
        first = await held.first(client)
        duplicate = asyncio.create_task(client.post(RUN, headers=KEYED))
        await is_waited_for(database_name)
        held.go_on.set()
        assert read_problem(await first, 409, "CONFLICT")["detail"] == "not today"
        assert same(await first, await duplicate)

    async def test_a_duplicate_takes_the_place_of_a_first_that_left_no_answer(
        self, serve: Serve, database: Database, database_name: str
    ) -> None:
        held = Held(raise_(ServiceUnavailable()))
        client = await serve(held.endpoint)
        first = await held.first(client)
        duplicates = [asyncio.create_task(client.post(RUN, headers=KEYED)) for _ in range(3)]
        await is_waited_for(database_name, 3)
        held.go_on.set()
        assert (await first).status_code == 503
        answers = await asyncio.gather(*duplicates)
        assert answers[0].status_code == 201
        assert same(*answers)
        assert (held.runs, await count(database, "items")) == (2, 1)

    async def test_a_duplicate_waits_no_longer_than_a_lock_may_take(
        self, serve: Serve, database: Database
    ) -> None:
        held = Held()
        client = await serve(held.endpoint, db_lock_timeout=LOCK_TIMEOUT)
        first = await held.first(client)
        started = perf_counter()
        problem = read_problem(await client.post(RUN, headers=KEYED), 409, "CONFLICT")
        assert LOCK_TIMEOUT <= perf_counter() - started < LOCK_TIMEOUT + 1
        assert "still running" in problem["detail"]
        assert "errors" not in problem
        assert (await client.post(RUN, headers={KEY: "another"})).status_code == 201
        held.go_on.set()
        assert same(await first, await client.post(RUN, headers=KEYED))
        assert (held.runs, await count(database, "items")) == (2, 2)

    @pytest.mark.parametrize("state", ["40001", "40P01"])
    async def test_a_unit_of_work_that_is_retried_is_stored_once(
        self, serve: Serve, database: Database, state: str
    ) -> None:
        runs = 0

        async def endpoint(work: Work, items: Items) -> Item:
            nonlocal runs
            runs += 1
            written = await write(items)
            if runs < 3:
                raising = f"DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '{state}'; END $$"
                await work.execute(text(raising))
            return written

        client = await serve(endpoint)
        answers = await asyncio.gather(*(client.post(RUN, headers=KEYED) for _ in range(4)))
        assert answers[0].status_code == 201
        assert same(*answers)
        assert (runs, await count(database, "items")) == (3, 1)
        assert await count(database, "idempotency_keys") == 1


class TestExpiry:
    async def test_after_24_hours_it_runs_anew(
        self, alice: httpx.AsyncClient, database: Database
    ) -> None:
        first = await alice.post(ITEMS, json=SENT, headers=KEYED)
        await age_all_keys(database, "23 hours 59 minutes")
        assert same(first, await alice.post(ITEMS, json=SENT, headers=KEYED))
        await age_all_keys(database, "1 minute")
        second = await alice.post(ITEMS, json=item(), headers=KEYED)
        assert second.status_code == 201
        assert second.json()["id"] != first.json()["id"]
        await age_all_keys(database, "23 hours 59 minutes")
        assert (await alice.post(ITEMS, json=item(), headers=KEYED)).status_code == 422

    async def test_twenty_at_once_run_it_anew_once(
        self, alice: httpx.AsyncClient, database: Database
    ) -> None:
        first = await alice.post(ITEMS, json=SENT, headers=KEYED)
        await alice.delete(first.headers["Location"])
        await age_all_keys(database, "24 hours")
        answers = await asyncio.gather(
            *(alice.post(ITEMS, json=SENT, headers=KEYED) for _ in range(20))
        )
        assert answers[0].status_code == 201
        assert same(*answers)
        assert answers[0].json()["id"] != first.json()["id"]

    async def test_each_answer_that_is_stored_deletes_two_that_expired(
        self, alice: httpx.AsyncClient, database: Database
    ) -> None:
        keys = [{KEY: f"{number}"} for number in range(5)]
        for each in keys:
            await alice.post(ITEMS, json={}, headers=each)
        await age_all_keys(database, "25 hours")
        left = []
        for number in range(4):
            new = {KEY: f"new {number}"}
            for _ in range(2):  # a replay deletes nothing
                await alice.post(ITEMS, json={}, headers=new)
            left.append(await count(database, "idempotency_keys"))
        assert left == [4, 3, 3, 4]

    async def test_no_plan_deletes_more_than_that(
        self, alice: httpx.AsyncClient, database: Database
    ) -> None:
        """Not even one that would read a subquery again for each row."""
        for number in range(5):
            await alice.post(ITEMS, json={}, headers={KEY: f"{number}"})
        await age_all_keys(database, "25 hours")
        async with UnitOfWork(database) as work:
            for kind in ("hashagg", "hashjoin", "material", "mergejoin", "sort"):
                await work.execute(text(f"SET LOCAL enable_{kind} = off"))
            assert await purge(work, 2) == 2

    async def test_what_expired_is_deleted_whosever_it_was(
        self, alice: httpx.AsyncClient, bob: httpx.AsyncClient, database: Database
    ) -> None:
        await alice.post(ITEMS, json=SENT, headers=KEYED)
        await age_all_keys(database, "25 hours")
        await bob.post(ITEMS, json=SENT, headers=KEYED)
        assert await count(database, "idempotency_keys") == 1
