"""The features run in applications of their own, which log as the suite's does."""

import pytest

from app.config import Settings
from app.logging import configure_logging


@pytest.fixture(autouse=True, scope="session")
def logging(settings: Settings) -> None:
    configure_logging(settings)
