"""Every metric there is: a log line with `metric`, `value` and labels, from which Cloud Monitoring makes numbers.

The code may log no other, and logs each of these; the tests hold it to that. Labels have few values each, and none
says anything of a person: what is particular (a request, a store, an event) stands in the line beside them.
"""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What becomes of the lines."""

    COUNTER = "counter"
    """Lines are counted; their value is always 1."""
    DISTRIBUTION = "distribution"
    """Values are kept as a distribution, and lines counted beside it, as `<name>_count`."""
    GAUGE = "gauge"
    """The state of something at a time. Logs make no gauges, so it is a distribution of few values, of which the
    largest in a while counts."""


# Upper bounds of the buckets in which values are kept. What an alert compares with is a bound, since within a bucket
# nobody knows where a value lies.
_MILLISECONDS = (5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 300_000, 900_000)
_SECONDS = (1, 2, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600, 21_600, 86_400)
_COUNTS = (0.5, 1.5, 2.5, 5.5, 10.5, 20.5, 50.5, 100.5, 1_000.5, 10_000.5, 100_000.5)
_SHARES = (0.1, 0.25, 0.5, 0.75, 0.9, 0.99)


@dataclass(frozen=True)
class Metric:
    """A metric. `unit` as Cloud Monitoring writes it (UCUM); `lines` and `field` where its name and `value` are not
    those of a line of its own."""

    name: str
    kind: Kind
    unit: str
    labels: tuple[str, ...]
    meaning: str
    bounds: tuple[float, ...] = ()
    lines: tuple[str, ...] = ()
    field: str = "value"

    @property
    def read_from(self) -> tuple[str, ...]:
        """What `metric` says in the lines that it is read from."""
        return self.lines or (self.name,)


def _counter(name: str, labels: tuple[str, ...], meaning: str) -> Metric:
    return Metric(name, Kind.COUNTER, "1", labels, meaning)


def _took(name: str, labels: tuple[str, ...], meaning: str) -> Metric:
    return Metric(name, Kind.DISTRIBUTION, "ms", labels, meaning, _MILLISECONDS)


def _number(name: str, labels: tuple[str, ...], meaning: str) -> Metric:
    return Metric(name, Kind.GAUGE, "1", labels, meaning, _COUNTS)


METRICS: tuple[Metric, ...] = (
    # Requests.
    _took("request", ("method", "route", "status"), "A request, by route and status, and how long it took."),
    _counter("auth_failed", ("cause",), "A request was refused because who sent it was not proved, and why."),
    _counter("rate_limited", ("limit",), "A request was refused because a limit was used up."),
    # Commerce.
    Metric("quote_items", Kind.DISTRIBUTION, "1", ("status",), "A quote, and how many items got a status.", _COUNTS),
    Metric("quote_warnings", Kind.DISTRIBUTION, "1", ("type",), "A quote, and how often it warns of what.", _COUNTS),
    Metric(
        "checkout_converted", Kind.DISTRIBUTION, "1", (), "A checkout, and how many orders it made.", bounds=_COUNTS
    ),
    _counter("checkout_conflict", ("reason",), "A checkout was refused because the world had moved since its quote."),
    Metric(
        "reservation_failed",
        Kind.DISTRIBUTION,
        "1",
        (),
        "A checkout, and how many of its lines found no stock.",
        _COUNTS,
    ),
    _counter("order_moved", ("action", "source", "to"), "An order came into another status."),
    _number("payments_stuck", ("stage",), "Payments that have waited three days since delivery, and for what."),
    _counter("order_ttl_failed", (), "An order's window was over, and ending it failed."),
    _counter("store_erasure_failed", (), "A store was deleted a month ago, and erasing it failed."),
    # Events and files.
    _number("outbox_pending", (), "Events that wait to be published."),
    Metric("outbox_oldest_s", Kind.GAUGE, "s", (), "The age of the oldest event that waits.", bounds=_SECONDS),
    _took("publish", ("event_type", "outcome"), "An attempt to publish an event: published, retried or dead."),
    _took(
        "delivery",
        ("consumer", "event_type", "outcome"),
        "A delivery to a consumer: done, repeated, ignored, refused (it comes again), dead, or what became of a file.",
    ),
    _counter("dead_letter", ("consumer",), "An event or message was given up on, by a consumer or the outbox."),
    # Jobs.
    _took("job_run", ("job", "outcome"), "A scheduled function ran: succeeded or failed. The last one is the newest."),
    _number("invariant_violations", ("check",), "Rows that are not as they must be, by what was looked at."),
    _counter("invariant_unchecked", ("check",), "An invariant could not be looked at."),
    # Instances and what they depend on.
    _counter("instance_started", ("started",), "An instance of a function started."),
    Metric(
        "database_pool_use",
        Kind.GAUGE,
        "1",
        (),
        "The share of an instance's other database connections in use when one was taken.",
        _SHARES,
        lines=("request", "delivery", "job_run"),
        field="pool_use",
    ),
    _counter("database_pool_exhausted", (), "A request waited for a database connection in vain."),
    _counter("square_down", ("operation",), "Square did not answer a call, also not when repeated."),
    _counter("square_auth_failed", (), "Square does not know us."),
    _counter("maps_down", ("operation",), "Google Maps did not answer a question."),
    _counter("maps_over_limit", (), "Google Maps answers no more questions for now: a quota is used up."),
    _counter("maps_refused", (), "Google Maps does not know us."),
    _counter("email_refused", ("template",), "A mail was refused for good."),
    _counter("email_down", (), "The mail service did not take a mail; it is tried again."),
    _counter("email_auth_failed", (), "The mail service does not know us."),
)

BY_NAME = {metric.name: metric for metric in METRICS}
