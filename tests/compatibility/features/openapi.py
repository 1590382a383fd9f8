"""The user guide's pages on metadata, path operation configuration, callbacks and webhooks."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, FastAPI, Header, Query, Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.openapi.utils import get_openapi
from fastapi.responses import FileResponse, JSONResponse, PlainTextResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel, Field, HttpUrl

from tests.compatibility.feature import feature, get, post
from tests.compatibility.features.files import FILES

DOCUMENT = get("/openapi.json")


class Item(BaseModel):
    name: str = Field(description="Its name", examples=["Foo"])
    price: float = Field(gt=0)


class Message(BaseModel):
    message: str


class Event(BaseModel):
    description: str
    paid: bool


class InvoiceEvent(BaseModel):
    ok: bool


@feature(
    "OpenAPI: metadata of the application, and where it is",
    get("/api/openapi.json"),
    get("/openapi.json"),
    get("/documentation"),
    get("/redoc"),
    get("/docs"),
    title="ChimichangApp",
    summary="Deadpool's favorite app",
    description="**Markdown**",
    version="0.0.1",
    terms_of_service="http://example.com/terms/",
    contact={"name": "Deadpoolio", "url": "http://x-force.example.com"},
    license_info={"name": "Apache 2.0", "identifier": "MIT"},
    openapi_tags=[{"name": "users", "description": "Users"}],
    openapi_url="/api/openapi.json",
    docs_url="/documentation",
    redoc_url=None,
)
def metadata(app: FastAPI) -> None:
    @app.get("/users", tags=["users"])
    async def users():
        return []


@feature(
    "OpenAPI: turned off",
    get("/openapi.json"),
    get("/docs"),
    get("/items"),
    openapi_url=None,
)
def turned_off(app: FastAPI) -> None:
    @app.get("/items")
    async def items():
        return []


@feature(
    "Docs: Swagger UI and ReDoc",
    get("/docs"),
    get("/redoc"),
    get("/docs/oauth2-redirect"),
    get("/own-docs"),
    swagger_ui_parameters={"deepLinking": False},
    swagger_ui_init_oauth={"clientId": "own"},
)
def docs(app: FastAPI) -> None:
    @app.get("/own-docs", include_in_schema=False)
    async def own_docs():
        return get_swagger_ui_html(openapi_url="/openapi.json", title="Own")


@feature(
    "Path operations: tags, summary, description, deprecated and include_in_schema",
    DOCUMENT,
    get("/old"),
    get("/hidden"),
    post("/items", json={"name": "a", "price": 1}),
)
def operations(app: FastAPI) -> None:
    @app.post(
        "/items", tags=["items", "write"], summary="Create one", response_description="The item"
    )
    async def create(item: Item) -> Item:
        """Create an item.

        - **name**: of the item
        \f
        Not shown.
        """
        return item

    @app.get("/old", deprecated=True, description="Of the decorator")
    async def old(
        q: Annotated[str | None, Query(deprecated=True, examples=["a"], title="Q")] = None,
    ):
        return q

    @app.get("/hidden", include_in_schema=False)
    async def hidden():
        return "hidden"


@feature(
    "Path operations: operation ids, openapi_extra and generate_unique_id_function",
    DOCUMENT,
    post("/extra", content=b"name: a", headers={"Content-Type": "application/x-yaml"}),
    get("/named"),
    generate_unique_id_function=lambda route: f"{(route.tags or ['none'])[0]}-{route.name}",
)
def operation_ids(app: FastAPI) -> None:
    router = APIRouter(generate_unique_id_function=lambda route: f"router-{route.name}")

    @app.get("/named", operation_id="own_id", tags=["items"])
    async def named():
        return 1

    @app.get("/made", tags=["items"])
    async def made():
        return 1

    @app.get("/function", generate_unique_id_function=lambda route: f"only-{route.name}")
    async def function():
        return 1

    @router.get("/router")
    async def in_router():
        return 1

    @app.post(
        "/extra",
        openapi_extra={
            "x-own": {"a": 1},
            "requestBody": {"content": {"application/x-yaml": {"schema": {"type": "object"}}}},
        },
    )
    async def extra(request: Request):
        return (await request.body()).decode()

    app.include_router(router)


@feature(
    "OpenAPI: the same function name in two routers",
    DOCUMENT,
    get("/a/items"),
    get("/b/items"),
)
def same_name(app: FastAPI) -> None:
    def make(prefix: str) -> APIRouter:
        router = APIRouter(prefix=prefix)

        @router.get("/items")
        async def read_items():
            return prefix

        return router

    app.include_router(make("/a"))
    app.include_router(make("/b"))


@feature(
    "Additional responses: models, media types, 302, 4XX and default",
    DOCUMENT,
    get("/items/3"),
    get("/items/missing"),
    get("/items/3?img=true"),
    get("/moved"),
    post("/later"),
)
def responses(app: FastAPI) -> None:
    shared: dict[int | str, dict[str, Any]] = {
        "4XX": {"model": Message},
        "default": {"description": "Anything else"},
    }

    @app.get(
        "/items/{name}",
        response_model=Item,
        responses={
            **shared,
            200: {
                "description": "The item",
                "content": {
                    "image/png": {},
                    "application/json": {"example": {"name": "bar", "price": 1}},
                },
            },
            404: {"model": Message, "description": "Not found"},
            302: {"description": "Moved"},
        },
    )
    async def item(name: str, *, img: bool = False):
        if img:
            return FileResponse(FILES / "style.css", media_type="image/png")
        if name == "missing":
            return JSONResponse({"message": "Item not found"}, 404)
        return {"name": name, "price": 1}

    @app.get("/moved", status_code=302, responses={307: {"description": "Later"}})
    async def moved():
        return PlainTextResponse("", 302, {"Location": "/items/3"})

    @app.post("/later", status_code=202, responses={202: {"model": Message}, 401: {}, 500: {}})
    async def later():
        return {"message": "accepted"}


@feature(
    "OpenAPI callbacks",
    DOCUMENT,
    post("/invoices?callback_url=http://a.example", json={"name": "a", "price": 1}),
    post("/invoices?callback_url=x", json={"name": "a", "price": 1}),
)
def callbacks(app: FastAPI) -> None:
    router = APIRouter()

    @router.post("{$callback_url}/invoices/{$request.body.id}", response_model=InvoiceEvent)
    def notification(body: Event):
        pass

    @app.post("/invoices", callbacks=router.routes)
    def create(invoice: Item, callback_url: HttpUrl | None = None):
        return {"msg": "received", "to": callback_url, "name": invoice.name}


@feature(
    "OpenAPI webhooks",
    DOCUMENT,
    post("/new-subscription", json={}),
    get("/users"),
)
def webhooks(app: FastAPI) -> None:
    @app.webhooks.post("new-subscription")
    def new_subscription(body: Event):
        """When somebody subscribes."""

    @app.get("/users")
    def users():
        return ["Rick"]


@feature(
    "OpenAPI overridden",
    DOCUMENT,
    get("/items"),
)
def overridden(app: FastAPI) -> None:
    @app.get("/items")
    async def items():
        return []

    def own_openapi() -> dict[str, Any]:
        if not app.openapi_schema:
            schema = get_openapi(title="Own", version="2.5.0", routes=app.routes)
            schema["info"]["x-logo"] = {"url": "https://example.com/logo.png"}
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = own_openapi  # type: ignore[method-assign]


@feature(
    "OpenAPI: separate_input_output_schemas=False, examples and names from the operation",
    DOCUMENT,
    post("/items", json={"name": "a", "price": 1}),
    separate_input_output_schemas=False,
)
def schemas(app: FastAPI) -> None:
    class WithDefault(BaseModel):
        model_config = {"json_schema_extra": {"examples": [{"name": "Foo"}]}}

        name: str
        description: str | None = None

    @app.post("/items")
    async def create(
        item: Annotated[WithDefault, Body(examples=[{"name": "Bar"}])],
        x_token: Annotated[str, Header(examples=["t"])] = "none",
    ) -> list[WithDefault]:
        return [item]

    for route in app.routes:
        if isinstance(route, APIRoute):
            route.operation_id = route.name


@feature(
    "OpenAPI: every kind of parameter and body",
    DOCUMENT,
)
def everything(app: FastAPI) -> None:
    def common(q: str | None = None, limit: Annotated[int, Query(le=100)] = 10) -> None:
        pass

    @app.post("/items/{item_id}", dependencies=[Depends(common)])
    async def create(
        item_id: int,
        item: Item,
        tags: Annotated[list[str] | None, Query(max_length=3)] = None,
        x_token: Annotated[list[str] | None, Header()] = None,
        importance: Annotated[int, Body(gt=0)] = 1,
    ) -> dict[str, Item | None]:
        return {}

    @app.get("/items", responses={404: {"model": Message}})
    async def items(limit: int | None = None) -> list[Item] | Message:
        return []
