import json
from collections.abc import Iterator
from uuid import uuid4

import pytest
import structlog

from app.config import Settings
from app.logging import configure_logging


@pytest.fixture
def output(
    settings: Settings, capsysbinary: pytest.CaptureFixture[bytes]
) -> Iterator[pytest.CaptureFixture[bytes]]:
    configure_logging(settings)
    yield capsysbinary
    structlog.reset_defaults()


def test_a_line_is_json_with_what_happened(output: pytest.CaptureFixture[bytes]) -> None:
    user_id = uuid4()
    structlog.get_logger().info("request", user_id=user_id, status=200)
    line = json.loads(output.readouterr().out)
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "request", "level": "info", "user_id": str(user_id), "status": 200}


def test_a_traceback_shows_no_values(output: pytest.CaptureFixture[bytes]) -> None:
    def fail() -> None:
        password = "canary"
        raise ValueError(len(password))

    try:
        fail()
    except ValueError:
        structlog.get_logger().exception("failed")
    logged = output.readouterr().out
    assert b"ValueError" in logged
    assert b'"name":"fail"' in logged
    assert b"canary" not in logged
