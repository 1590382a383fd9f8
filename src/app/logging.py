"""Structured logs through structlog alone: coloured lines for people, JSON lines for machines."""

import logging
import sys
from collections.abc import MutableMapping
from datetime import UTC, datetime
from typing import Any

import orjson
import structlog
from fastapi.exceptions import ResponseValidationError

from app.config import Settings
from app.request_state import correlation_id_of_context

LOGGED = "logged_by_plinth"  # an attribute of an exception that has been

_processors: list[structlog.typing.Processor] = []  # loggers keep it from their first use on
_access = structlog.get_logger("app.access")
_says_info = True


def configure_logging(settings: Settings) -> None:
    global _says_info  # noqa: PLW0603 - of the process, as its standard output is
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    _says_info = level <= logging.INFO
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        _add_correlation_id,
        structlog.processors.add_log_level,
    ]
    factory: Any
    if settings.json_logs:
        processors: list[structlog.typing.Processor] = [*shared, _to_json]
        factory = structlog.BytesLoggerFactory(sys.stdout.buffer)
        logging.getLogger().addHandler(_structured)
        server = logging.getLogger("uvicorn")
        server.handlers, server.propagate = [], True
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
    logging.getLogger("uvicorn.error").addFilter(_is_new)
    logging.getLogger("asyncpg").setLevel(logging.ERROR)


class StructuredHandler(logging.Handler):
    """Makes a line like ours of what a library logs, with its traceback if there is one."""

    def emit(self, record: logging.LogRecord) -> None:
        details = {"exc_info": record.exc_info} if record.exc_info else {}
        level = record.levelno // 10 * 10  # structlog knows no others
        log = structlog.get_logger(record.name)
        log.log(level, record.getMessage().strip(), logger=record.name, **details)


_structured = StructuredHandler()


def log_defect(event: str, error: BaseException) -> None:
    """Log an exception with its traceback, once: it is raised on, and a server would log it too."""
    if LOGGED in vars(error):
        return
    structlog.get_logger(__name__).error(event, exc_info=_without_values(mark_logged(error)))


def mark_logged[Error: BaseException](error: Error) -> Error:
    """Say that the log has all that there is to know about it."""
    vars(error)[LOGGED] = True
    return error


def _without_values(error: BaseException) -> BaseException:
    """What FastAPI says of a result that its model does not fit repeats the result."""
    if not isinstance(error, ResponseValidationError):
        return error
    found = [f"{'.'.join(map(str, each['loc']))}: {each['type']}" for each in error.errors()]
    told = TypeError(f"The result is not what the route declares: {', '.join(found)}")
    return told.with_traceback(error.__traceback__)


def _is_new(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    return error is None or LOGGED not in vars(error)


def log_request(**event: Any) -> None:
    """The line of one request, at level info.

    As JSON it is written past the loggers, whose way to the same bytes takes four times as long.
    """
    if not _processors or _processors[-1] is not _to_json or not _says_info:
        _access.info("request", **event)
    else:
        event |= {"event": "request", "level": "info"}
        output = sys.stdout.buffer
        output.write(_to_json(None, "info", event) + b"\n")
        output.flush()


def _add_correlation_id(_: Any, __: str, event: MutableMapping[str, Any]) -> Any:
    if found := correlation_id_of_context.get(None):
        event["correlation_id"] = found
    return event


# Without local variables, one of which may be a password.
_traceback = structlog.processors.ExceptionRenderer(
    structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
)


def _to_json(logger: Any, method: str, event: MutableMapping[str, Any]) -> bytes:
    event["timestamp"] = datetime.now(UTC)
    if "exc_info" in event:
        event = _traceback(logger, method, event)
    return orjson.dumps(event, default=str, option=orjson.OPT_UTC_Z)
