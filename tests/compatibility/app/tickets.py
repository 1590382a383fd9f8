"""Tickets with replies: a repository and the ORM session write and read in one transaction."""

from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, HTTPException
from sqlalchemy import String, select
from sqlalchemy.orm import Mapped, mapped_column, relationship, selectinload

from app.common.postgres_repository import PostgresRepository
from app.core.models import reference
from app.core.repository import EVERYONE
from app.core.schemas import ReadSchema, Schema
from app.core.types import Id, Text
from app.dependencies import SessionDep, Work
from tests.common.tables import IsolatedEntity
from tests.compatibility.app.news import NewsDep

router = APIRouter(prefix="/tickets")


class Ticket(IsolatedEntity):
    __tablename__ = "test_tickets"

    title: Mapped[str] = mapped_column(String(50))
    replies: Mapped[list["Reply"]] = relationship(order_by="Reply.created_at")


class Reply(IsolatedEntity):
    __tablename__ = "test_replies"

    text: Mapped[str] = mapped_column(String(200))
    ticket_id: Mapped[UUID] = reference("test_tickets", ondelete="cascade")


class TicketCreate(Schema):
    title: Text


class ReplyCreate(Schema):
    text: Text
    ticket_id: Id


class ReplyRead(ReadSchema):
    text: str


class TicketRead(ReadSchema):
    id: UUID
    title: str
    replies: list[ReplyRead]


class TicketRepository(PostgresRepository[Ticket, TicketCreate, TicketCreate]): ...


class ReplyRepository(PostgresRepository[Reply, ReplyCreate, ReplyCreate]): ...


async def get_replies(work: Work) -> ReplyRepository:
    return ReplyRepository(work, EVERYONE)


@router.post("", status_code=201)
async def create_ticket(data: TicketCreate, session: SessionDep, work: Work, news: NewsDep) -> Id:
    ticket = Ticket(title=data.title, replies=[Reply(text="We will see to it")])
    session.add(ticket)
    await session.flush()
    work.after_commit.append(partial(news.tell, f"new ticket: {data.title}"))
    return ticket.id


@router.post("/{ticket_id}/replies")
async def reply(
    ticket_id: Id,
    text: str,
    session: SessionDep,
    replies: Annotated[ReplyRepository, Depends(get_replies)],
) -> TicketRead:
    """Written by the repository, and read with its siblings before anything is committed."""
    await replies.create(ReplyCreate(text=text, ticket_id=ticket_id))
    query = select(Ticket).where(Ticket.id == ticket_id).options(selectinload(Ticket.replies))
    ticket = (await session.scalars(query)).one()
    if len(ticket.replies) > 3:
        raise HTTPException(409, "A ticket has at most three replies", {"X-Limit": "3"})
    return TicketRead.model_validate(ticket)


@router.get("/slugs/{title}")
def slug(title: str) -> str:
    return "-".join(title.lower().split())
