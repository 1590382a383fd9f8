"""The document as people read it: words, examples and bounds, on every route that is shipped."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import TypeAdapter

from app.api.operation_ids import Place, places
from app.dispatch.routes import routes
from app.exception_handlers import Problem
from app.main import Application
from tests.api.test_openapi import Schema, operations
from tests.problems import LAMPS
from tests.shipped import shipped_document

PLACEHOLDERS = {"string", "text", ""}  # what pages show where there is no example
OF_ANY_LENGTH = {"format", "enum", "const", "maxLength"}
UNBOUNDED = "/api/v1/users/me/export"


@pytest.fixture(scope="module")
def document(session_app: Application) -> Schema:
    """Of what is shipped: an application's own routes may say less."""
    return shipped_document(session_app, session_app.openapi())


@pytest.fixture(scope="module")
def found(session_app: Application, document: Schema) -> list[tuple[Place, Schema]]:
    return [
        (place, document["paths"][place.route.path][place.method.lower()])
        for place in places(routes(session_app.router))
        if place.route.path in document["paths"]
    ]


def schemas_in(node: Any) -> Iterator[Schema]:
    if isinstance(node, dict):
        if isinstance(node.get("type"), str):
            yield node
        for name, each in node.items():
            if name not in {"example", "examples"}:
                yield from schemas_in(each)
    elif isinstance(node, list):
        for each in node:
            yield from schemas_in(each)


class TestWords:
    def test_each_operation_parameter_header_and_tag_is_described(self, document: Schema) -> None:
        for method, path, operation in operations(document):
            assert operation["description"].strip(), (method, path)
            for each in operation.get("parameters", []):
                assert each["description"].strip(), (method, path, each["name"])
        described = [*document["tags"], *document["components"]["headers"].values()]
        assert all(each["description"].strip() for each in described)

    def test_each_tag_that_is_used_is_declared(self, document: Schema) -> None:
        used = {tag for *_, operation in operations(document) for tag in operation["tags"]}
        assert used <= {each["name"] for each in document["tags"]}

    @pytest.mark.parametrize(
        ("operation_id", "summary"),
        [
            ("read_me", "Who am I"),
            ("create_lamp", "Create a lamp"),
            ("bulk_upsert_lamps", "Create or change several lamps"),
        ],
    )
    def test_operations_are_named_for_people(
        self, document: Schema, operation_id: str, summary: str
    ) -> None:
        names = {each["operationId"]: each["summary"] for *_, each in operations(document)}
        assert names[operation_id] == summary

    def test_no_success_is_called_as_every_other(self, document: Schema) -> None:
        for *_, operation in operations(document):
            for response in operation["responses"].values():
                assert response["description"] != "Successful Response"

    def test_it_says_whose_it_is_and_where_it_is_served(self, document: Schema) -> None:
        assert document["info"]["contact"]["name"]
        assert document["info"]["license"]["name"] == "MIT"
        assert [each["url"] for each in document["servers"]] == ["/"]

    def test_filters_stand_together_before_the_grammar_of_lists(self, document: Schema) -> None:
        operation = document["paths"][LAMPS]["get"]
        names = [each["name"] for each in operation["parameters"] if each["in"] == "query"]
        at = [index for index, name in enumerate(names) if name.split("__")[0] == "price"]
        assert at == [*range(at[0], at[0] + 5)]
        grammar = ["search", "order_by", "deleted", "page", "size", "cursor", "total"]
        assert names[-len(grammar) :] == grammar
        assert "| status | `status` (equals), `status__neq` (differs)" in operation["description"]


