from typing import Any

import pytest

from app.core.filters import MAX_VALUES
from tests.conformance.oracle import MANY, PARTS, contains, holds, quoted, sent
from tests.conformance.resources import RESOURCES, Resource
from tests.conformance.things import MISSING, Row, Things
from tests.conformance.values import REFUSED, value
from tests.problems import CANARY, read_problem

TEXTS = ["100%", "1000", "a_b", "aXb", "c\\d", "cd", 'say "hi", you', "É"]
PARTS_OF_TEXTS = ["100%", "%", "_", "A_", "\\", "c\\", 'SAY "', ",", "é", "1"]

each_filter = pytest.mark.parametrize(
    ("resource", "parameter"),
    [(resource, parameter) for resource in RESOURCES for parameter in resource.conditions],
    ids=str,
)
each_list_of_values = pytest.mark.parametrize(
    ("resource", "parameter"),
    [
        (resource, parameter)
        for resource in RESOURCES
        for parameter, (_, operator) in resource.conditions.items()
        if operator in MANY
    ],
    ids=str,
)
each_search = pytest.mark.parametrize(
    ("resource", "field"),
    [(resource, field) for resource in RESOURCES for field in resource.filters.search_fields],
    ids=str,
)


def takes_any_text(resource: Resource, field: str) -> bool:
    shape = resource.fields[field].shape if field in resource.fields else None
    return shape is not None and shape.free and (shape.low or 0) <= 1 and (shape.high or 20) >= 20


async def rows_of(things: Things, field: str) -> list[Row]:
    """Rows with different values of the field, among them texts that LIKE would misread."""
    rows = await things.varied()
    if takes_any_text(things.resource, field):
        await things.create_many([await things.body(**{field: text}) for text in TEXTS])
        rows = await things.rows()
    return rows


def givens(resource: Resource, parameter: str, rows: list[Row]) -> list[Any]:
    """JSON values to filter by, or lists of them: those of rows, and others."""
    field, operator = resource.conditions[parameter]
    if operator == "isnull":
        return [True, False]
    known = [row[field] for row in rows if row[field] is not None]
    values = [each for at, each in enumerate(known) if each not in known[:at]]
    if operator in PARTS:
        return [*PARTS_OF_TEXTS, *(text[:3].swapcase() for text in values[:2]), *values[:1]]
    if field in resource.fields and not resource.fields[field].reference:
        values.append(value(resource.fields[field].shape, 9999))
    if operator in MANY:
        return [some for some in (values[:2], values[1:], values[-1:]) if some]
    return values


def ways(given: Any) -> list[Any]:
    """How it may be sent: values of a list together, or each by itself."""
    if not isinstance(given, list):
        return [sent(given)]
    together = ",".join(map(quoted, given)), [*map(quoted, given)]
    if any({*sent(each)} & {'"', ","} for each in given):
        return [*together]
    return [*together, ",".join(map(sent, given)), [*map(sent, given)]]


@each_filter
async def test_finds_what_it_says(things: Things, parameter: str) -> None:
    rows = await rows_of(things, things.resource.conditions[parameter][0])
    for given in givens(things.resource, parameter, rows):
        expected = [row for row in rows if holds(things.resource, parameter, row, given)]
        for way in ways(given):
            page = await things.page(**{parameter: way}, size=100, order_by="created_at")
            assert page["items"] == expected, way
            assert page["total"] == len(expected)


async def test_all_hold_at_once(things: Things) -> None:
    rows, query = await things.varied(), {}
    left = rows
    for parameter in things.resource.conditions:
        for given in givens(things.resource, parameter, rows):
            if holds(things.resource, parameter, rows[4], given):
                query[parameter] = ways(given)[0]
                left = [row for row in left if holds(things.resource, parameter, row, given)]
                break
    assert await things.rows(**query) == left
    assert rows[4] in left


async def test_refuses_what_is_no_value(things: Things) -> None:
    for parameter in things.resource.conditions:
        kind = things.resource.parameters[parameter].type
        # Numbers and truth values are texts here; what is refused as one in a body is a value.
        refused = [] if kind in {"integer", "number", "boolean"} else REFUSED.get(kind, [])
        for wrong in [f"{CANARY}\0", *(each for each in refused if isinstance(each, str))]:
            response = await things.send("GET", params={parameter: wrong})
            problem = read_problem(response, 422, "VALIDATION_ERROR")
            assert problem["errors"][0]["loc"][:2] == ["query", parameter]
            assert CANARY not in response.text


@each_list_of_values
async def test_takes_a_hundred_values(things: Things, parameter: str) -> None:
    found = (await things.create())[things.resource.conditions[parameter][0]]
    one = quoted(MISSING if found is None else found)
    for many in ([one] * MAX_VALUES, ",".join([one] * MAX_VALUES)):
        assert (await things.page(**{parameter: many}))["size"] == 50
    for wrong in ([one] * 101, ",".join([one] * 101), f"{one},{one[:-1]}"):
        response = await things.send("GET", params={parameter: wrong})
        problem = read_problem(response, 422, "VALIDATION_ERROR")
        assert problem["errors"][0]["loc"] == ["query", parameter]


@each_search
async def test_searches_literally_and_in_any_case(things: Things, field: str) -> None:
    rows = await rows_of(things, field)
    texts = [row[field][:4].swapcase() for row in rows if row[field]][:2]
    for term in [*PARTS_OF_TEXTS, *texts, "nowhere to be found"]:
        expected = [
            row
            for row in rows
            if any(contains(row[each], term) for each in things.resource.filters.search_fields)
        ]
        assert await things.rows(search=term) == expected, term


@each_search
async def test_searches_for_one_to_a_hundred_characters(things: Things, field: str) -> None:
    assert field in things.resource.shown
    assert await things.rows(search="x" * 100) == []
    for wrong in ("", "x" * 101, f"{CANARY}\0"):
        response = await things.send("GET", params={"search": wrong})
        problem = read_problem(response, 422, "VALIDATION_ERROR")
        assert problem["errors"][0]["loc"] == ["query", "search"]
        assert CANARY not in response.text
