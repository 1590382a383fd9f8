"""What the document says that routes answer: their errors in words, their headers, their status."""

from typing import Any

import pytest

from app.main import Application
from tests.api.test_openapi import Schema, only, operations
from tests.problems import LAMPS, MEMBERS
from tests.shipped import shipped_document

NO_SESSION = "No session token, or one that is not valid any more"
OWN_HEADERS = {
    "Content-Disposition",
    "ETag",
    "Link",
    "Location",
    "RateLimit",
    "RateLimit-Policy",
}  # of some routes


@pytest.fixture(scope="module")
def document(session_app: Application) -> Schema:
    return shipped_document(session_app, session_app.openapi())


def named(document: Any, operation_id: str) -> Schema:
    [found] = [each for *_, each in operations(document) if each["operationId"] == operation_id]
    return found


class TestErrors:
    @pytest.mark.parametrize(
        ("route", "status", "words"),
        [
            ("login", 401, "The address or the password is wrong"),
            ("logout", 401, NO_SESSION),
            (
                "change_password",
                401,
                "No session token, one that is not valid any more, or a wrong password",
            ),
            ("register", 409, "Another account has the address"),
            ("update_user", 409, "It is the last superuser, who is needed"),
            ("update_lamp", 409, "A unique value is taken"),
            (
                "create_lamp",
                409,
                "A unique value is taken; A request with this Idempotency-Key is still running",
            ),
            ("bulk_delete_lamps", 409, "A request with this Idempotency-Key is still running"),
            ("list_users", 403, "Only a superuser may do this"),
        ],
    )
    def test_each_is_in_its_own_words(
        self, document: Any, route: str, status: int, words: str
    ) -> None:
        assert named(document, route)["responses"][str(status)]["description"] == words

    def test_attempts_are_limited_where_the_route_says_so(self, document: Any) -> None:
        found = {
            operation["operationId"]
            for _, _, operation in operations(document)
            if operation["responses"].get("429", {}).get("description")
            == "Too many attempts, or too many requests"
        }
        assert found == {
            "register", "login", "reauthenticate", "change_password", "request_password_reset",
            "request_email_verification", "request_email_change",
        }  # fmt: skip

    def test_requests_are_limited_on_every_route_but_probes(self, document: Any) -> None:
        for _, path, operation in operations(document):
            assert ("429" in operation["responses"]) != path.startswith("/health/"), path

    @pytest.mark.parametrize(
        ("route", "status"),
        [
            ("login", 409),
            ("logout", 409),
            ("confirm_password_reset", 401),
            ("update_me", 409),
            ("list_lamps", 413),
            ("list_lamps", 404),
        ],
    )
    def test_what_a_route_never_answers(self, document: Any, route: str, status: int) -> None:
        assert str(status) not in named(document, route)["responses"]


class TestAnswers:
    def test_each_operation_has_a_name_of_its_own(self, document: Any) -> None:
        names = [operation["operationId"] for _, _, operation in operations(document)]
        assert len(set(names)) == len(names)

    @pytest.mark.parametrize(
        ("route", "status"),
        [
            (("POST", "/api/v1/auth/register"), "201"),
            (("POST", "/api/v1/auth/login"), "200"),
            (("POST", "/api/v1/auth/logout"), "204"),
            (("POST", LAMPS), "201"),
            (("GET", LAMPS), "200"),
            (("DELETE", f"{LAMPS}/{{lamp_id}}"), "204"),
            (("POST", f"{LAMPS}/{{lamp_id}}/restore"), "200"),
        ],
    )
    def test_success_has_the_contracts_status(
        self, document: Any, route: tuple[str, str], status: str
    ) -> None:
        (operation,) = (each for *names, each in operations(document) if tuple(names) == route)
        assert [code for code in operation["responses"] if code.startswith("2")] == [status]
        assert ("content" in operation["responses"][status]) is (status != "204")

    def test_what_answers_nothing_has_no_content(self, document: Any) -> None:
        operation = document["paths"]["/api/v1/auth/password-reset"]["post"]
        assert "content" not in operation["responses"]["202"]

    def test_the_headers_of_answers(self, document: Any) -> None:
        components = document["components"]["headers"]
        optional = [name for name, each in components.items() if not each["required"]]
        assert optional == ["Link", "RateLimit", "RateLimit-Policy"]
        for method, path, operation in operations(document):
            for status, response in operation["responses"].items():
                expected = {"X-Correlation-ID"}
                expected |= {"WWW-Authenticate"} if status == "401" else set()
                expected |= {"Retry-After"} if status in {"429", "503"} else set()
                found = response["headers"].keys() - OWN_HEADERS
                assert found == expected, (method, path, status)
                assert found <= components.keys()

    @pytest.mark.parametrize(
        ("route", "status", "names"),
        [
            (("post", LAMPS), "201", {"ETag", "Location"}),
            (("get", LAMPS), "200", {"Link"}),
            (("get", f"{LAMPS}/{{lamp_id}}"), "304", {"ETag"}),
            (("patch", f"{LAMPS}/{{lamp_id}}"), "200", {"ETag"}),
            (("delete", f"{LAMPS}/{{lamp_id}}"), "204", set()),
        ],
    )
    def test_the_headers_of_a_resource(
        self, document: Any, route: tuple[str, str], status: str, names: set[str]
    ) -> None:
        method, path = route
        response = document["paths"][path][method]["responses"][status]
        assert response["headers"].keys() == names | {"X-Correlation-ID"}

    def test_unknown_ids_in_a_body(self, document: Any) -> None:
        assert "404" in document["paths"][f"{LAMPS}/bulk/delete"]["post"]["responses"]

    def test_no_error_is_documented_in_a_shape_it_never_has(self, document: Any) -> None:
        for method, path, operation in operations(document):
            for status, response in operation["responses"].items():
                if not status.startswith("2"):
                    media_types = response.get("content", {}).keys()
                    assert media_types <= {"application/problem+json"}, (method, path, status)

    def test_every_operation_documents_the_one_shape_of_errors(self, document: Any) -> None:
        for method, path, operation in operations(document):
            problems = [
                content["schema"]
                for response in operation["responses"].values()
                for media_type, content in response.get("content", {}).items()
                if media_type == "application/problem+json"
            ]
            assert problems, (method, path)
            for each in problems:
                schema = only(document, each)
                assert set(schema["required"]) == MEMBERS
                assert schema["properties"].keys() == MEMBERS | {"errors"}
