"""Log-based metrics: what Cloud Logging counts and keeps of the lines that our metrics are.

https://cloud.google.com/logging/docs/reference/v2/rest/v2/projects.metrics
"""

from typing import Any

from infra.monitoring.metrics import METRICS, Kind, Metric

Json = dict[str, Any]

RESOURCE = "cloud_run_revision"
"""What a function of the second generation is to Cloud Logging and Cloud Monitoring."""


def type_of(name: str) -> str:
    """The metric as Cloud Monitoring names it."""
    return f"logging.googleapis.com/user/{name}"


def log_metrics_of(metric: Metric) -> list[Json]:
    """The log-based metrics of a metric: one, and for a distribution also one that counts its lines."""
    if metric.kind is Kind.COUNTER:
        return [_counter(metric.name, metric)]
    distribution = _distribution(metric)
    return (
        [distribution, _counter(f"{metric.name}_count", metric)] if metric.kind is Kind.DISTRIBUTION else [distribution]
    )


def _counter(name: str, metric: Metric) -> Json:
    return _log_metric(name, metric, {"valueType": "INT64", "unit": "1"})


def _distribution(metric: Metric) -> Json:
    return _log_metric(metric.name, metric, {"valueType": "DISTRIBUTION", "unit": metric.unit}) | {
        "valueExtractor": f"EXTRACT(jsonPayload.{metric.field})",
        "bucketOptions": {"explicitBuckets": {"bounds": list(metric.bounds)}},
    }


def _log_metric(name: str, metric: Metric, descriptor: Json) -> Json:
    labels = [{"key": label} for label in metric.labels]
    told: Json = {
        "name": name,
        "description": metric.meaning,
        "filter": _filter(metric),
        "metricDescriptor": {"metricKind": "DELTA", **descriptor, **({"labels": labels} if labels else {})},
    }
    if labels:
        told["labelExtractors"] = {label: f"EXTRACT(jsonPayload.{label})" for label in metric.labels}
    return told


def _filter(metric: Metric) -> str:
    names = " OR ".join(f'"{name}"' for name in metric.read_from)
    said = f"({names})" if len(metric.read_from) > 1 else names
    return f'resource.type="{RESOURCE}" AND jsonPayload.metric={said} AND jsonPayload.{metric.field}>=0'


LOG_METRICS: dict[str, list[Json]] = {metric.name: log_metrics_of(metric) for metric in METRICS}
"""By the name of the metric."""
