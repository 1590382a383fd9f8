"""fastcrud in routes of one's own, as its documentation does where rows have an owner."""

from collections.abc import AsyncIterator
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Query
from fastcrud import FastCRUD, PaginatedListResponse, compute_offset, paginated_response
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from bench.peers.auth import Credentials, known, user_of
from bench.peers.engine import new_engine
from bench.peers.models import Item, User
from bench.peers.schemas import ItemCreate, ItemRead, OwnedItemCreate

new_session = async_sessionmaker(new_engine(), expire_on_commit=False)
items: FastCRUD[Item, OwnedItemCreate, Any, Any, Any, ItemRead] = FastCRUD(Item)
router = APIRouter(prefix="/api/v1/items", tags=["items"])


async def get_session() -> AsyncIterator[AsyncSession]:
    async with new_session() as session:
        yield session


SessionDep = Annotated[AsyncSession, Depends(get_session)]


async def get_current_user(session: SessionDep, credentials: Credentials) -> User:
    return known(await session.scalar(user_of(credentials)))


CurrentUser = Annotated[User, Depends(get_current_user)]


@router.get("/{item_id}", response_model=ItemRead)
async def read_item(item_id: UUID, user: CurrentUser, session: SessionDep) -> Any:
    mine: dict[str, Any] = {"owner_id": user.id, "deleted_at__is": None}
    item = await items.get(session, id=item_id, schema_to_select=ItemRead, **mine)
    if item is None:
        raise HTTPException(404, "Item not found")
    return item


@router.get("", response_model=PaginatedListResponse[ItemRead])
async def list_items(
    *,
    user: CurrentUser,
    session: SessionDep,
    status: str | None = None,
    quantity__gte: int | None = None,
    sort: str = "-created_at",
    page: int = 1,
    items_per_page: Annotated[int, Query(alias="itemsPerPage")] = 10,
) -> Any:
    given: dict[str, Any] = {"status": status, "quantity__gte": quantity__gte}
    found = await items.get_multi(
        session,
        offset=compute_offset(page, items_per_page),
        limit=items_per_page,
        schema_to_select=ItemRead,
        sort_columns=sort.removeprefix("-"),
        sort_orders="desc" if sort.startswith("-") else "asc",
        owner_id=user.id,
        deleted_at__is=None,
        **{name: value for name, value in given.items() if value is not None},
    )
    return paginated_response(found, page, items_per_page)


@router.post("", response_model=ItemRead, status_code=201)
async def create_item(data: ItemCreate, user: CurrentUser, session: SessionDep) -> Any:
    owned = OwnedItemCreate(**data.model_dump(), owner_id=user.id)
    return await items.create(session, owned, schema_to_select=ItemRead)


def create_app() -> FastAPI:
    app = FastAPI()
    app.include_router(router)
    return app