class TestExamples:
    def test_each_body_has_one_that_is_accepted(self, found: list[tuple[Place, Schema]]) -> None:
        count = 0
        for place, operation in found:
            if "requestBody" in operation:
                assert place.route.body is not None
                example = operation["requestBody"]["content"]["application/json"]["example"]
                TypeAdapter(place.route.body.annotation).validate_json(json.dumps(example))
                count += 1
        assert count > 10

    def test_each_success_has_one_that_fits(self, found: list[tuple[Place, Schema]]) -> None:
        count = 0
        for place, operation in found:
            for status, response in operation["responses"].items():
                if status.startswith("2") and (content := response.get("content")):
                    example = content["application/json"]["example"]
                    model: Any = place.route.response_model or dict[str, Any]
                    TypeAdapter(model).validate_json(json.dumps(example))
                    count += 1
        assert count > 20

    def test_each_error_has_some_of_its_status(self, document: Schema) -> None:
        known = document["components"]["examples"]
        used = set[str]()
        for method, path, operation in operations(document):
            for status, response in operation["responses"].items():
                if status < "4":
                    continue
                examples = response["content"]["application/problem+json"]["examples"]
                for each in examples.values():
                    name = each["$ref"].rpartition("/")[2]
                    problem = Problem.model_validate(known[name]["value"])
                    assert problem.status == int(status), (method, path)
                    assert len(problem.detail) > 10
                    used.add(name)
        assert used == known.keys()

    @pytest.mark.parametrize(
        ("operation_id", "status", "codes"),
        [
            ("login", "401", ["INVALID_CREDENTIALS"]),
            ("change_password", "401", ["UNAUTHORIZED", "INVALID_CREDENTIALS"]),
            ("update_user", "403", ["FORBIDDEN", "REAUTHENTICATION_REQUIRED"]),
            (
                "create_lamp",
                "422",
                ["VALIDATION_ERROR", "UNKNOWN_PARAMETER", "IDEMPOTENCY_KEY_REUSED"],
            ),
            ("list_lamps", "422", ["VALIDATION_ERROR", "UNKNOWN_PARAMETER", "INVALID_CURSOR"]),
        ],
    )
    def test_the_codes_of_an_error(
        self, document: Schema, operation_id: str, status: str, codes: list[str]
    ) -> None:
        [operation] = [
            each for *_, each in operations(document) if each["operationId"] == operation_id
        ]
        content = operation["responses"][status]["content"]["application/problem+json"]
        assert [*content["examples"]] == codes

    def test_what_was_not_found_or_is_taken_is_named(self, document: Schema) -> None:
        details = {each["value"]["detail"] for each in document["components"]["examples"].values()}
        assert any(re.fullmatch("Lamp [0-9a-f-]{36} not found", each) for each in details)
        assert {"sku is already taken", "email is already taken"} <= details

    def test_a_row_is_what_comes_of_the_body_that_creates_it(self, document: Schema) -> None:
        create, read = (
            document["components"]["schemas"][f"Lamp{each}"] for each in ("Create", "Read")
        )
        assert create["example"].items() <= read["example"].items()
        user = document["components"]["schemas"]["UserRead"]["example"]
        assert (user["email"], user["display_name"]) == ("ada@example.com", "Ada")
        assert (read["example"]["quantity"], read["example"]["deleted_at"]) == (0, None)

    def test_none_is_a_placeholder(self, document: Schema) -> None:
        def texts(node: Any) -> Iterator[Any]:
            parts = (
                node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
            )
            for each in parts:
                yield from texts(each)
            if isinstance(node, str):
                yield node

        for *_, operation in operations(document):
            for response in operation["responses"].values():
                for content in response.get("content", {}).values():
                    found = set(texts(content.get("example")))
                    assert not found & PLACEHOLDERS


class TestBounds:
    def test_texts_integers_and_lists_have_them(self, document: Schema) -> None:
        bounded = {path: each for path, each in document["paths"].items() if path != UNBOUNDED}
        count = 0
        for schema in schemas_in([bounded, document["components"]]):
            count += 1
            match schema["type"]:
                case "string":
                    assert OF_ANY_LENGTH & schema.keys(), schema
                case "integer":
                    assert {"minimum", "maximum", "format"} <= schema.keys(), schema
                case "array":
                    assert "maxItems" in schema, schema
        assert count > 100

    @pytest.mark.parametrize(
        ("field", "bound"), [("name", 255), ("description", 5000), ("sku", 64), ("price", 14)]
    )
    def test_an_answer_has_those_of_its_columns(
        self, document: Schema, field: str, bound: int
    ) -> None:
        schema = document["components"]["schemas"]["LampRead"]["properties"][field]
        assert schema.get("anyOf", [schema])[0]["maxLength"] == bound

    def test_keys_of_an_order_have_names_for_clients(self, document: Schema) -> None:
        order = document["components"]["schemas"]["LampOrder"]
        names = dict(zip(order["enum"], order["x-enum-varnames"], strict=True))
        assert (names["price"], names["-price"]) == ("PRICE", "PRICE_DESC")
