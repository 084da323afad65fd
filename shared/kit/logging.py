"""One JSON line per event on stdout, in the shape that Cloud Logging reads, with secrets and people left out."""

import logging
import re
import sys
from collections.abc import Callable, MutableMapping
from functools import lru_cache
from typing import Any

import structlog

from shared.kit import clock, context
from shared.kit.config import CommonSettings

REDACTED = "[redacted]"

# Whole words of a field's name, in the singular, that mark its value as secret or personal.
_SENSITIVE_WORDS = frozenset(
    {
        *("password", "passwd", "pwd", "hash", "secret", "token", "cookie", "authorization", "jwt", "signature"),
        *("otp", "otpauth", "mfa", "pin", "cvv", "cvc", "pan", "card", "cardholder", "iban", "credential", "key"),
        *("email", "phone", "name", "recipient", "address", "street", "line1", "line2"),
        *("lat", "lng", "latitude", "longitude", "geom", "postal", "note", "memo", "body", "text", "content"),
        *("extracted", "payload", "backup", "digest", "fingerprint", "last4", "exp", "nonce", "url"),
    }
)
_WORD = re.compile("[A-Z0-9]+(?![a-z])|[A-Z]?[a-z0-9]+")
# Names that hold no such word and are secret all the same: Square's one-time token for a card.
_SENSITIVE_NAMES = frozenset({"source_id"})
# Names that hold a sensitive word but say nothing of a person or a secret.
_HARMLESS = frozenset({"function_name", "event_name", "job_name", "dedupe_key", "body_bytes"})

Fields = MutableMapping[str, Any]


@lru_cache(maxsize=2_048)
def is_sensitive(field: str) -> bool:
    """Whether a field of this name may not be logged, in snake_case, camelCase or as a header, singular or plural."""
    words = [word.lower() for word in _WORD.findall(field)]
    name = "_".join(words)
    return name in _SENSITIVE_NAMES or (name not in _HARMLESS and any(map(_is_sensitive_word, words)))


def _is_sensitive_word(word: str) -> bool:
    singulars = {word, word.removesuffix("s"), word.removesuffix("es"), re.sub("ies$", "y", word)}
    return not _SENSITIVE_WORDS.isdisjoint(singulars)


def redact(value: Any) -> Any:
    """The same structure with the values of sensitive fields replaced."""
    if isinstance(value, dict):
        return {key: REDACTED if is_sensitive(str(key)) else redact(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [redact(inner) for inner in value]
    return value


def _redact_event(_: Any, __: str, event: Fields) -> Fields:
    return {key: REDACTED if is_sensitive(key) else redact(value) for key, value in event.items()}


def _add_context(_: Any, __: str, event: Fields) -> Fields:
    work = context.work()
    known = {
        "request_id": work.request_id,
        "function": work.function,
        "user_id": work.user_id and str(work.user_id),
        "store_id": work.store_id and str(work.store_id),
        "action": work.action,
    }
    for key, value in known.items():
        if value is not None:
            event.setdefault(key, value)
    if work.trace_id:
        project = CommonSettings.current().gcp_project
        event["logging.googleapis.com/trace"] = f"projects/{project}/traces/{work.trace_id}"
    return event


def _shape(_: Any, method: str, event: Fields) -> Fields:
    event["severity"] = {"warn": "WARNING", "exception": "ERROR"}.get(method, method.upper())
    event["message"] = event.pop("event")
    event["time"] = clock.now().isoformat().replace("+00:00", "Z")
    return event


def _stack(_: Any, __: str, event: Fields) -> Fields:
    """Name the error and where it was raised; its own message may hold data and stays out."""
    error = event.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()[1]
    if isinstance(error, BaseException):
        frames = []
        trace = error.__traceback__
        while trace is not None:
            frames.append(f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}")
            trace = trace.tb_next
        event["error_type"] = type(error).__name__
        told: tuple[Any, ...] = getattr(getattr(error, "orig", None), "args", None) or ({},)
        if isinstance(told[0], dict) and "C" in told[0]:
            event["sqlstate"], event["constraint"] = told[0]["C"], told[0].get("n")
        event["stack"] = frames[-12:]
    return event


_sinks: list[Callable[[str], None]] = []
_muted = False


class _Line:
    """Writes whole lines to stdout as it is now (tests replace it), and to any listener."""

    def msg(self, message: str) -> None:
        for sink in _sinks:
            sink(message)
        if not _muted:
            sys.stdout.write(message + "\n")
            sys.stdout.flush()

    debug = info = warning = warn = error = critical = exception = fatal = msg


def mute() -> None:
    """Write no more lines to stdout; listeners still hear them. For programs whose stdout is for people."""
    global _muted
    _muted = True


def listen(sink: Callable[[str], None]) -> Callable[[], None]:
    """Hand every log line to `sink` as well; call the result to stop. For tests and the local stack."""
    _sinks.append(sink)
    return lambda: _sinks.remove(sink)


structlog.configure(
    processors=[_stack, _add_context, _redact_event, _shape, structlog.processors.JSONRenderer(default=str)],
    wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
    logger_factory=lambda *_: _Line(),
    cache_logger_on_first_use=True,
)

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


def metric(name: str, value: float = 1, **labels: str | int) -> None:
    """A measured value as a log line, from which Cloud Monitoring makes a metric."""
    log.info("metric", metric=name, value=value, **labels)
