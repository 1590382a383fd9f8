"""Names that clients make functions of: each is there once, whatever the order of routers."""

from collections.abc import Callable
from itertools import permutations

import pytest
from fastapi import APIRouter
from pydantic import BaseModel

from app.config import Settings
from app.main import Application, create_app


class Thing(BaseModel):
    name: str


def a_router(prefix: str, **options: str) -> APIRouter:
    """With functions that no other router has."""
    router = APIRouter(prefix=prefix)

    @router.get("/{id}", **options)  # pyrefly: ignore[bad-argument-type]
    async def read_probe(id: int) -> None: ...

    @router.api_route("", methods=["GET", "PUT"])
    async def both() -> None: ...

    return router


@pytest.fixture
def make(settings: Settings) -> Callable[..., Application]:
    def made(*routers: APIRouter) -> Application:
        app = create_app(settings)
        assert isinstance(app, Application)
        for router in routers:
            app.include_router(router)
        return app

    return made


def ids(app: Application) -> dict[str, str]:
    return {
        f"{method.upper()} {path}": operation["operationId"]
        for path, methods in app.openapi()["paths"].items()
        for method, operation in methods.items()
    }


def test_the_functions_name_where_it_is_the_only_one(make: Callable[..., Application]) -> None:
    found = ids(make(a_router("/a")))
    assert found["GET /a/{id}"] == "read_probe"
    assert found["POST /api/v1/lamps"] == "create_lamp"


def test_those_that_share_a_name_have_path_and_method_too(
    make: Callable[..., Application],
) -> None:
    for routers in permutations([a_router("/a"), a_router("/b"), a_router("/c")]):
        found = ids(make(*routers))
        assert len(set(found.values())) == len(found)
        assert found["GET /a/{id}"] == "read_probe_a__id__get"
        assert found["GET /b/{id}"] == "read_probe_b__id__get"
        assert found["GET /c"] == "both_c_get"
        assert found["PUT /c"] == "both_c_put"


def test_paths_that_differ_in_signs_alone(make: Callable[..., Application]) -> None:
    routers = [a_router("/a-b"), a_router("/a_b"), a_router("/a.b")]
    expected = {
        "GET /a-b/{id}": "read_probe_a_b__id__get",
        "GET /a.b/{id}": "read_probe_a_b__id__get_2",
        "GET /a_b/{id}": "read_probe_a_b__id__get_3",
    }
    for order in permutations(routers):
        assert ids(make(*order)).items() >= expected.items()


def test_one_that_a_route_declares_stays_and_others_make_room(
    make: Callable[..., Application],
) -> None:
    found = ids(make(a_router("/a"), a_router("/b", operation_id="read_probe")))
    assert found["GET /b/{id}"] == "read_probe"
    assert found["GET /a/{id}"] == "read_probe_a__id__get"


def test_a_function_of_the_routers_own_is_heeded(make: Callable[..., Application]) -> None:
    router = APIRouter(generate_unique_id_function=lambda route: f"my-{route.name}")

    @router.get("/things")
    async def things() -> None: ...

    assert ids(make(router))["GET /things"] == "my-things"


def test_of_two_routes_for_one_path_the_first_is_shown(make: Callable[..., Application]) -> None:
    router = APIRouter()

    @router.get("/thing")
    async def first_probe() -> None: ...

    @router.get("/thing")
    async def second() -> None: ...

    assert ids(make(router))["GET /thing"] == "first_probe"  # which is the one that is served


def test_webhooks_and_callbacks_count(make: Callable[..., Application]) -> None:
    callbacks = APIRouter()

    @callbacks.post("{$request.body#/url}")
    async def told(thing: Thing) -> None: ...

    router = APIRouter()

    @router.post("/one", callbacks=callbacks.routes)
    async def one() -> None: ...

    @router.post("/two", callbacks=callbacks.routes)
    async def two() -> None: ...

    app = make(router)

    @app.webhooks.post("one")
    async def one_happened(thing: Thing) -> None: ...

    app.webhooks.post("two", name="two")(one_happened)
    document = app.openapi()
    webhooks = [each["post"]["operationId"] for each in document["webhooks"].values()]
    assert webhooks == ["one_happened", "twotwo_post"]
    assert ids(app)["POST /two"] == "two_two_post"
    called = [
        document["paths"][path]["post"]["callbacks"]["told"]["{$request.body#/url}"]["post"]
        for path in ("/one", "/two")
    ]
    assert len({each["operationId"] for each in called}) == 2


def test_two_that_declare_the_same_are_refused_at_start(
    make: Callable[..., Application],
) -> None:
    app = make(a_router("/a", operation_id="mine"), a_router("/b", operation_id="mine"))
    with pytest.raises(ValueError, match=r"^GET /b/{id}: its operation_id 'mine' .* GET /a/{id} "):
        app.build_middleware_stack()
