"""One call to Square: time limit, repeats, what its refusals mean for our callers, and a log line.

The client's own repeats are switched off, because they know neither lost connections nor our time
budget. Every repeat carries the same idempotency key, so that an answer lost on the way costs nothing.
"""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from pydantic import Field

from shared.kit.config import Settings
from shared.kit.errors import DependencyDown, InvalidRequest, StateConflict
from shared.kit.logging import log, metric

if TYPE_CHECKING:
    from square.core.api_error import ApiError
    from square.core.request_options import RequestOptions
    from square.types.error import Error

Answer = TypeVar("Answer")

# What may be logged of an answer; everything else, above all of cards and people, stays out.
_TOLD = frozenset({"id", "status", "version", "type", "start_date", "charged_through_date", "canceled_date"})


class SquareSettings(Settings):
    """Which Square: its environment, or the address of a stand-in; our token and location; time limits.

    One try takes `square_timeout_s` at most; no try begins after `square_budget_s` of one call.
    """

    square_environment: Literal["sandbox", "production"] = "sandbox"
    square_base_url: str = ""
    square_access_token: str
    square_location_id: str
    square_timeout_s: float = Field(default=5.0, gt=0)
    square_attempts: int = Field(default=3, ge=1)
    square_budget_s: float = Field(default=8.0, gt=0)
    square_retry_wait_s: float = Field(default=0.25, ge=0)


class CardDeclined(StateConflict):
    """The card was refused; `details` carries Square's category and code."""

    default_message = "The card was declined."


class SquareRefused(InvalidRequest):
    """Square finds the request wrong; `details` carries its category and code."""

    default_message = "The payment provider refused the request."


class SquareDown(DependencyDown):
    """Square does not answer, has too much to do, or does not know us."""

    default_message = "The payment provider does not answer; try again shortly."


class _TryAgain(Exception):
    """This try came to nothing, another may not."""


def once() -> "RequestOptions":
    """The client's options for a single try."""
    return {"max_retries": 0}


def call(operation: str, send: Callable[[], Answer], **about: str | int | None) -> Answer:
    """What Square answers to `send`. `about` says in the log what it is about: ids, never details.

    Raises CardDeclined, SquareRefused, and SquareDown when time or tries are used up.
    """
    from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, stop_after_delay
    from tenacity import wait_exponential_jitter as backoff

    settings = SquareSettings.current()
    tries = Retrying(
        retry=retry_if_exception_type(_TryAgain),
        stop=stop_after_attempt(settings.square_attempts) | stop_after_delay(settings.square_budget_s),
        wait=backoff(multiplier=settings.square_retry_wait_s, max=2, jitter=settings.square_retry_wait_s),
        reraise=True,
    )
    try:
        answer: Answer = tries(_try, operation, send, about)
    except _TryAgain as error:
        metric("square_down", operation=operation)
        raise SquareDown from error
    return answer


def _try(operation: str, send: Callable[[], Answer], about: dict[str, Any]) -> Answer:
    from httpx import TransportError
    from square.core.api_error import ApiError

    started = time.perf_counter()
    try:
        answer = send()
    except TransportError as error:
        _log(operation, started, about, outcome="lost", error_type=type(error).__name__)
        raise _TryAgain from error
    except ApiError as error:
        first = error.errors[0]
        _log(operation, started, about, status=error.status_code, category=first.category, code=first.code)
        # The client's error holds the whole answer, so nothing is chained to ours.
        raise _meaning(error, first) from None
    _log(operation, started, about, outcome="ok", answer=_told(answer))
    return answer


def _meaning(error: "ApiError", first: "Error") -> Exception:
    """What a refusal is to us. Square's categories: developer.squareup.com/docs/build-basics/handling-errors."""
    status = error.status_code or 0
    if first.category == "AUTHENTICATION_ERROR" or status in {401, 403}:
        log.error("square_refuses_us", code=first.code)
        metric("square_auth_failed")
        return SquareDown()
    if first.category == "RATE_LIMIT_ERROR" or status in {408, 409, 429} or status >= 500 or status < 300:
        return _TryAgain()
    details = {"category": str(first.category), "code": str(first.code)}
    if first.category == "PAYMENT_METHOD_ERROR":
        return CardDeclined(details={"reason": "card_declined", **details})
    return SquareRefused(details=details)


def _log(operation: str, started: float, about: dict[str, Any], **outcome: Any) -> None:
    duration_ms = round((time.perf_counter() - started) * 1000, 1)
    log.info("square_call", operation=operation, duration_ms=duration_ms, **about, **outcome)


def _told(answer: Any) -> dict[str, Any]:
    """The harmless part of an answer: ids, states and dates of what it holds."""
    objects = answer.model_dump(exclude_none=True) if hasattr(answer, "model_dump") else {}
    return {
        name: {field: value for field, value in held.items() if field in _TOLD}
        for name, held in objects.items()
        if isinstance(held, dict)
    }
