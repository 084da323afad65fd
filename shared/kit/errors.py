"""What can go wrong for a caller: each error is a fact with a code, a status and a message.

The codes and statuses are those of the HTTP conventions; nothing else is ever sent.
"""

from typing import Any


class ApiError(Exception):
    """An answer other than success. `details` is an object the caller may act on."""

    code = "INTERNAL_ERROR"
    status = 500
    default_message = "Something went wrong on our side."

    def __init__(
        self,
        message: str | None = None,
        *,
        details: dict[str, Any] | None = None,
        retry_after_s: int | None = None,
    ) -> None:
        self.message = message or self.default_message
        self.details = details
        self.retry_after_s = retry_after_s
        super().__init__(self.message)


class InvalidRequest(ApiError):
    code = "VALIDATION_ERROR"
    status = 400
    default_message = "The request is not valid."

    @classmethod
    def field(cls, path: str, message: str) -> "InvalidRequest":
        """One named field is wrong."""
        return cls(details={"fields": [{"path": path, "message": message}]})


class IdempotencyKeyRequired(ApiError):
    code = "IDEMPOTENCY_KEY_REQUIRED"
    status = 400
    default_message = "Send an Idempotency-Key header of 1 to 255 printable ASCII characters."


class Unauthorized(ApiError):
    code = "UNAUTHORIZED"
    status = 401
    default_message = "Sign in to continue."
    reason = "not_signed_in"
    """Which proof was missing or wrong, in one word of a fixed few, for the metric."""


class Forbidden(ApiError):
    code = "FORBIDDEN"
    status = 403
    default_message = "You may not do this."


class NotFound(ApiError):
    code = "NOT_FOUND"
    status = 404
    default_message = "There is no such thing here."


class MethodNotAllowed(ApiError):
    code = "METHOD_NOT_ALLOWED"
    status = 405
    default_message = "This address does not answer that method."


class Conflict(ApiError):
    code = "CONFLICT"
    status = 409
    default_message = "This conflicts with what is already there."


class IdempotencyKeyReused(ApiError):
    code = "IDEMPOTENCY_KEY_REUSED"
    status = 409
    default_message = "This Idempotency-Key was used with a different request."


class IdempotencyInProgress(ApiError):
    code = "IDEMPOTENCY_IN_PROGRESS"
    status = 409
    default_message = "The first request with this Idempotency-Key is still being worked on."


class PayloadTooLarge(ApiError):
    code = "PAYLOAD_TOO_LARGE"
    status = 413
    default_message = "The body is too large."


class UnsupportedMediaType(ApiError):
    code = "UNSUPPORTED_MEDIA_TYPE"
    status = 415
    default_message = "Send the body as application/json."


class StateConflict(ApiError):
    code = "STATE_CONFLICT"
    status = 422
    default_message = "This is not possible in the present state."


class RateLimitExceeded(ApiError):
    code = "RATE_LIMIT_EXCEEDED"
    status = 429
    default_message = "Too many requests; try again later."


class InternalError(ApiError):
    pass


class DependencyDown(ApiError):
    code = "DEPENDENCY_ERROR"
    status = 503
    default_message = "A service that this depends on does not answer; try again shortly."

    def __init__(
        self, message: str | None = None, *, details: dict[str, Any] | None = None, retry_after_s: int = 2
    ) -> None:
        super().__init__(message, details=details, retry_after_s=retry_after_s)
