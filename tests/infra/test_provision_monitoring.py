"""What is watched, made and kept in step by the official clients, against a stand-in of the services."""

from collections.abc import Iterator

import pytest

from infra.manifest import load_all
from infra.provision import __main__ as command
from infra.provision.monitoring import Watching, plan
from infra.provision.steps import carry_out
from tests.infra.cloud_watching import CloudWatching, running_cloud

MANIFESTS = load_all()
EMAIL = "operators@packfinderz.example.com"


@pytest.fixture
def cloud() -> Iterator[CloudWatching]:
    with running_cloud() as cloud:
        yield cloud


def provision(cloud: CloudWatching, manifests=MANIFESTS, **told: str) -> list[str]:
    """What was said of the changes made, without what they are."""
    said: list[str] = []
    carry_out(plan(Watching("shop", channel=cloud.channel), manifests, **told), say=said.append)
    return [" ".join(line.split()) for line in said]


def policy(cloud: CloudWatching, key: str):
    return next(each for each in cloud.of("alertPolicies") if each.user_labels["packfinderz"] == key)


def test_metrics_come_before_the_alerts_that_are_made_of_them_and_somebody_is_told(cloud):
    said = provision(cloud, email=EMAIL, runbooks="https://code.example.com/packfinderz")

    kinds = list(dict.fromkeys(line.removeprefix("create ").rpartition(" ")[0] for line in said))
    assert kinds == ["log metric", "dashboard", "channel", "alert"]
    [channel] = cloud.of("notificationChannels")
    outbox = policy(cloud, "outbox_age")
    assert (channel.type_, dict(channel.labels)) == ("email", {"email_address": EMAIL})
    assert list(outbox.notification_channels) == [channel.name]
    assert outbox.conditions[0].condition_threshold.threshold_value == 300
    assert "(https://code.example.com/packfinderz/infra/runbooks/outbox-backlog.md)" in outbox.documentation.content
    assert {each.labels["packfinderz"] for each in cloud.of("dashboards")} == {
        "commerce",
        "async",
        "documents",
        "billing",
    }


def test_a_second_time_there_is_nothing_to_do(cloud):
    first = provision(cloud, email=EMAIL)
    calls = list(cloud.calls)

    again = provision(cloud, email=EMAIL)

    assert len(first) == len(cloud.held) == len(calls)
    assert (again, cloud.calls) == ([], calls)


def test_what_somebody_changed_by_hand_is_changed_back_and_nothing_else(cloud):
    provision(cloud, email=EMAIL)
    policy(cloud, "outbox_age").conditions[0].condition_threshold.threshold_value = 3_000
    cloud.held["projects/shop/metrics/dead_letter"].filter = "severity>=ERROR"
    cloud.of("dashboards")[0].display_name = "Mine"
    cloud.of("notificationChannels")[0].labels["email_address"] = "nobody@example.com"

    said = provision(cloud, email=EMAIL)

    assert sorted(said) == [
        "change alert outbox_age",
        "change channel operators",
        "change dashboard commerce",
        "change log metric dead_letter",
    ]
    assert policy(cloud, "outbox_age").conditions[0].condition_threshold.threshold_value == 300
    assert provision(cloud, email=EMAIL) == []


def test_the_alert_of_a_job_that_is_gone_goes_and_what_is_not_ours_stays(cloud):
    provision(cloud)
    theirs = policy(cloud, "dead_letter")
    theirs.user_labels.clear()

    said = provision(cloud, [each for each in MANIFESTS if each.name != "cron_retention"])

    assert said == ["create alert dead_letter", "remove alert job_cron_retention"]
    assert theirs.name in cloud.held


def test_without_an_address_nobody_is_told_and_with_one_everybody_hears_it(cloud):
    provision(cloud)
    silent = {len(each.notification_channels) for each in cloud.of("alertPolicies")}

    said = provision(cloud, email=EMAIL)

    alerts = len(cloud.of("alertPolicies"))
    assert (silent, cloud.of("notificationChannels")[0].type_) == ({0}, "email")
    assert (said[0], len(said)) == ("create channel operators", 1 + alerts)
    assert {len(each.notification_channels) for each in cloud.of("alertPolicies")} == {1}


def test_a_plan_without_credentials_tells_all_of_it(monkeypatch, capsys, tmp_path):
    monkeypatch.delenv("PUBSUB_EMULATOR_HOST", raising=False)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))

    status = command.main(["--project", "shop", "--dry-run", "--alert-email", EMAIL])

    said = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert status == 0
    assert said[0] == "There are no credentials to look at shop with: this is the plan for an empty project."
    assert {"create log metric request", "create dashboard async", "create channel operators"} <= set(said)
    assert "create alert job_cron_publish_outbox" in said
