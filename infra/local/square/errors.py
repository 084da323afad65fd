"""Square's refusals, in Square's shape (types Error, ErrorCategory and ErrorCode of its API)."""

from typing import Any


class SquareError(Exception):
    """A refusal: HTTP status, category, code, and the field that is wrong."""

    def __init__(self, status: int, category: str, code: str, detail: str, field: str | None = None) -> None:
        super().__init__(f"{code}: {detail}")
        self.status = status
        self.category = category
        self.code = code
        self.detail = detail
        self.field = field

    @property
    def body(self) -> dict[str, Any]:
        """What is sent."""
        told = {"category": self.category, "code": self.code, "detail": self.detail}
        return {"errors": [told | ({"field": self.field} if self.field else {})]}


def unauthorized() -> SquareError:
    return SquareError(401, "AUTHENTICATION_ERROR", "UNAUTHORIZED", "This request could not be authorized.")


def invalid(detail: str, *, code: str = "BAD_REQUEST", field: str | None = None) -> SquareError:
    return SquareError(400, "INVALID_REQUEST_ERROR", code, detail, field)


def missing(field: str) -> SquareError:
    return invalid("Field must be set.", code="MISSING_REQUIRED_PARAMETER", field=field)


def not_found(kind: str, identifier: str, field: str | None = None) -> SquareError:
    return SquareError(404, "INVALID_REQUEST_ERROR", "NOT_FOUND", f"{kind} with ID `{identifier}` not found.", field)


def declined(code: str, detail: str) -> SquareError:
    return SquareError(402, "PAYMENT_METHOD_ERROR", code, detail)


def ordered(fail: dict[str, Any]) -> SquareError:
    """The error that somebody wants to see: `{"status": 503, "category": …, "code": …, "detail": …}`."""
    return SquareError(
        int(fail.get("status", 500)),
        fail.get("category", "API_ERROR"),
        fail.get("code", "INTERNAL_SERVER_ERROR"),
        fail.get("detail", "Told to fail."),
    )


def key_reused() -> SquareError:
    return invalid(
        "Different request parameters used for the same idempotency_key.",
        code="IDEMPOTENCY_KEY_REUSED",
        field="idempotency_key",
    )
