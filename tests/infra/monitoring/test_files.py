"""The files of infra/monitoring are what Cloud Monitoring takes, and name nothing that is not there."""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from google.cloud.logging_v2.types import LogMetric
from google.cloud.monitoring_dashboard_v1 import Dashboard
from google.cloud.monitoring_v3 import AlertPolicy

from infra.manifest import Manifest, ScheduleTrigger, load_all
from infra.monitoring import __main__ as command
from infra.monitoring.agreeing import agrees, told_by
from infra.monitoring.alerts import ALERTS, CannotWatch, job_alert, period_of
from infra.monitoring.metrics import METRICS

FOLDER = command.FOLDER
KINDS = {"log_metrics": LogMetric, "alerts": AlertPolicy, "dashboards": Dashboard}
FILES = sorted(file for kind in KINDS for file in (FOLDER / kind).glob("*.json"))
MANIFESTS = load_all()


def read(file: Path) -> dict[str, Any]:
    return json.loads(file.read_text())


def log_metrics() -> dict[str, LogMetric]:
    return {file.stem: LogMetric.from_json(file.read_text()) for file in FILES if file.parent.name == "log_metrics"}


def queries(told: Any) -> list[dict[str, Any]]:
    """Every object with a filter, however deep."""
    if isinstance(told, list):
        return [query for each in told for query in queries(each)]
    if not isinstance(told, dict):
        return []
    return ([told] if "filter" in told else []) + [query for each in told.values() for query in queries(each)]


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_a_file_is_what_its_service_takes(file):
    kind = KINDS[file.parent.name]

    taken = kind.from_json(file.read_text(), ignore_unknown_fields=False)

    assert agrees(told_by(taken), read(file))


def test_the_files_are_not_stale(capsys):
    assert (command.main(["--check"]), capsys.readouterr().err) == (0, "")


def test_checking_tells_what_is_stale_and_writing_mends_it(tmp_path, capsys):
    command.main([], tmp_path)
    (tmp_path / "alerts" / "outbox_age.json").write_text("{}\n")
    (tmp_path / "alerts" / "luck.json").write_text("{}\n")

    checked = command.main(["--check"], tmp_path)

    assert checked == 1
    assert capsys.readouterr().err == (
        "infra/monitoring is stale (alerts/luck.json, alerts/outbox_age.json); run `make monitoring`.\n"
    )
    assert command.main([], tmp_path) == 0
    assert command.main(["--check"], tmp_path) == 0
    assert not (tmp_path / "alerts" / "luck.json").exists()


@pytest.mark.parametrize(
    "file", [file for file in FILES if file.parent.name != "log_metrics"], ids=lambda file: file.stem
)
def test_every_metric_label_and_group_of_a_query_exists(file):
    known = log_metrics()
    for query in queries(read(file)):
        for filter_ in filter(None, (query["filter"], query.get("denominatorFilter"))):
            [name] = re.findall(r'metric\.type="logging\.googleapis\.com/user/(\w+)"', filter_)
            labels = {label.key for label in known[name].metric_descriptor.labels}
            asked = set(re.findall(r"metric\.labels\.(\w+)", filter_))
            aggregations = [query.get("aggregation", {}), *query.get("aggregations", [])]
            grouped = {field for each in aggregations for field in each.get("groupByFields", [])}
            assert asked | {g.removeprefix("metric.label.") for g in grouped if g.startswith("metric")} <= labels


def test_a_distribution_is_never_summed_nor_a_count_looked_up_for_its_largest():
    known = log_metrics()
    for file in FILES:
        for query in queries(read(file)) if file.parent.name != "log_metrics" else ():
            [name] = re.findall(r'metric\.type="logging\.googleapis\.com/user/(\w+)"', query["filter"])
            aggregations = [query["aggregation"]] if "aggregation" in query else query["aggregations"]
            is_summed = {each["perSeriesAligner"] for each in aggregations} == {"ALIGN_DELTA"}
            is_count = known[name].metric_descriptor.value_type == 2  # INT64

            assert is_summed == is_count, f"{file.stem}: {name}"


def test_what_an_alert_compares_a_gauge_with_is_a_bound_of_its_buckets():
    bounds = {metric.name: metric.bounds for metric in METRICS}
    for alert in ALERTS:
        for condition in alert.conditions:
            told = condition["conditionThreshold"]
            [name] = re.findall(r"user/(\w+)", told["filter"])
            if told["aggregations"][0]["perSeriesAligner"] != "ALIGN_DELTA":
                assert told["thresholdValue"] in bounds[name], alert.key


def test_every_metric_is_on_a_dashboard():
    shown = {
        name for file in (FOLDER / "dashboards").glob("*.json") for name in re.findall(r"user/(\w+)", file.read_text())
    }

    assert {metric.name for metric in METRICS} <= {name.removesuffix("_count") for name in shown}


def test_every_scheduled_function_has_an_alert():
    scheduled = {each.name for each in MANIFESTS if isinstance(each.trigger, ScheduleTrigger)}

    assert {file.stem.removeprefix("job_") for file in (FOLDER / "alerts").glob("job_*.json")} == scheduled


def a_job(schedule: str) -> Manifest:
    return next(each for each in MANIFESTS if each.name == "cron_retention").model_copy(
        update={"trigger": ScheduleTrigger(kind="schedule", schedule=schedule, time_zone="America/Chicago")}
    )


@pytest.mark.parametrize(
    ("schedule", "period", "looked_back_s", "absent_s"),
    [
        ("* * * * *", timedelta(minutes=1), 60, 300),
        ("0 * * * *", timedelta(hours=1), 60, 7_200),
        ("0 */6 * * *", timedelta(hours=6), 60, 43_200),
        ("30 6 * * *", timedelta(days=1), 90_000, 82_800),
    ],
)
def test_a_job_is_missed_after_twice_its_period(schedule, period, looked_back_s, absent_s):
    job = a_job(schedule)

    [condition] = job_alert(job, job.trigger).conditions

    absence = condition["conditionAbsent"]
    assert period_of(job.trigger) == period
    assert absence["aggregations"][0]["alignmentPeriod"] == f"{looked_back_s}s"
    assert absence["duration"] == f"{absent_s}s"


def test_a_job_too_seldom_to_be_missed_is_refused():
    weekly = a_job("0 3 * * 1")

    with pytest.raises(CannotWatch, match=r"^cron_retention runs so seldom"):
        job_alert(weekly, weekly.trigger)
