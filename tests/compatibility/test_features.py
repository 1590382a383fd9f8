"""What is written for FastAPI gets the same answers from ours, but for the rules of `rules`."""

import pytest

from tests.compatibility.compare import outcome
from tests.compatibility.feature import Feature, all_features
from tests.compatibility.rules import RULES

pytestmark = pytest.mark.general


@pytest.mark.parametrize("shaped", [False, True], ids=["plain", "shaped"])
@pytest.mark.parametrize("feature", all_features(), ids=lambda each: each.name)
def test_it_is_as_in_fastapi(feature: Feature, *, shaped: bool) -> None:
    """With FastAPI's own exception handlers, and with the one shape of errors."""
    assert not (wrong := outcome(feature, shaped=shaped).wrong), "\n".join(wrong)


def test_each_rule_is_needed() -> None:
    needed = {
        rule
        for feature in all_features()
        for shaped in (False, True)
        for rule in outcome(feature, shaped=shaped).rules
    }
    assert [rule.name for rule in RULES if rule not in needed] == []
