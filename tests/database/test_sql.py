import pytest
from sqlalchemy import Executable, bindparam, delete, func, insert, literal_column, select, text

from app.database.sql import Statement
from app.users.models import User

NEW = insert(User).values(email="a", password_hash="x").returning(User.id).cte("new")


@pytest.mark.parametrize(
    ("clause", "needs_transaction"),
    [
        (select(User.id), False),
        (select(func.count()).select_from(select(User.id).subquery()), False),
        (select(User.id).with_for_update(), True),
        (select(NEW.columns.id), True),
        (select(literal_column("1")).add_cte(NEW), True),
        (delete(User), True),
        (text("SELECT 1"), True),
    ],
)
def test_whatever_may_write_needs_a_transaction(
    clause: Executable, *, needs_transaction: bool
) -> None:
    assert Statement(clause).needs_transaction is needs_transaction


def test_values_are_bound_by_name_and_a_forgotten_one_is_null() -> None:
    kept = Statement(
        select(User.id).where(User.email == bindparam("email", None), User.is_active).limit(7)
    )
    assert kept.bind({"email": "a", "other": 1})[1] == ["a", 7]
    assert kept.bind({})[1] == [None, 7]


def test_a_list_of_values_is_spread() -> None:
    sql, values = Statement(select(User.id).where(User.email.in_(["a", "b"]))).bind({})
    assert "IN ($1" in sql
    assert values == ["a", "b"]
