"""What the schema says of a resource, held against what its parts are."""

from typing import Any

import pytest

from app.core.filters import Filter
from app.main import Application
from tests.conformance.oracle import MANY
from tests.conformance.resources import Resource
from tests.conformance.shapes import Shape, shape_of

HEADERS: dict[str, tuple[set[str], set[str]]] = {
    "POST": ({"Idempotency-Key"}, {"ETag", "Location"}),
    "GET": (set(), {"Link"}),
    "GET /{id}": ({"If-None-Match"}, {"ETag"}),
    "PATCH /{id}": ({"If-Match"}, {"ETag"}),
    "DELETE /{id}": ({"If-Match"}, set()),
    "POST /{id}/restore": ({"If-Match", "Idempotency-Key"}, {"ETag"}),
    "POST /bulk": ({"Idempotency-Key"}, set()),
    "PUT /bulk": ({"Idempotency-Key"}, set()),
    "POST /bulk/delete": ({"Idempotency-Key"}, set()),
}
WRITES = {"POST", "PATCH /{id}", "POST /{id}/restore", "POST /bulk", "PUT /bulk"}
TAKEN = {"If-Match", "If-None-Match", "Idempotency-Key"}
GIVEN = {"ETag", "Link", "Location"}
KINDS = {
    "str": {"text", "email", "uri"},
    "int": {"integer"},
    "Decimal": {"decimal"},
    "float": {"number"},
    "bool": {"boolean"},
    "date": {"date"},
    "datetime": {"date-time"},
    "time": {"time-local"},
    "UUID": {"uuid"},
}

type Operation = dict[str, Any]


@pytest.fixture
def operations(session_app: Application, resource: Resource) -> dict[str, Operation]:
    paths = session_app.openapi()["paths"]
    return {
        route: paths[context.path_format][route.partition(" ")[0].lower()]
        for route, context in resource.routes.items()
    }


@pytest.fixture
def definitions(session_app: Application) -> dict[str, Any]:
    schemas: dict[str, Any] = session_app.openapi()["components"]["schemas"]
    return schemas


@pytest.fixture
def parameters(operations: dict[str, Operation], definitions: dict[str, Any]) -> dict[str, Shape]:
    declared = operations["GET"]["parameters"]
    return {
        each["name"]: shape_of(each["schema"], definitions)[0]
        for each in declared
        if each["in"] == "query"
    }


def kind_of(resource: Resource, field: str) -> set[str]:
    """What a parameter with a value of the field may be shown as."""
    kind = resource.table.columns[field].type.python_type
    return KINDS.get(kind.__name__, {"enum"})


def test_lists_declare_the_filters_and_the_grammar(
    resource: Resource, parameters: dict[str, Shape]
) -> None:
    grammar = {*Filter.model_fields}
    grammar |= {"search"} if resource.filters.search_fields else set()
    assert parameters.keys() == grammar | resource.conditions.keys()


def test_each_filter_has_the_type_of_its_field(
    resource: Resource, parameters: dict[str, Shape]
) -> None:
    for parameter, (field, operator) in resource.conditions.items():
        shape = parameters[parameter]
        if operator in MANY:
            assert (shape.type, shape.high) == ("array", 100), parameter
            assert shape.items is not None
            shape = shape.items
        expected = {"boolean"} if operator == "isnull" else kind_of(resource, field)
        assert shape.type in expected, parameter
        if shape.type == "enum":
            column: Any = resource.table.columns[field].type
            assert [*shape.choices] == column.enums
        if shape.type == "integer":
            assert shape.low is not None
            assert shape.high is not None


def test_the_grammar_shows_its_limits(parameters: dict[str, Shape]) -> None:
    assert parameters["page"] == Shape("integer", low=1, high=100_001)
    assert parameters["size"] == Shape("integer", low=1, high=100)
    assert parameters["cursor"].type == "text"
    assert parameters["total"].choices == ("bounded", "exact", "none")
    assert parameters["deleted"].choices == ("exclude", "only", "include")
    assert (parameters["order_by"].type, parameters["order_by"].high) == ("array", 4)
    if "search" in parameters:
        assert parameters["search"] == Shape("text", low=1, high=100)


def test_sort_keys_are_an_enum_in_both_directions(
    resource: Resource, parameters: dict[str, Shape]
) -> None:
    keys = parameters["order_by"].items
    assert keys is not None
    ascending = {key for key in keys.choices if not key.startswith("-")}
    assert {*keys.choices} == ascending | {f"-{key}" for key in ascending}
    assert ascending <= {*resource.table.columns.keys()}


def test_headers_stand_where_they_are_heeded_and_given(operations: dict[str, Operation]) -> None:
    for route in HEADERS.keys() & operations.keys():
        taken, given = HEADERS[route]
        parameters = operations[route].get("parameters", ())
        names = {each["name"] for each in parameters if each["in"] == "header"}
        assert names & TAKEN == taken, route
        [success] = [
            each for status, each in operations[route]["responses"].items() if status < "3"
        ]
        assert success.get("headers", {}).keys() & GIVEN == given, route


def test_errors_are_those_that_its_rows_may_have(
    resource: Resource, operations: dict[str, Operation]
) -> None:
    for route, operation in operations.items():
        found = operation["responses"]
        if resource.is_public(route):
            assert "401" not in found, route
        else:
            assert "WWW-Authenticate" in found["401"]["headers"], route
        if route in HEADERS:
            by_id = "{id}" in route or route == "POST /bulk/delete"
            assert ("404" in found) is by_id, route
        by_version = "If-Match" in {each["name"] for each in operation.get("parameters", ())}
        assert ("412" in found) is by_version, route
        assert ("428" in found) is resource.demands_if_match(route), route
        if route in WRITES:
            words = found.get("409", {}).get("description", "")
            assert ("unique value" in words) is bool(resource.uniques), route


def test_bodies_are_closed_and_bulk_ones_bounded(
    operations: dict[str, Operation], definitions: dict[str, Any]
) -> None:
    for route, operation in operations.items():
        if "requestBody" not in operation:
            continue
        content = operation["requestBody"]["content"]["application/json"]["schema"]
        schema = definitions[content["$ref"].rpartition("/")[2]]
        assert schema["additionalProperties"] is False, route
        if "/bulk" in route:
            [rows] = schema["properties"].values()
            assert (rows["type"], rows["minItems"], rows["maxItems"]) == ("array", 1, 1000)


def test_ids_are_uuids_and_errors_have_one_shape(operations: dict[str, Operation]) -> None:
    for route, operation in operations.items():
        declared = operation.get("parameters", ())
        for each in [each for each in declared if each["in"] == "path"]:
            assert each["schema"] == {"type": "string", "format": "uuid"}, route
        for status, response in operation["responses"].items():
            if status >= "400":
                assert [*response["content"]] == ["application/problem+json"], route
