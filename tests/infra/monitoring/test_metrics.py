"""The code logs the metrics that infra/monitoring declares, all of them and no others."""

import ast
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from infra.local.paths import CHECKOUT
from infra.monitoring.log_metrics import LOG_METRICS
from infra.monitoring.matching import NotOurFilter, matches
from infra.monitoring.metrics import BY_NAME, METRICS, Kind
from shared.kit import logging
from tests.metrics import wrong_with

LINES = {name: [m for m in METRICS if name in m.read_from] for m in METRICS for name in m.read_from}


@dataclass(frozen=True)
class Logged:
    """A place in the code that logs a metric, with the fields beside its name."""

    place: str
    name: str
    fields: frozenset[str]
    by_metric: bool


def logged() -> Iterator[Logged]:
    """Every call of `metric()`, every call and dict with `metric` as a word."""
    for folder in ("functions", "shared"):
        for file in sorted(set((CHECKOUT / folder).rglob("*.py")) - {Path(logging.__file__)}):
            for node in ast.walk(ast.parse(file.read_text())):
                place = f"{file.relative_to(CHECKOUT)}:{getattr(node, 'lineno', 0)}"
                if isinstance(node, ast.Call):
                    words = {word.arg: word.value for word in node.keywords if word.arg}
                    by_metric = getattr(node.func, "id", "") == "metric"
                    name = node.args[0] if by_metric else words.get("metric")
                elif isinstance(node, ast.Dict):
                    pairs = zip(node.keys, node.values, strict=True)
                    words = {key.value: value for key, value in pairs if isinstance(key, ast.Constant)}
                    by_metric, name = False, words.get("metric")
                else:
                    continue
                if name is not None:
                    assert isinstance(name, ast.Constant), f"{place} does not name its metric outright"
                    yield Logged(place, str(name.value), frozenset(words), by_metric)


def test_the_code_logs_what_is_declared_and_nothing_else():
    assert {each.name for each in logged()} == set(LINES)


def test_a_metric_comes_with_its_labels_and_no_others():
    for each in logged():
        labels = set().union(*(metric.labels for metric in LINES[each.name]))
        assert each.fields >= labels, each.place
        assert not each.by_metric or each.fields == labels, each.place


def test_names_and_labels_say_nothing_personal_and_are_few():
    for metric in METRICS:
        assert not any(logging.is_sensitive(word) for word in metric.labels), metric.name
        assert len(metric.labels) <= 3, metric.name
        assert not {"request_id", "user_id", "store_id", "event_id", "order_id"} & set(metric.labels)
        assert metric.meaning.endswith(".")
        assert (metric.kind is Kind.COUNTER) == (metric.bounds == ()), metric.name
        assert list(metric.bounds) == sorted(metric.bounds)
    assert len(BY_NAME) == len(METRICS)


@pytest.mark.parametrize("name", sorted(LINES))
def test_the_line_that_is_written_is_heard_by_its_filters_and_no_others(name, capsys):
    heard: list[str] = []
    labels = {label: "some" for metric in LINES[name] for label in metric.labels}
    stop = logging.listen(heard.append)
    logging.metric(name, 1, **labels)
    stop()

    [line] = [json.loads(text) for text in heard]
    entry = {"resource": {"type": "cloud_run_revision"}, "jsonPayload": line}
    hearing = {m for m, several in LOG_METRICS.items() for each in several if matches(each["filter"], entry)}
    assert hearing == {metric.name for metric in LINES[name] if metric.field == "value"}
    assert wrong_with(line) == []


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ({"metric": "luck", "value": 1}, "infra/monitoring/metrics.py does not declare 'luck'"),
        ({"metric": "rate_limited", "value": 1}, "rate_limited comes without its label 'limit'"),
        ({"metric": "email_down", "value": 2}, "email_down counts lines, and one says 2"),
        ({"metric": "outbox_pending", "value": -1}, "the filter of outbox_pending does not hear outbox_pending"),
    ],
)
def test_a_line_that_is_wrong_is_told(line, wrong):
    assert wrong_with(line) == [wrong]


def test_a_filter_that_says_more_is_not_taken_for_one_that_holds():
    with pytest.raises(NotOurFilter):
        matches('jsonPayload.metric!="request"', {})
