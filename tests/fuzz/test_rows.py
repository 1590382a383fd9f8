"""What is sent in place of values that OpenAPI cannot keep apart."""

from itertools import count
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from tests.conformance.shapes import Field, Shape
from tests.fuzz import rows as module
from tests.fuzz.rows import Row, Rows, is_shared

LAMPS = "/api/v1/lamps"


class Server:
    """Takes every row, and gives it an id."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, Row]] = []
        self._numbers = count(1)

    def take(self, path: str, row: Row) -> Row:
        self.taken.append((path, row))
        return row | {"id": str(UUID(int=next(self._numbers)))}


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def rows(server: Server) -> Rows:
    return Rows(server.take, ["alice", "bob"])


def lamp(**fields: Any) -> Row:
    return {"name": "Lamp", "sku": "0", "price": "0"} | fields


@pytest.mark.parametrize("route", [f"POST {LAMPS}/bulk", f"PUT {LAMPS}/bulk"])
def test_rows_of_one_body_have_keys_of_their_own(rows: Rows, route: str) -> None:
    body = {"items": [lamp(name=f"{n}") for n in range(100)]}
    rows.make_acceptable(route, body)
    assert [each["name"] for each in body["items"]] == [f"{n}" for n in range(100)]
    skus = {each["sku"] for each in body["items"]}
    assert len(skus) == 100
    assert all(each.endswith(" 0") for each in skus)


@pytest.mark.parametrize("route", [f"POST {LAMPS}", f"PATCH {LAMPS}/{{lamp_id}}"])
def test_a_key_is_new_and_within_its_length(rows: Rows, route: str) -> None:
    body = lamp(sku="x" * 64)
    rows.make_acceptable(route, body)
    assert body["sku"] != "x" * 64
    assert len(body["sku"]) == 64
    patch: Row = {"name": "Lamp"}
    rows.make_acceptable(route, patch)
    assert patch == {"name": "Lamp"}


@pytest.mark.parametrize("route", ["POST /api/v1/auth/login", f"POST {LAMPS}/{{lamp_id}}/restore"])
def test_what_is_no_row_stays(rows: Rows, route: str) -> None:
    body = lamp()
    rows.make_acceptable(route, body)
    assert body == lamp()


def test_a_value_out_of_bounds_that_no_schema_tells_is_another_one(rows: Rows) -> None:
    body = lamp(price="-1", status="lost")
    rows.make_acceptable(f"POST {LAMPS}", body)
    assert float(body["price"]) >= 0
    assert body["status"] == "lost"  # for the server to refuse: the document says so


def reference(rows: Rows, to: str, *, unique: bool = False, of: str = "orders") -> str | None:
    field = Field("ref_id", Shape("uuid"), True, False, False, None, to)  # noqa: FBT003 - its own
    resource: Any = SimpleNamespace(table=SimpleNamespace(name=of), unique=set())
    resource.unique |= {"ref_id"} if unique else set()
    found: str | None = rows._value(resource, field, "0")
    return found


def test_a_reference_names_a_row_that_was_made(rows: Rows, server: Server) -> None:
    first = reference(rows, "lamps")
    assert reference(rows, "lamps") == first
    [(path, row)] = server.taken
    assert (path, {"name", "sku", "price"} <= row.keys()) == (LAMPS, True)
    rows.forget()
    assert reference(rows, "lamps") != first


def test_a_unique_reference_names_a_new_row_each_time(rows: Rows, server: Server) -> None:
    assert len({reference(rows, "lamps", unique=True) for _ in range(3)}) == 3
    assert len({row["sku"] for _, row in server.taken}) == 3


def test_a_reference_to_a_user_names_one_who_stays(rows: Rows, server: Server) -> None:
    assert {reference(rows, "users") for _ in range(4)} == {"alice", "bob"}
    assert server.taken == []


def test_a_reference_to_its_own_kind_is_empty(rows: Rows) -> None:
    assert reference(rows, "orders") is None


@pytest.mark.parametrize("route", [f"GET {LAMPS}", f"GET {LAMPS}/{{lamp_id}}"])
def test_rows_with_an_owner_are_not_shared(route: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not is_shared(route)
    monkeypatch.setattr(module, "Owned", Server)  # which no entity is
    assert is_shared(route)
    assert not is_shared("GET /api/v1/users")
