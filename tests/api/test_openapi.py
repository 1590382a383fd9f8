"""What the schema tells a client, held against what the contract promises and the routes do."""

import re
from typing import Any

import httpx
import pytest

from app.api.v1.router import PUBLIC
from app.config import Settings
from app.main import Application, create_app
from tests.conftest import new_client
from tests.problems import LAMPS, NO_LAMP, read_problem
from tests.shipped import shipped_document

type Schema = dict[str, Any]

STATUSES = ["draft", "active", "archived"]
SORT_KEYS = [
    "name", "sku", "price", "quantity", "status", "created_at", "updated_at", "description",
]  # fmt: skip

TEXTS = ["name", "name__icontains", "name__istartswith", "sku"]
DECIMALS = ["price", "price__gt", "price__gte", "price__lt", "price__lte"]
INTEGERS = ["quantity", "quantity__gt", "quantity__gte", "quantity__lt", "quantity__lte"]
TIMESTAMPS = ["created_at__gte", "created_at__lt", "updated_at__gte", "updated_at__lt"]
STATUS_FILTERS = ["status", "status__neq", "status__in", "status__not_in"]
FILTERS = [*TEXTS, *DECIMALS, *INTEGERS, *TIMESTAMPS, *STATUS_FILTERS, "sku__in"]
GRAMMAR = {"page", "size", "search", "order_by", "cursor", "deleted", "total"}


@pytest.fixture(scope="module")
async def document(session_app: Application) -> Any:
    """Of what the foundation brings."""
    async with new_client(session_app) as client:
        return shipped_document(session_app, (await client.get("/openapi.json")).json())


@pytest.fixture(scope="module")
def parameters(document: Any) -> dict[str, Schema]:
    """The query parameters of the list of lamps, by name."""
    declared = document["paths"][LAMPS]["get"]["parameters"]
    return {each["name"]: each for each in declared if each["in"] == "query"}


