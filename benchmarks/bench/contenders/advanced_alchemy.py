"""advanced-alchemy's FastAPI extension: its service, filters and pagination.

A create commits by `auto_commit`: the extension's commit mode does so after the answer.
"""

from typing import Annotated, Any
from uuid import UUID

from advanced_alchemy.extensions.fastapi import (
    AdvancedAlchemy,
    AsyncSessionConfig,
    EngineConfig,
    SQLAlchemyAsyncConfig,
    filters,
    repository,
    service,
)
from fastapi import Depends, FastAPI, HTTPException, Query
from sqlalchemy.ext.asyncio import AsyncSession

from bench.peers.auth import Credentials, known, user_of
from bench.peers.engine import database_url
from bench.peers.models import Item, User
from bench.peers.schemas import ItemCreate, ItemRead
from bench.settings import POOL_SIZE

app = FastAPI()
alchemy = AdvancedAlchemy(
    config=SQLAlchemyAsyncConfig(
        connection_string=database_url(),
        session_config=AsyncSessionConfig(expire_on_commit=False),
        engine_config=EngineConfig(pool_size=POOL_SIZE, max_overflow=0),
    ),
    app=app,
)


class ItemService(service.SQLAlchemyAsyncRepositoryService[Item]):
    class Repo(repository.SQLAlchemyAsyncRepository[Item]):
        model_type = Item

    repository_type = Repo


SessionDep = Annotated[AsyncSession, Depends(alchemy.provide_session())]
Items = Annotated[ItemService, Depends(alchemy.provide_service(ItemService))]


async def get_current_user(session: SessionDep, credentials: Credentials) -> User:
    return known(await session.scalar(user_of(credentials)))


CurrentUser = Annotated[User, Depends(get_current_user)]


def get_limit_offset(
    current_page: Annotated[int, Query(alias="currentPage", ge=1)] = 1,
    page_size: Annotated[int, Query(alias="pageSize", ge=1)] = 20,
) -> filters.LimitOffset:
    return filters.LimitOffset(limit=page_size, offset=page_size * (current_page - 1))


def get_order(
    order_by: Annotated[str, Query(alias="orderBy")] = "created_at",
    sort_order: Annotated[str, Query(alias="sortOrder", pattern="^(asc|desc)$")] = "desc",
) -> filters.OrderBy:
    return filters.OrderBy(order_by, "desc" if sort_order == "desc" else "asc")


@app.get("/api/v1/items/{item_id}", response_model=ItemRead)
async def read_item(item_id: UUID, user: CurrentUser, items: Items) -> Any:
    item = await items.get_one_or_none(Item.deleted_at.is_(None), id=item_id, owner_id=user.id)
    if item is None:
        raise HTTPException(404, "Item not found")
    return items.to_schema(item, schema_type=ItemRead)


@app.get("/api/v1/items", response_model=service.OffsetPagination[ItemRead])
async def list_items(
    *,
    user: CurrentUser,
    items: Items,
    limit_offset: Annotated[filters.LimitOffset, Depends(get_limit_offset)],
    order: Annotated[filters.OrderBy, Depends(get_order)],
    status: str | None = None,
    quantity__gte: int | None = None,
) -> Any:
    wanted: list[Any] = [limit_offset, order, Item.deleted_at.is_(None)]
    if status is not None:
        wanted.append(filters.CollectionFilter("status", [status]))
    if quantity__gte is not None:
        wanted.append(filters.ComparisonFilter("quantity", "ge", quantity__gte))
    found, total = await items.get_many_and_count(*wanted, owner_id=user.id)
    return items.to_schema(found, total, filters=wanted, schema_type=ItemRead)


@app.post("/api/v1/items", response_model=ItemRead, status_code=201)
async def create_item(data: ItemCreate, user: CurrentUser, items: Items) -> Any:
    values = data.model_dump() | {"owner_id": user.id}
    item = await items.create(values, auto_commit=True, auto_refresh=True)
    return items.to_schema(item, schema_type=ItemRead)


def create_app() -> FastAPI:
    return app
