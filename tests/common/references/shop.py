"""Entities that refer to each other in every way."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from app.common.postgres_repository import PostgresRepository
from app.core.models import Owned, reference, unique_among_live
from app.core.repository import EVERYONE
from app.core.schemas import UNSET, Schema
from app.core.types import Id, Text
from app.database.unit_of_work import UnitOfWork
from tests.common.tables import IsolatedEntity


class Named:
    name: Mapped[str] = mapped_column(String(50))


class Customer(Owned, Named, IsolatedEntity):
    __tablename__ = "test_customers"


class Invoice(Owned, Named, IsolatedEntity):
    __tablename__ = "test_invoices"
    __table_args__ = (unique_among_live("test_invoices", "owner_id", "name"),)
    natural_key = ("name",)

    customer_id: Mapped[UUID] = reference("test_customers", ondelete="restrict")
    payer_id: Mapped[UUID | None] = reference("test_customers", ondelete="setnull")


class Project(Owned, Named, IsolatedEntity):
    __tablename__ = "test_projects"

    customer_id: Mapped[UUID] = reference("test_customers", ondelete="cascade")


class Task(Named, IsolatedEntity):
    """Everyone's, with a tree of its own; its table comes before those that it refers to."""

    __tablename__ = "test_a_tasks"

    project_id: Mapped[UUID] = reference("test_projects", ondelete="cascade")
    parent_id: Mapped[UUID | None] = reference("test_a_tasks", ondelete="cascade")


class Receipt(Named, IsolatedEntity):
    __tablename__ = "test_task_receipts"

    task_id: Mapped[UUID | None] = reference("test_a_tasks")


class NamedCreate(Schema):
    name: Text = "n"


class InvoiceCreate(NamedCreate):
    customer_id: Id
    payer_id: Id | None = None


class InvoiceUpdate(Schema):
    name: Text = UNSET
    customer_id: Id = UNSET
    payer_id: Id | None = UNSET


class ProjectCreate(NamedCreate):
    customer_id: Id


class TaskCreate(NamedCreate):
    project_id: Id
    parent_id: Id | None = None


class ReceiptCreate(NamedCreate):
    task_id: Id | None = None


class Customers(PostgresRepository[Customer, NamedCreate, NamedCreate]): ...


class Invoices(PostgresRepository[Invoice, InvoiceCreate, InvoiceUpdate]): ...


class Projects(PostgresRepository[Project, ProjectCreate, ProjectCreate]): ...


class Tasks(PostgresRepository[Task, TaskCreate, TaskCreate]): ...


class Receipts(PostgresRepository[Receipt, ReceiptCreate, ReceiptCreate]): ...


class Shop:
    """What one caller has, in one unit of work."""

    def __init__(self, work: UnitOfWork, caller: UUID) -> None:
        self.work = work
        self.customers = Customers(work, caller)
        self.invoices = Invoices(work, caller)
        self.projects = Projects(work, caller)
        self.tasks = Tasks(work, caller)
        self.receipts = Receipts(work, EVERYONE)

    async def customer(self) -> UUID:
        return (await self.customers.create(NamedCreate())).id

    async def project(self, customer: UUID) -> UUID:
        return (await self.projects.create(ProjectCreate(customer_id=customer))).id

    async def task(self, project: UUID, parent: UUID | None = None) -> UUID:
        return (await self.tasks.create(TaskCreate(project_id=project, parent_id=parent))).id


def invoice(customer: UUID, name: str = "n", **fields: Any) -> InvoiceCreate:
    return InvoiceCreate(name=name, customer_id=customer, **fields)


def errors_of(raised: pytest.ExceptionInfo[Any]) -> list[tuple[Any, str]]:
    return [(each.loc, each.code) for each in raised.value.errors]
