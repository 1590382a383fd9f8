import pytest
from pydantic import ValidationError

from app.core.filters import Filter, Operator, SortKey
from app.core.schemas import Text
from app.items.filters import ItemFilter
from app.items.models import Item


def test_a_filter_on_a_field_that_is_not_there_cannot_be_declared() -> None:
    with pytest.raises(TypeError, match="Item has no colour"):

        class Wrong(Filter):
            colour: Text | None = None

            class Constants(Filter.Constants):
                model = Item


def test_an_unknown_operator_cannot_be_declared() -> None:
    with pytest.raises(TypeError, match="no operator like"):

        class Wrong(Filter):
            name__like: Text | None = None

            class Constants(Filter.Constants):
                model = Item


def test_only_what_was_sent_is_a_condition() -> None:
    filters = ItemFilter.model_validate({"sku__in": ["A,B", "C"], "price__gte": "1.5"})
    assert [(each.field, each.operator) for each in filters.conditions()] == [
        ("price", Operator.GTE),
        ("sku", Operator.IN),
    ]
    assert filters.sku__in == ["A", "B", "C"]


def test_every_order_is_total() -> None:
    assert ItemFilter().order == (
        SortKey("created_at", descending=True),
        SortKey("id", descending=True),
    )
    assert ItemFilter(order_by=["name"]).order == (SortKey("name"), SortKey("id"))


@pytest.mark.parametrize("keys", [["password_hash"], ["name", "-name"], ["+name"], [""]])
def test_what_is_no_declared_key_is_refused(keys: list[str]) -> None:
    with pytest.raises(ValidationError):
        ItemFilter.model_validate({"order_by": keys})
