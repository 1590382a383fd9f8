"""What is written for FastAPI gets the same answers from ours, but for the rules of `rules`."""

import pytest

from tests.compatibility.applications import Mode
from tests.compatibility.compare import outcome
from tests.compatibility.feature import Feature, all_features
from tests.compatibility.rules import RULES

pytestmark = pytest.mark.general
FEATURES = all_features()


@pytest.mark.parametrize("feature", FEATURES, ids=lambda each: each.name)
def test_it_is_as_in_fastapi(feature: Feature) -> None:
    wrong = [f"{mode.name}: {each}" for mode in Mode for each in outcome(feature, mode).wrong]
    assert not wrong, "\n".join(wrong)


def test_each_rule_is_needed() -> None:
    needed = {rule for each in FEATURES for mode in Mode for rule in outcome(each, mode).rules}
    assert [rule.name for rule in RULES if rule not in needed] == []


def test_features_cover_the_user_guide() -> None:
    requests = sum(len(each.steps) for each in FEATURES)
    assert (len(FEATURES) >= 190, requests >= 1000) == (True, True)
