"""What a request may cost the database: a statement too many is found here."""

from typing import Any

import httpx
import pytest

from tests.factories import create_lamps, lamp
from tests.statements import recorded_statements

LAMPS = "/api/v1/lamps"


@pytest.mark.parametrize(
    ("method", "path", "body", "expected"),
    [
        ("GET", "/{id}", None, "SELECT SELECT"),
        ("GET", "?status=draft&order_by=-price", None, "SELECT SELECT"),
        ("GET", "?page=2", None, "SELECT SELECT SELECT"),
        ("GET", "?page=2&total=none", None, "SELECT SELECT"),
        ("POST", "", lamp(), "SELECT BEGIN INSERT COMMIT"),
        ("PATCH", "/{id}", {"name": "x"}, "SELECT BEGIN UPDATE COMMIT"),
        ("PATCH", "/{id}", {}, "SELECT SELECT"),
        ("DELETE", "/{id}", None, "SELECT BEGIN UPDATE COMMIT"),
        ("POST", "/{id}/restore", None, "SELECT BEGIN UPDATE SELECT COMMIT"),
    ],
)
async def test_statements_of_a_request(
    alice: httpx.AsyncClient, method: str, path: str, body: Any, expected: str
) -> None:
    """The first SELECT is the session's, a list's third counts; reads open no transaction."""
    [created] = await create_lamps(alice, {})
    with recorded_statements() as statements:
        response = await alice.request(method, LAMPS + path.format(**created), json=body)
    assert response.is_success
    assert " ".join(each.split()[0] for each in statements) == expected


async def test_who_is_not_signed_in_costs_nothing(client: httpx.AsyncClient) -> None:
    with recorded_statements() as statements:
        await client.get(LAMPS)
        await client.get(LAMPS, headers={"Authorization": "Bearer not-one-of-ours"})
    assert statements == []