def operations(document: Any) -> list[tuple[str, str, Schema]]:
    return [
        (method.upper(), path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def variants(document: Any, schema: Schema) -> list[Schema]:
    """What a value may be, apart from null, with the constraints that hold for each."""
    components = document["components"]["schemas"]
    resolved = [
        components[each["$ref"].rpartition("/")[2]] if "$ref" in each else each
        for each in schema.get("anyOf", [schema])
    ]
    return [each for each in resolved if each.get("type") != "null"]


def only(document: Any, schema: Schema) -> Schema:
    (variant,) = variants(document, schema)
    return variant


class TestParameters:
    def test_they_are_the_contracts_and_no_others(self, parameters: dict[str, Schema]) -> None:
        filters = {*FILTERS, "description__isnull"}
        assert parameters.keys() - GRAMMAR == filters
        assert parameters.keys() >= {"page", "size", "search", "order_by"}

    def test_none_is_required(self, parameters: dict[str, Schema]) -> None:
        assert not [name for name, each in parameters.items() if each["required"]]

    @pytest.mark.parametrize("name", TEXTS)
    def test_text(self, document: Any, parameters: dict[str, Schema], name: str) -> None:
        schema = only(document, parameters[name]["schema"])
        assert schema["type"] == "string"
        assert "format" not in schema

    @pytest.mark.parametrize("name", DECIMALS)
    def test_decimals_are_numbers_or_strings(
        self, document: Any, parameters: dict[str, Schema], name: str
    ) -> None:
        found = variants(document, parameters[name]["schema"])
        assert {each["type"] for each in found} <= {"number", "string"}
        assert all("format" not in each for each in found)

    @pytest.mark.parametrize("name", INTEGERS)
    def test_integers_within_the_columns_range(
        self, document: Any, parameters: dict[str, Schema], name: str
    ) -> None:
        schema = only(document, parameters[name]["schema"])
        assert schema["type"] == "integer"
        assert (schema["minimum"], schema["maximum"]) == (-(2**31), 2**31 - 1)

    @pytest.mark.parametrize("name", TIMESTAMPS)
    def test_timestamps(self, document: Any, parameters: dict[str, Schema], name: str) -> None:
        schema = only(document, parameters[name]["schema"])
        assert (schema["type"], schema["format"]) == ("string", "date-time")

    def test_booleans(self, document: Any, parameters: dict[str, Schema]) -> None:
        assert only(document, parameters["description__isnull"]["schema"])["type"] == "boolean"

    @pytest.mark.parametrize("name", ["status", "status__neq"])
    def test_enums(self, document: Any, parameters: dict[str, Schema], name: str) -> None:
        assert only(document, parameters[name]["schema"])["enum"] == STATUSES

    @pytest.mark.parametrize("name", ["status__in", "status__not_in"])
    def test_arrays_of_enums(self, document: Any, parameters: dict[str, Schema], name: str) -> None:
        schema = only(document, parameters[name]["schema"])
        assert (schema["type"], schema["maxItems"]) == ("array", 100)
        assert only(document, schema["items"])["enum"] == STATUSES

    def test_arrays_of_text(self, document: Any, parameters: dict[str, Schema]) -> None:
        schema = only(document, parameters["sku__in"]["schema"])
        assert (schema["type"], schema["maxItems"]) == ("array", 100)
        assert only(document, schema["items"])["type"] == "string"

    def test_sort_keys_are_an_enum(self, document: Any, parameters: dict[str, Schema]) -> None:
        schema = only(document, parameters["order_by"]["schema"])
        assert schema["type"] == "array"
        keys = only(document, schema["items"])["enum"]
        assert sorted(keys) == sorted([*SORT_KEYS, *(f"-{key}" for key in SORT_KEYS)])

    def test_at_most_four_of_them(self, document: Any, parameters: dict[str, Schema]) -> None:
        assert only(document, parameters["order_by"]["schema"])["maxItems"] == 4
        assert "maxLength" not in parameters["order_by"]["schema"]

    def test_the_limits_of_a_page(self, document: Any, parameters: dict[str, Schema]) -> None:
        page, size = (only(document, parameters[name]["schema"]) for name in ("page", "size"))
        assert page["type"] == size["type"] == "integer"
        assert page["minimum"] == 1
        assert "default" not in page  # a form would send it along with a cursor
        assert (size["minimum"], size["maximum"], size["default"]) == (1, 100, 50)

    def test_the_length_of_a_search(self, document: Any, parameters: dict[str, Schema]) -> None:
        schema = only(document, parameters["search"]["schema"])
        assert (schema["type"], schema["maxLength"]) == ("string", 100)

    def test_ids_in_paths_are_uuids(self, document: Any) -> None:
        found = {
            f"{method} {path}": (each["schema"]["type"], each["schema"].get("format"))
            for method, path, operation in operations(document)
            for each in operation.get("parameters", [])
            if each["in"] == "path"
        }
        assert len(found) >= 4
        assert found == dict.fromkeys(found, ("string", "uuid"))


class TestBodies:
    @pytest.mark.parametrize(
        ("field", "expected"),
        [
            ("name", {"type": "string", "minLength": 1, "maxLength": 255}),
            ("description", {"type": "string", "maxLength": 5000}),
            ("sku", {"type": "string", "minLength": 1, "maxLength": 64}),
            ("quantity", {"type": "integer", "minimum": 0, "maximum": 2**31 - 1}),
            ("status", {"type": "string", "enum": STATUSES}),
        ],
    )
    @pytest.mark.parametrize("name", ["LampCreate", "LampUpdate"])
    def test_the_limits_of_a_field(
        self, document: Any, name: str, field: str, expected: Schema
    ) -> None:
        properties = document["components"]["schemas"][name]["properties"]
        assert only(document, properties[field]).items() >= expected.items()

    @pytest.mark.parametrize("name", ["LampCreate", "LampUpdate"])
    def test_a_price_is_a_number_or_a_string(self, document: Any, name: str) -> None:
        price = document["components"]["schemas"][name]["properties"]["price"]
        found = {each["type"]: each for each in variants(document, price)}
        assert found.keys() == {"number", "string"}
        assert found["number"]["minimum"] == 0

    def test_what_a_new_lamp_needs(self, document: Any) -> None:
        schema = document["components"]["schemas"]["LampCreate"]
        assert set(schema["required"]) == {"name", "sku", "price"}
        assert schema["properties"]["quantity"]["default"] == 0
        assert schema["properties"]["status"]["default"] == "draft"

    def test_an_update_needs_nothing_and_clears_what_is_nullable(self, document: Any) -> None:
        schema = document["components"]["schemas"]["LampUpdate"]
        assert "required" not in schema
        nullable = {
            name
            for name, each in schema["properties"].items()
            if {"type": "null"} in each.get("anyOf", [])
        }
        assert nullable == {"description"}
        assert not [name for name, each in schema["properties"].items() if "default" in each]

    def test_bodies_are_closed_json(self, document: Any) -> None:
        found = {
            f"{method} {path}": operation["requestBody"]
            for method, path, operation in operations(document)
            if "requestBody" in operation
        }
        assert len(found) >= 5
        for route, body in found.items():
            assert body["required"] is True, route
            assert body["content"].keys() == {"application/json"}, route
            schema = only(document, body["content"]["application/json"]["schema"])
            assert schema["additionalProperties"] is False, route

    def test_a_lamp_that_is_read_has_every_field(self, document: Any) -> None:
        schema = document["components"]["schemas"]["LampRead"]
        fields = {"id", "owner_id", "name", "description", "sku", "price", "quantity", "status"}
        fields |= {"created_at", "updated_at", "version", "deleted_at"}
        assert set(schema["required"]) == schema["properties"].keys() == fields
        assert only(document, schema["properties"]["price"])["type"] == "string"

    def test_no_answer_holds_a_secret(self, document: Any) -> None:
        schemas = document["components"]["schemas"]
        read = {name: each for name, each in schemas.items() if name.endswith("Read")}
        assert read.keys() >= {"LampRead", "LoginRead", "UserRead"}
        for name, schema in read.items():
            assert not [field for field in schema["properties"] if re.search("pass|hash", field)]
            assert "token" not in schema["properties"] or name == "LoginRead"

    @pytest.mark.parametrize(
        ("name", "field"), [("Register", "password"), ("ChangePassword", "new_password")]
    )
    def test_a_new_password_has_the_length_that_is_set(
        self, document: Any, settings: Settings, name: str, field: str
    ) -> None:
        schema = document["components"]["schemas"][name]["properties"][field]
        assert schema["minLength"] == settings.password_min_length
        assert "at most 256 characters" in schema["description"]
        assert schema["maxLength"] == 4 * 256  # as typed, before letters are composed

    def test_a_password_that_was_chosen_before_may_be_shorter(self, document: Any) -> None:
        schemas = document["components"]["schemas"]
        for name, field in (("Login", "password"), ("ChangePassword", "current_password")):
            assert schemas[name]["properties"][field]["minLength"] == 1

    def test_limits_are_those_of_the_settings(self, settings: Settings) -> None:
        changed = settings.model_copy(update={"password_min_length": 21, "max_bulk_rows": 7})
        schemas = create_app(changed).openapi()["components"]["schemas"]
        assert schemas["Register"]["properties"]["password"]["minLength"] == 21
        assert schemas["ConfirmReset"]["properties"]["new_password"]["minLength"] == 21
        assert schemas["BulkIds"]["properties"]["ids"]["maxItems"] == 7
        assert schemas["BulkItems_LampCreate_"]["properties"]["items"]["maxItems"] == 7

    @pytest.mark.parametrize("name", ["LampCreate", "LampUpdate"])
    def test_the_digits_of_a_price(self, document: Any, name: str) -> None:
        price = document["components"]["schemas"][name]["properties"]["price"]
        found = {each["type"]: each for each in variants(document, price)}
        assert found["number"].items() >= {"exclusiveMaximum": 10**10, "multipleOf": 0.01}.items()
        pattern = re.compile(found["string"]["pattern"])
        assert all(map(pattern.search, ["0", "12.50", "+1", ".5", "1.", "9999999999.99", "1.500"]))
        wrong = ["", ".", "-1", "1_0", "1.234", "12345678901", "1,5", " 1"]
        assert not any(map(pattern.search, wrong))


class TestSecurity:
    def test_the_scheme_is_a_bearer_token(self, document: Any) -> None:
        schemes = document["components"]["securitySchemes"]
        assert schemes["Session"].items() >= {"type": "http", "scheme": "bearer"}.items()

    def test_the_routes_without_it_are_the_public_list(self, document: Any) -> None:
        business = {
            f"{method} {path.removeprefix('/api/v1')}": operation
            for method, path, operation in operations(document)
            if path.startswith("/api/v1/")
        }
        assert len(business) >= 11
        without = {name for name, each in business.items() if not each.get("security")}
        assert without == PUBLIC & business.keys()

    def test_the_others_name_it(self, document: Any) -> None:
        found = {
            f"{method} {path}": operation["security"]
            for method, path, operation in operations(document)
            if operation["security"]
        }
        assert len(found) > len(PUBLIC)
        assert found == {route: [{"Session": []}] for route in found}

    def test_outside_of_the_api_are_the_probes_alone(self, document: Any) -> None:
        outside = {path for path in document["paths"] if not path.startswith("/api/v1/")}
        assert outside == {"/health/live", "/health/ready"}

    async def test_the_schema_tells_the_truth_to_strangers(
        self, document: Any, client: httpx.AsyncClient
    ) -> None:
        for method, path, operation in operations(document):
            url = re.sub("{.*?}", NO_LAMP, path)
            response = await client.request(method, url, headers={"Content-Type": "text/plain"})
            if operation.get("security"):
                assert response.status_code == 401, (method, path)
                read_problem(response, 401, "UNAUTHORIZED")
                assert response.headers["WWW-Authenticate"] == "Bearer"
            else:
                assert response.status_code != 401, (method, path)
