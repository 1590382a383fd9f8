"""SQLModel with psycopg in plain `def` routes, in the manner of full-stack-fastapi-template.

Its JWT is replaced by the session token in the database that every contender checks.
"""

from collections.abc import Iterator
from hashlib import sha256
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordBearer
from sqlmodel import Session, col, create_engine, func, select
from starlette.middleware.cors import CORSMiddleware

from bench.peers.engine import database_url
from bench.peers.sqlmodel_models import (
    Item,
    ItemCreate,
    ItemPublic,
    ItemsPublic,
    User,
    UserSession,
)
from bench.settings import POOL_SIZE

API = "/api/v1"
engine = create_engine(database_url("psycopg"), pool_size=POOL_SIZE, max_overflow=0)
router = APIRouter(prefix="/items", tags=["items"])


def get_db() -> Iterator[Session]:
    with Session(engine) as session:
        yield session


SessionDep = Annotated[Session, Depends(get_db)]
TokenDep = Annotated[str, Depends(OAuth2PasswordBearer(f"{API}/login/access-token"))]


def get_current_user(session: SessionDep, token: TokenDep) -> User:
    digest = sha256(token.encode()).digest()
    statement = select(UserSession).where(
        UserSession.token_hash == digest, col(UserSession.expires_at) > func.now()
    )
    found = session.exec(statement).first()
    if not found:
        raise HTTPException(403, "Could not validate credentials")
    user = session.get(User, found.user_id)
    if not user:
        raise HTTPException(404, "User not found")
    if not user.is_active:
        raise HTTPException(400, "Inactive user")
    return user


CurrentUser = Annotated[User, Depends(get_current_user)]


@router.get("/{id}", response_model=ItemPublic)
def read_item(session: SessionDep, current_user: CurrentUser, id: UUID) -> Any:
    item = session.get(Item, id)
    if not item or item.deleted_at:
        raise HTTPException(404, "Item not found")
    if not current_user.is_superuser and item.owner_id != current_user.id:
        raise HTTPException(403, "Not enough permissions")
    return item


@router.get("", response_model=ItemsPublic)
def read_items(
    *,
    session: SessionDep,
    current_user: CurrentUser,
    status: str | None = None,
    quantity__gte: int | None = None,
    order_by: Literal["created_at", "-created_at", "price", "-price"] = "-created_at",
    skip: int = 0,
    limit: int = 100,
) -> Any:
    conditions: list[Any] = [
        Item.owner_id == current_user.id,
        col(Item.deleted_at).is_(None),
    ]
    if status is not None:
        conditions.append(Item.status == status)
    if quantity__gte is not None:
        conditions.append(Item.quantity >= quantity__gte)
    order = getattr(Item, order_by.removeprefix("-"))
    count = session.exec(select(func.count()).select_from(Item).where(*conditions)).one()
    statement = (
        select(Item)
        .where(*conditions)
        .order_by(order.desc() if order_by.startswith("-") else order.asc())
        .offset(skip)
        .limit(limit)
    )
    items = session.exec(statement).all()
    return ItemsPublic(data=[ItemPublic.model_validate(item) for item in items], count=count)


@router.post("", response_model=ItemPublic, status_code=201)
def create_item(*, session: SessionDep, current_user: CurrentUser, item_in: ItemCreate) -> Any:
    item = Item.model_validate(item_in, update={"owner_id": current_user.id})
    session.add(item)
    session.commit()
    session.refresh(item)
    return item


def create_app() -> FastAPI:
    app = FastAPI()
    app.add_middleware(
        CORSMiddleware,
        allow_origins=["https://example.com"],
        allow_credentials=True,
        allow_methods=["*"],
        allow_headers=["*"],
    )
    app.include_router(router, prefix=API)
    return app
