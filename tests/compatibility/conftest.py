"""The features run in applications of their own, which log as the suite's does."""

import pytest

from app.logging import configure_logging
from tests.compatibility.applications import SETTINGS


@pytest.fixture(autouse=True, scope="session")
def logging() -> None:
    configure_logging(SETTINGS)
