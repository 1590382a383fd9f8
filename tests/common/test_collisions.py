"""Bulk writes whose unique values are taken: which rows the error names."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Index, String, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from app.common.postgres_repository import PostgresRepository
from app.core import types
from app.core.models import Owned, unique_among_live
from app.core.schemas import Schema
from app.core.types import Id, Timestamp
from app.database import errors
from app.database.connections import Database
from app.database.unit_of_work import UnitOfWork
from app.exceptions import Conflict
from tests.common.tables import IsolatedEntity, created
from tests.factories import create_user

TABLE = "test_members"


class Member(Owned, IsolatedEntity):
    __tablename__ = TABLE
    __table_args__ = (
        unique_among_live(TABLE, "owner_id", "name"),
        unique_among_live(TABLE, "email"),
        UniqueConstraint("number", "position"),
        Index("uq_nick", func.lower(text("nick")), unique=True),
        Index("uq_chief", "chief", unique=True, postgresql_where=text("chief <> 'none'")),
    )
    natural_key = ("name",)

    name: Mapped[str] = mapped_column(String(50))
    email: Mapped[str | None] = mapped_column(String(50))
    number: Mapped[UUID | None]
    position: Mapped[datetime | None]
    nick: Mapped[str | None] = mapped_column(String(50))
    chief: Mapped[str] = mapped_column(String(50))


FIELDS = {
    f"uq_{TABLE}_owner_id_name": ("name",),
    f"uq_{TABLE}_email": ("email",),
    f"uq_{TABLE}_number_position": ("number", "position"),
    "uq_nick": ("nick",),
    "uq_chief": ("chief",),
}


class MemberCreate(Schema):
    name: types.Text
    email: types.Text | None = None
    number: Id | None = None
    position: Timestamp | None = None
    nick: types.Text | None = None
    chief: types.Text = "none"


class Members(PostgresRepository[Member, MemberCreate, MemberCreate]): ...


@pytest.fixture(autouse=True)
async def tables(database: Database, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    monkeypatch.setattr(errors, "_constraints", lambda: FIELDS)
    async with created(database, Member):
        yield


@pytest.fixture
async def owner(database: Database) -> UUID:
    return (await create_user(database, "owner@example.com")).id


@pytest.fixture
async def members(work: UnitOfWork, owner: UUID) -> Members:
    return Members(work, owner)


def row(name: str, **fields: Any) -> MemberCreate:
    return MemberCreate(name=name, **fields)


async def store(database: Database, owner: UUID, *rows: MemberCreate) -> None:
    async with UnitOfWork(database) as work:
        await Members(work, owner).bulk_create(rows)
        await work.commit()


async def locs(write: Any) -> list[tuple[Any, ...]]:
    with pytest.raises(Conflict) as raised:
        await write
    assert {each.code for each in raised.value.errors} == {"unique"}
    return [each.loc[1:] for each in raised.value.errors]


class TestCreate:
    async def test_names_all_that_are_stored_or_repeated(
        self, database: Database, members: Members, owner: UUID
    ) -> None:
        await store(database, owner, row("b"), row("d"))
        rows = [row(name) for name in ("d", "a", "b", "c", "a", "e", "c")]
        found = await locs(members.bulk_create(rows))
        assert found == [("items", position, "name") for position in (0, 2, 4, 6)]

    async def test_leaves_null_and_deleted_and_others_rows_out(
        self, database: Database, members: Members, owner: UUID
    ) -> None:
        other = (await create_user(database, "other@example.com")).id
        await store(database, other, row("a"))
        await store(database, owner, row("b", email="x"), row("c", email="y"))
        async with UnitOfWork(database) as work:
            stored = await Members(work, owner).all(Members(work, owner).query())
            await Members(work, owner).delete(next(each.id for each in stored if each.name == "b"))
            await work.commit()
        rows = [row("a"), row("b"), row("e", email="x"), row("d", email="y"), row("f")]
        assert await locs(members.bulk_create(rows)) == [("items", 3, "email")]

    async def test_names_the_fields_of_a_constraint_that_knows_no_deletes(
        self, database: Database, members: Members, owner: UUID
    ) -> None:
        both: Any = {"number": uuid4(), "position": datetime(2026, 1, 5, 12, tzinfo=UTC)}
        await store(database, owner, row("a", **both))
        async with UnitOfWork(database) as work:
            [stored] = await Members(work, owner).all(Members(work, owner).query())
            await Members(work, owner).delete(stored.id)
            await work.commit()
        rows = [row("b", number=both["number"]), row("c", **both)]
        found = await locs(members.bulk_create(rows))
        assert found == [("items", 1, "number"), ("items", 1, "position")]

    async def test_finds_the_row_in_whichever_batch(self, members: Members) -> None:
        rows = [row(f"{number:05}") for number in range(2500)]
        rows[2400] = row("00001")
        assert await locs(members.bulk_create(rows)) == [("items", 2400, "name")]

    @pytest.mark.parametrize("field", ["nick", "chief"])
    async def test_names_the_field_alone_where_sql_decides(
        self, members: Members, field: str
    ) -> None:
        """An index of an expression, or of some rows."""
        rows = [row("a", **{field: "x"}), row("b", **{field: "x"})]
        assert await locs(members.bulk_create(rows)) == [(field,)]

    async def test_the_transaction_has_failed_as_ever(
        self, work: UnitOfWork, members: Members
    ) -> None:
        await members.create(row("first"))
        await locs(members.bulk_create([row("a"), row("a")]))
        with pytest.raises(RuntimeError, match="had failed before its commit"):
            await work.commit()

    async def test_a_row_of_the_same_transaction_is_not_seen(self, members: Members) -> None:
        await members.create(row("a"))
        assert await locs(members.bulk_create([row("b"), row("a")])) == [("name",)]

    async def test_nobody_waits_for_a_second_connection(
        self, database: Database, members: Members
    ) -> None:
        limit = database.pool.size() + database.pool._max_overflow
        held = [UnitOfWork(database) for _ in range(limit - 1)]
        try:
            await asyncio.gather(*(each.begin() for each in held))
            async with asyncio.timeout(1):
                found = await locs(members.bulk_create([row("a"), row("a")]))
        finally:
            for each in held:
                await each.end()
        assert found == [("name",)]


class TestUpsert:
    @pytest.mark.parametrize(
        ("rows", "wrong"),
        [
            ([row("c"), row("b", email="x")], [1]),
            ([row("c", email="z"), row("b", email="x"), row("d", email="z")], [1, 2]),
            ([row("b", email="x"), row("a", email="x")], [1]),  # by the request's own order
            ([row("a"), row("c"), row("b", email="x")], [2]),  # a keeps its own
            (
                [
                    row("a", email="w"),
                    row("b", email="x"),
                    row("c", email="y"),
                    row("d", email="y"),
                ],
                [3],
            ),
            ([row("a", email="y"), row("b", email="x")], [0, 1]),
        ],
        ids=["stored", "repeated too", "both", "unset", "given up", "exchanged"],
    )
    async def test_names_each_whose_other_value_is_taken(
        self,
        database: Database,
        members: Members,
        owner: UUID,
        rows: list[MemberCreate],
        wrong: list[int],
    ) -> None:
        await store(database, owner, row("a", email="x"), row("b", email="y"))
        found = await locs(members.bulk_upsert(rows))
        assert found == [("items", position, "email") for position in wrong]

    async def test_anothers_row_of_the_same_key_is_another_one(
        self, database: Database, members: Members
    ) -> None:
        other = (await create_user(database, "other@example.com")).id
        await store(database, other, row("a", email="x"))
        rows = [row("b"), row("a", email="x")]
        assert await locs(members.bulk_upsert(rows)) == [("items", 1, "email")]
