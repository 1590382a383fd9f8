"""Structured logs through structlog alone: coloured lines for people, JSON lines for machines."""

import logging
import sys
from collections.abc import MutableMapping
from datetime import UTC, datetime
from typing import Any

import orjson
import structlog

from app.config import Settings

_processors: list[structlog.typing.Processor] = []  # loggers keep it from their first use on


def configure_logging(settings: Settings) -> None:
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
    ]
    factory: Any
    if settings.json_logs:
        processors: list[structlog.typing.Processor] = [*shared, _to_json]
        factory = structlog.BytesLoggerFactory(sys.stdout.buffer)
    else:
        plain = structlog.dev.RichTracebackFormatter(show_locals=False)
        colors = sys.stdout.isatty()
        processors = [
            *shared,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.dev.ConsoleRenderer(
                colors=colors,
                exception_formatter=plain if colors else structlog.dev.plain_traceback,
            ),
        ]
        factory = structlog.PrintLoggerFactory(sys.stdout)
    _processors[:] = processors
    structlog.configure(
        processors=_processors,
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=factory,
        cache_logger_on_first_use=True,
    )
    logging.getLogger("uvicorn.access").disabled = True  # one line per request is ours
    logging.getLogger("asyncpg").setLevel(logging.ERROR)


# Without local variables, one of which may be a password.
_traceback = structlog.processors.ExceptionRenderer(
    structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
)


def _to_json(logger: Any, method: str, event: MutableMapping[str, Any]) -> bytes:
    event["timestamp"] = datetime.now(UTC)
    if "exc_info" in event:
        event = _traceback(logger, method, event)
    return orjson.dumps(event, default=str, option=orjson.OPT_UTC_Z)
