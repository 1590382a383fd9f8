"""What the database refused, in the application's own errors: by SQLSTATE, never by its words."""

from functools import cache

import asyncpg
import structlog
from sqlalchemy import CheckConstraint, Column, Constraint, Index, Table
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm.exc import StaleDataError
from sqlalchemy.sql.schema import ColumnCollectionConstraint

from app.core.models import Base, Owned
from app.exceptions import (
    AppError,
    Conflict,
    FieldError,
    Invalid,
    LockTimeout,
    ServiceUnavailable,
    TransientFailure,
)

CONFLICTS = {
    "23505": ("unique", "is already taken"),
    "23P01": ("exclusion", "overlaps with another"),
    "23503": ("reference", "refers to something that is not there, or is still referred to"),
}
INVALID = {"23502": "missing", "23514": "check"}  # and all of class 22, and 21000
RETRY = {
    "40001",  # serialization failure
    "40P01",  # deadlock
    "57P01",  # the administrator ended the connection
    "57P02",  # crash of another backend
    "0A000",  # a cached plan no longer fits the table
}
LOCK_TIMEOUT = "55P03"
UNAVAILABLE = {
    "57014",  # statement timeout
    "57P03",  # starting up or shutting down
    "53100",  # disk full
    "53200",  # out of memory
    "53300",  # too many connections
    "25006",  # read-only: a standby, or a primary on its way down
    "25P03",  # idle in a transaction for too long
    "57P05",  # idle for too long
}

_log = structlog.get_logger(__name__)


def translate(error: BaseException, *, lost: bool) -> AppError | None:
    """The error to raise in place of the driver's, or None for what is a defect of ours.

    `lost` says that the connection did not outlive the error.
    """
    if isinstance(error, asyncpg.PostgresError):
        return _from_sqlstate(error)
    if isinstance(error, TimeoutError):
        return ServiceUnavailable()
    if lost and isinstance(error, asyncpg.InterfaceError):
        return TransientFailure()
    # The last one: the connection was cut in the middle of a message.
    if isinstance(error, OSError | asyncpg.InternalClientError):
        return TransientFailure()
    return None


def translate_sqlalchemy(error: SQLAlchemyError) -> AppError | None:
    """The same for what an ORM session raises, which its user may have caught before.

    A stale version is a Conflict: what failed is no condition of the client's own (RFC 9110,
    15.5.13), and repeating the request may go well.
    """
    if isinstance(error, StaleDataError):
        return Conflict("It has changed since it was read: read it again, and repeat the change")
    if isinstance(error, DBAPIError) and error.driver_exception is not None:
        return translate(error.driver_exception, lost=error.connection_invalidated)
    return None


def _from_sqlstate(error: asyncpg.PostgresError) -> AppError | None:
    state = error.sqlstate or ""
    if state in CONFLICTS:
        code, message = CONFLICTS[state]
        fields = _fields(error.constraint_name)
        errors = [FieldError(("body", field), f"{field} {message}", code) for field in fields]
        detail = f"{' and '.join(fields)} {message}" if fields else None
        conflict = Conflict(detail, errors=errors)
        conflict.constraint = error.constraint_name
        return conflict
    if state in INVALID or state.startswith("22") or state == "21000":
        # Validation should have caught it: the operator is told, with no value.
        _log.warning("database_refused_value", sqlstate=state, constraint=error.constraint_name)
        named = (error.column_name,) if error.column_name else _fields(error.constraint_name)
        code = INVALID.get(state, "value")
        return Invalid(
            errors=[FieldError(("body", field), "is not acceptable", code) for field in named]
        )
    if state in RETRY or state.startswith("08"):
        return TransientFailure()
    if state == LOCK_TIMEOUT:
        return LockTimeout()
    if state in UNAVAILABLE:
        return ServiceUnavailable()
    return None


def _fields(constraint: str | None) -> tuple[str, ...]:
    return _constraints().get(constraint or "", ())


@cache
def _constraints() -> dict[str, tuple[str, ...]]:
    """The fields of each constraint and unique index; the owner goes without saying."""
    found: dict[str, tuple[str, ...]] = {}
    for table in Base.metadata.tables.values():
        named: list[Constraint | Index] = [*table.constraints, *table.indexes]
        for constraint in named:
            columns = [column.name for column in _columns(table, constraint)]
            fields = [name for name in columns if name not in Owned.__annotations__]
            found[str(constraint.name)] = tuple(fields or columns)
    return found


def _columns(table: Table, constraint: Constraint | Index) -> list[Column[object]]:
    if isinstance(constraint, ColumnCollectionConstraint | Index) and len(constraint.columns):
        return list(constraint.columns)
    if isinstance(constraint, CheckConstraint):  # named after its field where it is text
        name = str(constraint.name).removeprefix(f"ck_{table.name}_")
        return [column for column in table.columns if column.name == name]
    return []
