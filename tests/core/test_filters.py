from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from app.core.filters import MAX_VALUES, Filter, split
from app.core.list_query import Operator, SortKey
from app.core.types import Text
from tests.lamps.filters import LampFilter
from tests.lamps.models import Lamp, LampStatus

EXAMPLES = settings(derandomize=True, deadline=None)  # a busy machine may take long

# Mostly of what the grammar knows.
VALUES = st.text(st.sampled_from('",a\n') | st.characters(), max_size=6)


def quote(value: str) -> str:
    return '"' + value.replace('"', '""') + '"'


def test_a_filter_on_a_field_that_is_not_there_cannot_be_declared() -> None:
    with pytest.raises(TypeError, match="Lamp has no colour"):

        class Wrong(Filter):
            colour: Text | None = None

            class Constants(Filter.Constants):
                model = Lamp


def test_an_unknown_operator_cannot_be_declared() -> None:
    with pytest.raises(TypeError, match="no operator like"):

        class Wrong(Filter):
            name__like: Text | None = None

            class Constants(Filter.Constants):
                model = Lamp


def test_only_what_was_sent_is_a_condition() -> None:
    filters = LampFilter.model_validate({"sku__in": ["A,B", "C"], "price__gte": "1.5"})
    assert [(each.field, each.operator) for each in filters.selection.conditions] == [
        ("price", Operator.GTE),
        ("sku", Operator.IN),
    ]
    assert filters.sku__in == ["A", "B", "C"]


def test_a_narrowed_list_is_asked_for_nothing_less() -> None:
    asked = LampFilter(sku="A", price__gte=Decimal(1))
    narrowed = asked.narrowed(sku="B")
    for filters in (narrowed, narrowed.model_copy(update={"size": 5})):
        conditions = [(each.field, each.value) for each in filters.selection.conditions]
        assert conditions == [("price", Decimal(1)), ("sku", "A"), ("sku", "B")]
    again = asked.narrowed(sku="B").narrowed(sku="C").model_copy(update={"size": 1})
    assert [each.value for each in again.selection.conditions] == [Decimal(1), "A", "B", "C"]
    assert len({each.parameter for each in again.selection.conditions}) == 4
    [by_sku], [by_name] = (
        LampFilter().narrowed(**{field: "A"}).selection.conditions for field in ("sku", "name")
    )
    assert by_sku.parameter != by_name.parameter  # or one's statement would be run for the other
    with pytest.raises(TypeError, match="LampFilter has no colour"):
        asked.narrowed(colour="red")


def test_a_default_is_a_condition_until_something_else_is_asked_for() -> None:
    class Active(Filter):
        status: LampStatus | None = LampStatus.ACTIVE
        name: Text | None = None

        class Constants(Filter.Constants):
            model = Lamp

    def asked_for(query: dict[str, Any]) -> list[Any]:
        conditions = Active.model_validate(query).selection.conditions
        return [(each.field, each.value) for each in conditions]

    assert asked_for({}) == [("status", "active")]
    assert asked_for({"name": "x"}) == [("name", "x"), ("status", "active")]
    assert asked_for({"status": "draft"}) == [("status", "draft")]


def test_every_order_is_total() -> None:
    assert LampFilter().selection.order == (
        SortKey("created_at", descending=True),
        SortKey("id", descending=True),
    )
    assert LampFilter(order_by=["name"]).selection.order == (SortKey("name"), SortKey("id"))


@pytest.mark.parametrize("keys", [["password_hash"], ["name", "-name"], ["+name"], [""]])
def test_what_is_no_declared_key_is_refused(keys: list[str]) -> None:
    with pytest.raises(ValidationError):
        LampFilter.model_validate({"order_by": keys})


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("", [""]),
        ("a", ["a"]),
        ("a,b", ["a", "b"]),
        (",", ["", ""]),
        ("a,", ["a", ""]),
        (" a , b ", [" a ", " b "]),
        ('""', [""]),
        ('"",', ["", ""]),
        (',""', ["", ""]),
        ('"a,b",c', ["a,b", "c"]),
        ('c,"a,b"', ["c", "a,b"]),
        ('"a""b"', ['a"b']),
        ('""""', ['"']),
        ('""",""",x', ['","', "x"]),
        ('5" pipe', ['5" pipe']),
        ('a"b"c,d', ['a"b"c', "d"]),
        (' "a"', [' "a"']),
        ('"a\nb",c\n', ["a\nb", "c\n"]),
    ],
)
def test_values_stand_between_commas(text: str, values: list[str]) -> None:
    assert split(text) == values


@pytest.mark.parametrize("text", ['"', '"a', '"a"b', '"a" ,b', 'a,"b', '"a,b', '"""', 'a,"b"c,d'])
def test_a_quote_that_does_not_end_is_refused(text: str) -> None:
    with pytest.raises(PydanticCustomError, match="must end"):
        split(text)
    with pytest.raises(ValidationError):
        LampFilter.model_validate({"sku__in": [text]})


@EXAMPLES
@given(values=st.lists(VALUES, min_size=1), bare=st.booleans())
def test_every_list_of_values_can_be_written(values: list[str], *, bare: bool) -> None:
    plain = [bare and "," not in value and not value.startswith('"') for value in values]
    written = [
        value if is_plain else quote(value) for value, is_plain in zip(values, plain, strict=True)
    ]
    assert split(",".join(written)) == values


@EXAMPLES
@given(text=VALUES)
def test_every_text_has_one_meaning_or_none(text: str) -> None:
    try:
        values = split(text)
    except PydanticCustomError:
        assert '"' in text
    else:
        assert split(",".join(map(quote, values))) == values


@pytest.mark.parametrize("text", ['"' * 100_001, '"' + 'a""' * 50_000, '"a",' * 50_000 + '"'])
def test_a_hostile_text_costs_no_more_than_its_length(text: str) -> None:
    with pytest.raises(PydanticCustomError):
        split(text)


def test_values_may_be_repeated_and_separated_at_once() -> None:
    filters = LampFilter.model_validate({"sku__in": ["a,b", '"c,d"', ""]})
    assert filters.sku__in == ["a", "b", "c,d", ""]


def test_values_are_counted_after_they_are_separated() -> None:
    many = ",".join(map(str, range(MAX_VALUES)))
    assert len(LampFilter.model_validate({"sku__in": [many]}).sku__in or ()) == MAX_VALUES
    with pytest.raises(ValidationError):
        LampFilter.model_validate({"sku__in": [many, "x"]})


def test_only_lists_are_separated() -> None:
    assert LampFilter.model_validate({"name": 'a,"b'}).name == 'a,"b'
