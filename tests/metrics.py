"""Holds every log line of the tests that carries a metric to infra/monitoring: declared, and heard by its filter."""

import json
from typing import Any

from infra.monitoring.log_metrics import LOG_METRICS
from infra.monitoring.matching import matches
from infra.monitoring.metrics import BY_NAME, METRICS, Kind
from shared.kit import logging

# What every line may carry beside its labels is told by the work in hand.
_LABELS = {
    name: set[str]().union(*(m.labels for m in METRICS if name in m.read_from)) for m in METRICS for name in m.read_from
}
_COUNTERS = {metric.name for metric in METRICS if metric.kind is Kind.COUNTER}


class MetricLines:
    """Hears the log from now on and keeps what is wrong with it."""

    def __init__(self) -> None:
        self.wrong: list[str] = []
        self.stop = logging.listen(self._hear)

    def _hear(self, line: str) -> None:
        if '"metric"' in line:
            self.wrong += wrong_with(json.loads(line))


def wrong_with(line: dict[str, Any]) -> list[str]:
    """What of this line nobody declared, or no filter of ours would hear."""
    name = line.get("metric")
    if name not in _LABELS:
        return [f"infra/monitoring/metrics.py does not declare {name!r}"]
    found = [f"{name} comes without its label {label!r}" for label in _LABELS[name] if label not in line]
    if not isinstance(line.get("value"), int | float):
        found.append(f"{name} comes without a value")
    if name in _COUNTERS and line["value"] != 1:
        found.append(f"{name} counts lines, and one says {line['value']}")
    entry = {"resource": {"type": "cloud_run_revision"}, "jsonPayload": line}
    for metric in METRICS:
        if name in metric.read_from and metric.field in line:
            deaf = [each["name"] for each in LOG_METRICS[metric.name] if not matches(each["filter"], entry)]
            found += [f"the filter of {each} does not hear {name}" for each in deaf]
    return found


class Told:
    """The metrics that a test's actions logged."""

    def __init__(self) -> None:
        self._lines: list[dict[str, Any]] = []
        self.stop = logging.listen(lambda line: self._lines.append(json.loads(line)))

    def of(self, name: str) -> list[dict[str, Any]]:
        """The labels of each line of this metric, in order; its value stands among them, unless it is a duration."""
        kept = [*_LABELS[name], *([] if BY_NAME[name].unit == "ms" else ["value"])]
        return [{field: line[field] for field in kept} for line in self.lines(name)]

    def lines(self, name: str) -> list[dict[str, Any]]:
        """The lines of this metric, whole."""
        return [line for line in self._lines if line.get("metric") == name]
