"""Cross-origin requests from the configured origins; a refusal has the shape of every error."""

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp

from app.config import Settings
from app.exception_handlers import problem
from app.exceptions import BadRequest
from app.request_state import correlation_id_of_context

READ = [
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "Last-Event-ID",
    "X-Correlation-ID",
]
EXPOSED = ["ETag", "Link", "Location", "Retry-After", "WWW-Authenticate", "X-Correlation-ID"]


class ProblemCORSMiddleware(CORSMiddleware):
    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        super().__init__(
            app,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=[*READ, *settings.cors_headers],
            allow_credentials=settings.cors_credentials,
            expose_headers=EXPOSED,
        )

    def preflight_response(self, request_headers: Headers) -> Response:
        response = super().preflight_response(request_headers)
        if response.status_code < 400:
            return response
        error = BadRequest(bytes(response.body).decode())
        refusal = problem(error, correlation_id_of_context.get())
        refusal.headers["Vary"] = "Origin"
        return refusal
