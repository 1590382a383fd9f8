"""What is written for FastAPI gets the same answers from ours, but for the rules of `rules`."""

import orjson
import pytest

from app.main import Application
from tests.compatibility.applications import Mode, Strict
from tests.compatibility.compare import outcome
from tests.compatibility.document import DOCUMENT, document
from tests.compatibility.feature import Feature, all_features
from tests.compatibility.rules import RULES

pytestmark = pytest.mark.general
FEATURES = all_features()


@pytest.mark.parametrize("feature", FEATURES, ids=lambda each: each.name)
def test_it_is_as_in_fastapi(feature: Feature) -> None:
    wrong = [f"{mode.name}: {each}" for mode in Mode for each in outcome(feature, mode).wrong]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("feature", FEATURES, ids=lambda each: each.name)
def test_our_document_of_it_can_be_made(feature: Feature) -> None:
    app = Strict(**feature.options)
    feature.build(app)
    assert orjson.loads(orjson.dumps(Application.openapi(app)))["paths"] is not None


def test_each_rule_is_needed() -> None:
    needed = {rule for each in FEATURES for mode in Mode for rule in outcome(each, mode).rules}
    assert [rule.name for rule in RULES if rule not in needed] == []


def test_features_cover_the_user_guide() -> None:
    requests = sum(len(each.steps) for each in FEATURES)
    assert (len(FEATURES) >= 190, requests >= 1000) == (True, True)


def test_the_document_is_what_the_features_show() -> None:
    made = document()
    assert DOCUMENT.read_text() == made, "uv run python -m tests.compatibility.document"
