import json
import subprocess
import sys

PROGRAM = """
import logging
from uuid import UUID

import structlog

from app.config import Settings
from app.logging import configure_logging

configure_logging(Settings(log_format="json"))
log = structlog.get_logger()
log.info("request", user_id=UUID(int=7), status=200)


def fail():
    password = "canary"
    raise ValueError(len(password))


try:
    fail()
except ValueError:
    log.exception("failed")
    logging.getLogger("uvicorn.error").exception("failed %s\\n", "too")
"""


def test_a_line_is_json_and_a_traceback_shows_no_values() -> None:
    # A process of its own, for the real standard output: most of a second goes into its imports.
    command = [sys.executable, "-c", PROGRAM]
    lines = subprocess.run(command, capture_output=True, check=True).stdout.splitlines()
    request, *failures = [json.loads(line) for line in lines]
    assert request.pop("timestamp").endswith("Z")
    user_id = "00000000-0000-0000-0000-000000000007"
    assert request == {"event": "request", "level": "info", "user_id": user_id, "status": 200}
    assert [each["event"] for each in failures] == ["failed", "failed too"]  # a library's as well
    for failure in failures:
        [exception] = failure["exception"]
        assert exception["exc_type"] == "ValueError"
        assert exception["frames"][-1]["name"] == "fail"
        assert "canary" not in str(failure)
