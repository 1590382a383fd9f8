"""The statements that are kept for an entity."""

from itertools import combinations

import pytest

from app.common import statements
from app.common.statements import Statements
from tests.lamps.models import Lamp

FIELDS = ["description", "name", "price", "quantity", "sku", "status"]


def test_shapes_that_are_seen_once_push_out_none_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statements, "MAX_KEPT", 5)
    kept = Statements(Lamp, scoped=True)
    often = kept.get()
    for fields in combinations(FIELDS, 3):
        kept.update(fields, versioned=False)
        assert kept.get() is often
