"""The errors a use case may raise, and nothing of how they travel.

AppError                        500 INTERNAL_ERROR
├── BadRequest                  400 BAD_REQUEST
├── Unauthorized                401 UNAUTHORIZED
│   └── InvalidCredentials      401 INVALID_CREDENTIALS
├── Forbidden                   403 FORBIDDEN
│   └── ReauthenticationRequired 403 REAUTHENTICATION_REQUIRED
├── NotFound                    404 NOT_FOUND
├── MethodNotAllowed            405 METHOD_NOT_ALLOWED
├── Conflict                    409 CONFLICT
├── PreconditionFailed          412 PRECONDITION_FAILED
├── PayloadTooLarge             413 PAYLOAD_TOO_LARGE
├── UnsupportedMediaType        415 UNSUPPORTED_MEDIA_TYPE
├── Invalid                     422 VALIDATION_ERROR
│   ├── UnknownParameter        422 UNKNOWN_PARAMETER
│   ├── InvalidCursor           422 INVALID_CURSOR
│   └── IdempotencyKeyReused    422 IDEMPOTENCY_KEY_REUSED
├── PreconditionRequired        428 PRECONDITION_REQUIRED
├── RateLimited                 429 RATE_LIMITED
└── ServiceUnavailable          503 SERVICE_UNAVAILABLE
    ├── LockTimeout             503 unless the lock's wait means something else
    └── TransientFailure        503 after the unit of work was retried
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field: where it is, a sentence, and a code for programs."""

    loc: tuple[str | int, ...]
    message: str
    code: str


class AppError(Exception):
    status: int = 500
    error_code: str = "INTERNAL_ERROR"
    default_detail: ClassVar[str] = "Something went wrong on our side"

    def __init__(self, detail: str | None = None, *, errors: Sequence[FieldError] = ()) -> None:
        self.detail = detail or self.default_detail
        self.errors = tuple(errors)
        self.headers: dict[str, str] = {}
        super().__init__(self.detail)


class BadRequest(AppError):
    status, error_code = 400, "BAD_REQUEST"
    default_detail = "The request body is not valid JSON"


class Unauthorized(AppError):
    """`token_sent` says that a token came along and was refused (RFC 6750, section 3)."""

    status, error_code = 401, "UNAUTHORIZED"
    default_detail = "A valid session token is required"

    def __init__(self, detail: str | None = None, *, token_sent: bool = False) -> None:
        super().__init__(detail)
        challenge = 'Bearer error="invalid_token"' if token_sent else "Bearer"
        self.headers["WWW-Authenticate"] = challenge


class InvalidCredentials(Unauthorized):
    error_code = "INVALID_CREDENTIALS"
    default_detail = "The email address or the password is wrong"


class Forbidden(AppError):
    status, error_code = 403, "FORBIDDEN"
    default_detail = "You may not do this"


class ReauthenticationRequired(Forbidden):
    error_code = "REAUTHENTICATION_REQUIRED"
    default_detail = "Give your password again first: POST /api/v1/auth/reauthenticate"


class NotFound(AppError):
    status, error_code = 404, "NOT_FOUND"
    default_detail = "There is nothing here"


class MethodNotAllowed(AppError):
    status, error_code = 405, "METHOD_NOT_ALLOWED"

    def __init__(self, allowed: Sequence[str]) -> None:
        methods = ", ".join(sorted(allowed))
        super().__init__(f"This path answers to: {methods}")
        self.headers["Allow"] = methods


class Conflict(AppError):
    """`constraint` is the database's name of what was violated, which no answer shows."""

    constraint: str | None = None
    status, error_code = 409, "CONFLICT"
    default_detail = "The request conflicts with the current state"


class PreconditionFailed(AppError):
    status, error_code = 412, "PRECONDITION_FAILED"
    default_detail = "It has changed since: read it again, and send the ETag of that answer"


class PayloadTooLarge(AppError):
    status, error_code = 413, "PAYLOAD_TOO_LARGE"

    def __init__(self, limit: int) -> None:
        super().__init__(f"The body may hold at most {limit} bytes")


class UnsupportedMediaType(AppError):
    status, error_code = 415, "UNSUPPORTED_MEDIA_TYPE"
    default_detail = "Send the body as application/json"


class Invalid(AppError):
    status, error_code = 422, "VALIDATION_ERROR"
    default_detail = "The request is not valid"


class UnknownParameter(Invalid):
    error_code = "UNKNOWN_PARAMETER"
    default_detail = "The request has a parameter that this path does not take"


class InvalidCursor(Invalid):
    error_code = "INVALID_CURSOR"
    default_detail = (
        "The cursor belongs to another list, order, filter or user, or is damaged: start again "
        "without it"
    )

    def __init__(self) -> None:
        message = "is not a cursor of this list"
        super().__init__(errors=[FieldError(("query", "cursor"), message, "invalid_cursor")])


class IdempotencyKeyReused(Invalid):
    error_code = "IDEMPOTENCY_KEY_REUSED"
    default_detail = "The Idempotency-Key was sent before with another request: use a new one"


class PreconditionRequired(AppError):
    status, error_code = 428, "PRECONDITION_REQUIRED"
    default_detail = "Send the ETag of what you have read as If-Match"


class RateLimited(AppError):
    """`retry_after`: whole seconds until another attempt is judged."""

    status, error_code = 429, "RATE_LIMITED"

    def __init__(self, retry_after: int, detail: str | None = None) -> None:
        super().__init__(detail or f"Too many attempts: try again in {retry_after} s")
        self.headers["Retry-After"] = str(retry_after)


class ServiceUnavailable(AppError):
    status, error_code = 503, "SERVICE_UNAVAILABLE"
    default_detail = "The service is not available right now: try again shortly"

    def __init__(self, detail: str | None = None, *, retry_after: int = 1) -> None:
        super().__init__(detail)
        self.headers["Retry-After"] = str(retry_after)


class LockTimeout(ServiceUnavailable):
    """Another transaction held for too long what this one had to wait for."""


class TransientFailure(ServiceUnavailable):
    """Nothing was committed, and the same unit of work may well succeed when run again."""
