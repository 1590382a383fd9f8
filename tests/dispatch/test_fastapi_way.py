"""What holds for a route holds for it on either way: the fast one, and FastAPI's own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from types import SimpleNamespace
from typing import Annotated, Any

import httpx
import pytest
from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.responses import StreamingResponse
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError
from structlog.testing import capture_logs

from app.api.v1.router import V1
from app.core import registry
from app.core.pagination import Page
from app.core.types import Id
from app.dependencies import SessionDep, Work
from app.main import Application, create_app
from tests.conftest import new_client
from tests.factories import create_token, create_user, lamp
from tests.lamps.dependencies import Lamps
from tests.lamps.filters import LampFilter
from tests.lamps.models import Lamp
from tests.lamps.schemas import LampCreate, LampRead

WAYS = ("fast", "fastapi")
THINGS = f"{V1}/things"


async def slow() -> AsyncIterator[None]:
    """Keeps a route from the fast way."""
    yield


def things(way: str) -> APIRouter:  # noqa: C901 - endpoints, one after the other
    router = APIRouter(prefix="/things", dependencies=[Depends(slow)] if way == "fastapi" else [])

    @router.post("", status_code=201, response_model=LampRead)
    async def create(data: LampCreate, lamps: Lamps, refuse: int = 0) -> Lamp:
        created = await lamps.create(data)
        if refuse:
            raise HTTPException(refuse, "Changed my mind", headers={"X-Why": "so"})
        return created

    @router.get("", response_model=Page[LampRead])
    async def find(filters: Annotated[LampFilter, Query()], lamps: Lamps) -> Page[Lamp]:
        return await lamps.list(filters)

    @router.get("/{lamp_id}", response_model=LampRead)
    async def read(lamp_id: Id, lamps: Lamps) -> Lamp:
        return await lamps.get(lamp_id)

    @router.post("/twice", status_code=204)
    async def twice(data: LampCreate, lamps: Lamps, session: SessionDep) -> None:
        await lamps.create(data)
        first = await session.scalar(select(Lamp))
        assert first is not None
        copy = {each.name: getattr(first, each.name) for each in Lamp.__table__.columns}
        session.add(Lamp(**{name: value for name, value in copy.items() if name != "id"}))
        await session.flush()

    @router.post("/raw")
    async def raw(request: Request) -> dict[str, Any]:
        return {"length": len(await request.body()), "json": await request.json()}

    @router.post("/swallow", status_code=204)
    async def swallow(work: Work) -> None:
        with suppress(Exception):  # as somebody might
            await work.execute(text("SELECT 1/0"))

    @router.put("/files/{name:path}")
    async def put_file(name: str, data: LampCreate, part: int = 0) -> str:
        return f"{name} {data.name} {part}"

    @router.get("/sleep/well")
    async def sleep() -> None:
        await asyncio.sleep(30)

    @router.get("/stream/of/counts")
    async def stream(work: Work) -> StreamingResponse:
        async def counts() -> AsyncIterator[str]:
            for _ in range(3):
                [[count]] = await work.fetch(select(func.count()).select_from(Lamp))
                yield f"{count}\n"

        return StreamingResponse(counts())

    return router


@pytest.fixture(params=WAYS)
async def way(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    return chosen


@pytest.fixture
async def made(
    app: Application, monkeypatch: pytest.MonkeyPatch, way: str
) -> AsyncIterator[Application]:
    """An application with the routes above, on the database that `app` leaves empty."""
    settings = app.settings
    found = [*registry.modules("router"), SimpleNamespace(router=things(way))]
    monkeypatch.setattr("app.api.v1.router.modules", lambda _: found)
    made = create_app(settings.model_copy(update={"request_timeout": 0.5}))
    assert isinstance(made, Application)
    taken = {each.path: bool(each.obstacles) for each in made.operations() if "things" in each.path}
    assert set(taken.values()) == {way == "fastapi"}
    yield made
    assert made.database.in_use == 0
    await made.database.close()


@pytest.fixture
async def ann(made: Application) -> AsyncIterator[httpx.AsyncClient]:
    user = await create_user(made.database, "ann@example.com")
    token = await create_token(made.database, user)
    async with new_client(made, {"Authorization": f"Bearer {token}"}) as client:
        yield client


async def total(client: httpx.AsyncClient) -> int:
    counted: int = (await client.get(f"{THINGS}?total=exact")).json()["total"]
    return counted


async def test_a_resource_has_its_headers(ann: httpx.AsyncClient) -> None:
    created = await ann.post(THINGS, json=lamp(status="active"))
    assert created.status_code == 201
    assert created.headers["ETag"] == '"1"'
    where = created.headers["Location"]
    assert where == f"{THINGS}/{created.json()['id']}"
    read = await ann.get(where)
    assert read.json() == created.json()
    assert read.headers["Cache-Control"] == "private, no-cache"
    unchanged = await ann.get(where, headers={"If-None-Match": read.headers["ETag"]})
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    head = await ann.head(where)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["ETag"] == '"1"'
    assert head.headers["Content-Length"] == read.headers["Content-Length"]


async def test_a_list_is_walked_by_its_cursors(ann: httpx.AsyncClient) -> None:
    for _ in range(3):
        await ann.post(THINGS, json=lamp())
    first = await ann.get(f"{THINGS}?size=2")
    assert 'rel="next"' in first.headers["Link"]
    rest = await ann.get(f"{THINGS}?size=2&cursor={first.json()['next_cursor']}")
    assert len(first.json()["items"] + rest.json()["items"]) == 3
    assert (await ann.get(f"{THINGS}?cursor=x")).json()["error_code"] == "INVALID_CURSOR"


async def test_an_exception_keeps_its_words_and_nothing_of_the_request(
    ann: httpx.AsyncClient,
) -> None:
    response = await ann.post(f"{THINGS}?refuse=418", json=lamp())
    assert response.status_code == 418
    assert response.headers["X-Why"] == "so"
    problem = response.json()
    assert (problem["detail"], problem["error_code"]) == ("Changed my mind", "HTTP_418")
    assert await total(ann) == 0


async def test_a_key_is_run_once_and_its_error_stored(ann: httpx.AsyncClient) -> None:
    body, key = lamp(), {"Idempotency-Key": "key-1"}
    answers = [await ann.post(THINGS, json=body, headers=key) for _ in range(3)]
    assert {(each.status_code, each.content) for each in answers} == {(201, answers[0].content)}
    assert answers[2].headers["Location"] == answers[0].headers["Location"]
    other = await ann.post(THINGS, json=lamp(), headers=key)
    assert other.json()["error_code"] == "IDEMPOTENCY_KEY_REUSED"
    refused, body = {"Idempotency-Key": "key-2"}, lamp()
    for _ in range(2):
        response = await ann.post(f"{THINGS}?refuse=409", json=body, headers=refused)
        assert response.status_code == 409
        assert response.json()["detail"] == "Changed my mind"
    assert await total(ann) == 1


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b'{"name": "a", "name": "b"}', 400),
        (b"{", 400),
        (b'{"name": "a", "more": 1}', 422),
        (b'{"price": 0.10000000000000000555}', 422),
        (b"", 422),
    ],
)
async def test_json_is_strict(ann: httpx.AsyncClient, content: bytes, status: int) -> None:
    headers = {"Content-Type": "application/json"}
    assert (await ann.post(THINGS, content=content, headers=headers)).status_code == status


async def test_other_media_types_and_large_bodies_are_refused(
    ann: httpx.AsyncClient, made: Application
) -> None:
    response = await ann.post(THINGS, content=b"a=b", headers={"Content-Type": "text/plain"})
    assert response.status_code == 415
    large = await ann.post(THINGS, json=lamp(description="x" * made.settings.max_body_size))
    assert large.status_code == 413


async def test_an_unknown_parameter_is_refused_once_the_caller_is_known(
    ann: httpx.AsyncClient, made: Application
) -> None:
    response = await ann.post(f"{THINGS}?refuze=1", json=lamp())
    assert response.json()["error_code"] == "UNKNOWN_PARAMETER"
    assert "refuse" in response.json()["detail"]
    async with new_client(made) as nobody:
        assert (await nobody.post(f"{THINGS}?refuze=1", json=lamp())).status_code == 401


async def test_a_failure_of_the_session_undoes_what_the_repository_wrote(
    ann: httpx.AsyncClient,
) -> None:
    response = await ann.post(f"{THINGS}/twice", json=lamp())
    assert response.status_code == 409, IntegrityError
    assert response.json()["errors"][0]["loc"] == ["body", "sku"]
    assert await total(ann) == 0


async def test_the_raw_body_is_there(ann: httpx.AsyncClient) -> None:
    content = b'{"a": [1, 2]}'
    response = await ann.post(f"{THINGS}/raw", content=content)
    assert response.json() == {"length": len(content), "json": {"a": [1, 2]}}


async def test_a_commit_that_the_server_refuses_is_no_success(ann: httpx.AsyncClient) -> None:
    assert (await ann.post(f"{THINGS}/swallow")).status_code == 500


async def test_a_request_has_a_deadline(ann: httpx.AsyncClient) -> None:
    response = await ann.get(f"{THINGS}/sleep/well")
    assert response.status_code == 503
    assert response.headers["Retry-After"] == "1"


async def test_an_override_takes_the_place_of_a_dependency(
    ann: httpx.AsyncClient, made: Application
) -> None:
    def nothing() -> None: ...

    made.dependency_overrides[slow] = nothing
    assert (await ann.post(THINGS, json=lamp())).status_code == 201
    listed = await ann.get(f"{THINGS}?size=1")
    assert len(listed.json()["items"]) == 1


async def test_a_path_with_slashes_in_a_value_is_as_strict(ann: httpx.AsyncClient) -> None:
    """No table holds such a path: FastAPI's router finds the route, on either way."""
    path = f"{THINGS}/files/a/b"
    with capture_logs() as logs:
        answer = await ann.put(path, params={"part": 2}, json=lamp(name="x"))
    assert answer.json() == "a/b x 2"
    assert [each["route"] for each in logs] == [f"{THINGS}/files/{{name}}"]
    unknown = await ann.put(path, params={"prat": 2}, json=lamp())
    assert unknown.json()["error_code"] == "UNKNOWN_PARAMETER"
    assert "did you mean part?" in unknown.text
    headers = {"Content-Type": "application/json"}
    twice = await ann.put(path, content=b'{"name": "a", "name": "b"}', headers=headers)
    assert twice.json()["error_code"] == "BAD_REQUEST"
