"""N: what the popular tutorials build.

An ORM session per request from a `yield` dependency on a pool that pings, a repository that
commits and refreshes, a service on top of it, a chain of dependencies for the user,
BaseHTTPMiddleware for the correlation id, FilterDepends, Page, and a response_model.
"""

from collections.abc import AsyncIterator
from datetime import datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request
from fastapi_filter import FilterDepends
from fastapi_filter.contrib.sqlalchemy import Filter
from fastapi_pagination import Page, add_pagination
from fastapi_pagination.ext.sqlalchemy import apaginate
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.responses import Response

from bench.peers.auth import Credentials, known, user_of
from bench.peers.engine import new_engine
from bench.peers.models import Item, User
from bench.peers.schemas import ItemCreate, ItemRead

engine = new_engine(pre_ping=True)
new_session = async_sessionmaker(engine, expire_on_commit=False)
router = APIRouter(prefix="/api/v1/items", tags=["items"])


class CorrelationIdMiddleware(BaseHTTPMiddleware):
    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        correlation_id = request.headers.get("X-Correlation-ID", str(uuid4()))
        request.state.correlation_id = correlation_id
        response = await call_next(request)
        response.headers["X-Correlation-ID"] = correlation_id
        return response


class ItemFilter(Filter):
    name: str | None = None
    name__ilike: str | None = None
    sku: str | None = None
    status: str | None = None
    status__in: list[str] | None = None
    price__gte: Decimal | None = None
    price__lte: Decimal | None = None
    quantity__gte: int | None = None
    quantity__lte: int | None = None
    created_at__gte: datetime | None = None
    order_by: list[str] = ["-created_at"]  # noqa: RUF012 - pydantic copies it

    class Constants(Filter.Constants):
        model = Item


class ItemRepository:
    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def get(self, id: UUID, owner_id: UUID) -> Item | None:
        query = select(Item).where(
            Item.id == id, Item.owner_id == owner_id, Item.deleted_at.is_(None)
        )
        return (await self.session.execute(query)).scalar_one_or_none()

    async def list(self, filters: ItemFilter, owner_id: UUID) -> Page[Item]:
        query = select(Item).where(Item.owner_id == owner_id, Item.deleted_at.is_(None))
        page: Page[Item] = await apaginate(self.session, filters.sort(filters.filter(query)))
        return page

    async def create(self, data: ItemCreate, owner_id: UUID) -> Item:
        item = Item(**data.model_dump(), owner_id=owner_id)
        self.session.add(item)
        await self.session.commit()
        await self.session.refresh(item)
        return item


class ItemService:
    def __init__(self, repository: ItemRepository) -> None:
        self.repository = repository

    async def get(self, id: UUID, owner_id: UUID) -> Item:
        item = await self.repository.get(id, owner_id)
        if item is None:
            raise HTTPException(404, "Item not found")
        return item

    async def list(self, filters: ItemFilter, owner_id: UUID) -> Page[Item]:
        return await self.repository.list(filters, owner_id)

    async def create(self, data: ItemCreate, owner_id: UUID) -> Item:
        return await self.repository.create(data, owner_id)


async def get_session() -> AsyncIterator[AsyncSession]:
    async with new_session() as session:
        yield session


SessionDep = Annotated[AsyncSession, Depends(get_session)]


async def get_current_user(session: SessionDep, credentials: Credentials) -> User:
    return known((await session.execute(user_of(credentials))).scalar_one_or_none())


async def get_active_user(user: Annotated[User, Depends(get_current_user)]) -> User:
    if not user.is_active:
        raise HTTPException(400, "Inactive user")
    return user


async def get_item_repository(session: SessionDep) -> ItemRepository:
    return ItemRepository(session)


async def get_item_service(
    repository: Annotated[ItemRepository, Depends(get_item_repository)],
) -> ItemService:
    return ItemService(repository)


CurrentUser = Annotated[User, Depends(get_active_user)]
Service = Annotated[ItemService, Depends(get_item_service)]


@router.get("/{item_id}", response_model=ItemRead)
async def read_item(item_id: UUID, user: CurrentUser, service: Service) -> Item:
    return await service.get(item_id, user.id)


@router.get("", response_model=Page[ItemRead])
async def list_items(
    filters: Annotated[ItemFilter, FilterDepends(ItemFilter)], user: CurrentUser, service: Service
) -> Page[Item]:
    return await service.list(filters, user.id)


@router.post("", response_model=ItemRead, status_code=201)
async def create_item(data: ItemCreate, user: CurrentUser, service: Service) -> Item:
    return await service.create(data, user.id)


def create_app() -> FastAPI:
    app = FastAPI()
    app.add_middleware(CorrelationIdMiddleware)
    app.include_router(router)
    add_pagination(app)
    return app
