"""Alert policies: what wakes somebody, and the runbook that says what to do then.

https://cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.alertPolicies
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from croniter import croniter

from infra.manifest import Manifest, ScheduleTrigger
from infra.monitoring.log_metrics import RESOURCE, Json, type_of

# A metric may be absent for so long at most, and a value looked back at.
# https://cloud.google.com/monitoring/alerts/metric-absence; common.proto, Aggregation.alignment_period
_LONGEST_ABSENCE = timedelta(hours=23, minutes=30)
_LONGEST_ALIGNMENT = timedelta(hours=25)
# Lines take a moment to become numbers: what runs every minute is not missed before this.
_SHORTEST_ABSENCE = timedelta(minutes=5)
_MONDAY = datetime(2026, 1, 5, tzinfo=UTC)

_MINUTE, _FIVE_MINUTES, _TEN_MINUTES, _HOUR = 60, 300, 600, 3_600


class CannotWatch(ValueError):
    """Cloud Monitoring does not look back so far."""


@dataclass(frozen=True)
class Alert:
    """An alert: `key` names its file, `runbook` the file in infra/runbooks that says what to do."""

    key: str
    title: str
    runbook: str
    text: str
    conditions: tuple[Json, ...]
    severity: str = "ERROR"
    combiner: str = "OR"

    def policy(self) -> Json:
        """The policy as Cloud Monitoring takes it; who is told is added where it is made."""
        return {
            "displayName": f"PackFinderz: {self.title}",
            "userLabels": {"packfinderz": self.key},
            "documentation": {
                "content": f"{self.text}\n\nWhat to do: [{self.runbook}](infra/runbooks/{self.runbook}.md)",
                "mimeType": "text/markdown",
                "subject": f"PackFinderz: {self.title}",
            },
            "conditions": list(self.conditions),
            "combiner": self.combiner,
            "enabled": True,
            "severity": self.severity,
            "alertStrategy": {"autoClose": "86400s"},
        }


def _filter(metric: str, *labels: str) -> str:
    return " AND ".join([f'metric.type="{type_of(metric)}"', f'resource.type="{RESOURCE}"', *labels])


def _summed(over_s: int, *by: str) -> Json:
    """Lines counted over a while, of all instances together."""
    summed: Json = {
        "alignmentPeriod": f"{over_s}s",
        "perSeriesAligner": "ALIGN_DELTA",
        "crossSeriesReducer": "REDUCE_SUM",
    }
    return summed | ({"groupByFields": list(by)} if by else {})


def _largest(over_s: int, *by: str) -> Json:
    """The largest value of a gauge in a while, which its distribution knows to the bucket."""
    largest: Json = {
        "alignmentPeriod": f"{over_s}s",
        "perSeriesAligner": "ALIGN_PERCENTILE_99",
        "crossSeriesReducer": "REDUCE_MAX",
    }
    return largest | ({"groupByFields": list(by)} if by else {})


def _above(title: str, filter_: str, aggregation: Json, threshold: float, *, for_s: int = 0, **more: object) -> Json:
    return {
        "displayName": title,
        "conditionThreshold": {
            "filter": filter_,
            "aggregations": [aggregation],
            "comparison": "COMPARISON_GT",
            "thresholdValue": threshold,
            "duration": f"{for_s}s",
            "trigger": {"count": 1},
            **more,
        },
    }


_FAILED_REQUESTS = _filter("request_count", 'metric.labels.status=monitoring.regex.full_match("5..")')
_CAUSES = 'metric.labels.cause=monitoring.regex.full_match("credentials|mfa_code|refresh_reused")'

ALERTS: tuple[Alert, ...] = (
    Alert(
        "error_rate",
        "more than 2 % of requests fail",
        "rollback",
        "Of the requests of the last ten minutes more than 2 % were answered by 5xx, and more than five.",
        (
            _above(
                "share of 5xx",
                _FAILED_REQUESTS,
                _summed(_TEN_MINUTES),
                0.02,
                denominatorFilter=_filter("request_count"),
                denominatorAggregations=[_summed(_TEN_MINUTES)],
            ),
            _above("number of 5xx", _FAILED_REQUESTS, _summed(_TEN_MINUTES), 5),
        ),
        severity="CRITICAL",
        combiner="AND",
    ),
    Alert(
        "auth_failures",
        "many sign-ins fail",
        "refusals",
        "Many passwords, codes or refresh tokens were refused within five minutes: somebody is guessing. Or many "
        "access tokens: a key that signed them is gone.",
        (
            _above("passwords, codes, spent tokens", _filter("auth_failed", _CAUSES), _summed(_FIVE_MINUTES), 100),
            _above(
                "access tokens", _filter("auth_failed", 'metric.labels.cause="token"'), _summed(_FIVE_MINUTES), 1_000
            ),
        ),
    ),
    Alert(
        "outbox_age",
        "events wait for more than five minutes",
        "outbox-backlog",
        "The oldest event in the outbox has waited for more than five minutes: nobody is notified, no agent sent.",
        (_above("age of the oldest event", _filter("outbox_oldest_s"), _largest(_FIVE_MINUTES), 300),),
        severity="CRITICAL",
    ),
    Alert(
        "dead_letter",
        "an event was given up on",
        "dead-letters",
        "An event, or a message to a consumer, has become a dead letter: something that was promised is not done.",
        (_above("dead letters", _filter("dead_letter"), _summed(_FIVE_MINUTES, "metric.label.consumer"), 0),),
    ),
    Alert(
        "checkout_conflicts",
        "many checkouts are refused",
        "refusals",
        "More than fifty checkouts within ten minutes met a world that had moved since their quote.",
        (_above("conflicts", _filter("checkout_conflict"), _summed(_TEN_MINUTES, "metric.label.reason"), 50),),
        severity="WARNING",
    ),
    Alert(
        "payments_stuck",
        "a payment is stuck",
        "stuck-payments",
        "Three days after its delivery an order is not paid for, or its vendor has no money.",
        (_above("payments", _filter("payments_stuck"), _largest(2 * _HOUR, "metric.label.stage"), 0.5),),
        severity="WARNING",
    ),
    Alert(
        "crash_loop",
        "instances of a function start over and over",
        "rollback",
        "A function started more than thirty instances within ten minutes, which is more than it may have: they end "
        "as soon as they started.",
        (_above("instances started", _filter("instance_started"), _summed(_TEN_MINUTES, "metric.label.started"), 30),),
        severity="CRITICAL",
    ),
    Alert(
        "pool_saturation",
        "database connections run out",
        "saturation",
        "For ten minutes instances have had next to no free connection to the database, or requests were refused "
        "because there was none.",
        (
            _above(
                "connections in use",
                _filter("database_pool_use"),
                _largest(_FIVE_MINUTES, "resource.label.service_name"),
                0.9,
                for_s=_FIVE_MINUTES,
            ),
            _above("requests refused", _filter("database_pool_exhausted"), _summed(_FIVE_MINUTES), 0),
        ),
    ),
    Alert(
        "invariants",
        "something is not as it must be",
        "broken-invariants",
        "The nightly look at stock, money and mirrors found rows that contradict each other, or could not look.",
        (
            _above("violations", _filter("invariant_violations"), _largest(_HOUR, "metric.label.check"), 0.5),
            _above("not looked at", _filter("invariant_unchecked"), _summed(_HOUR), 0),
        ),
    ),
    Alert(
        "outside_refuses_us",
        "Square, Google Maps or the mail service does not know us",
        "key-rotation",
        "A service refuses our credentials: nothing is charged, no address found, or no mail leaves, until they "
        "are renewed.",
        (
            _above("Square", _filter("square_auth_failed"), _summed(_FIVE_MINUTES), 0),
            _above("Google Maps", _filter("maps_refused"), _summed(_FIVE_MINUTES), 0),
            _above("mail", _filter("email_auth_failed"), _summed(_FIVE_MINUTES), 0),
        ),
        severity="CRITICAL",
    ),
)

# What a job that does not run leads to has a runbook of its own for some.
_JOB_RUNBOOKS = {"cron_publish_outbox": "outbox-backlog", "cron_license_lifecycle": "license-job-missed"}


def job_alert(manifest: Manifest, trigger: ScheduleTrigger) -> Alert:
    """A scheduled function has not succeeded for twice its period. Raises CannotWatch."""
    looked_back, absent = timedelta(minutes=1), max(2 * period_of(trigger), _SHORTEST_ABSENCE)
    # Two days are longer than a metric may be absent. A sum over the last 25 hours is there for 25 hours more.
    if absent > _LONGEST_ABSENCE:
        looked_back, absent = _LONGEST_ALIGNMENT, absent - _LONGEST_ALIGNMENT
    if absent > _LONGEST_ABSENCE:
        raise CannotWatch(f"{manifest.name} runs so seldom that Cloud Monitoring cannot see it missing.")
    run = ('metric.labels.outcome="succeeded"', f'metric.labels.job="{manifest.name}"')
    condition = {
        "displayName": "no run that succeeded",
        "conditionAbsent": {
            "filter": _filter("job_run_count", *run),
            "aggregations": [_summed(int(looked_back.total_seconds()))],
            "duration": f"{int(absent.total_seconds())}s",
            "trigger": {"count": 1},
        },
    }
    return Alert(
        f"job_{manifest.name}",
        f"{manifest.name} does not run",
        _JOB_RUNBOOKS.get(manifest.name, "job-missed"),
        f"{manifest.name} is due {trigger}, and has not ended well for twice the time between two runs.",
        (condition,),
    )


def period_of(trigger: ScheduleTrigger) -> timedelta:
    """The longest time between two runs, in a January, when no clock is put forward."""
    runs = croniter(trigger.schedule, _MONDAY.astimezone(ZoneInfo(trigger.time_zone)))
    due: list[datetime] = [runs.get_next(datetime) for _ in range(20)]
    return max(later - earlier for earlier, later in pairwise(due))


def all_alerts(manifests: list[Manifest]) -> list[Alert]:
    """Every alert: ours, and one for each scheduled function."""
    jobs = [job_alert(each, each.trigger) for each in manifests if isinstance(each.trigger, ScheduleTrigger)]
    return [*ALERTS, *jobs]
