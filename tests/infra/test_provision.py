"""Provisioning against an emulator, through the official clients."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from infra.local.pubsub import running_emulator
from infra.manifest import Manifest
from infra.provision import __main__ as command
from infra.provision.pubsub import Clients, Delivery, plan
from infra.provision.steps import carry_out
from shared.events import topics

DELIVERY = Delivery(endpoint="http://localhost:8080/_functions/{name}")


def a_function(name: str, topic: str, timeout_s: int = 60) -> Manifest:
    run = {
        "memory_mb": 512,
        "concurrency": 1,
        "timeout_s": timeout_s,
        "min_instances": 0,
        "max_instances": 1,
        "pool_size": 1,
        "ingress": "internal-only",
        "service_account": name,
    }
    trigger = {"kind": "topic", "topic": topic}
    return Manifest.model_validate(
        {"name": name, "summary": "Something", "context": "orders", "trigger": trigger, "run": run}
    )


NOTIFY = a_function("on_event_notify", topics.NOTIFICATIONS)
DEAD_LETTER = a_function("on_dead_letter", topics.DEAD_LETTER, timeout_s=5)


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clients]:
    with running_emulator() as emulator:
        monkeypatch.setenv("PUBSUB_EMULATOR_HOST", emulator.host)
        clients = Clients("shop")
        yield clients
        clients.close()


def provision(clients: Clients, *manifests: Manifest, delivery: Delivery = DELIVERY) -> list[str]:
    """What was said of the changes made."""
    said: list[str] = []
    carry_out(plan(clients, manifests, delivery), say=said.append)
    return said


def test_every_topic_and_a_subscription_that_retries_and_then_gives_up(clients):
    provision(clients, NOTIFY, DEAD_LETTER)

    made = {topic.name for topic in clients.publisher.list_topics(project="projects/shop")}
    assert made == {f"projects/shop/topics/{name}" for name in topics.ALL}
    notify = clients.subscriber.get_subscription(subscription="projects/shop/subscriptions/on_event_notify")
    assert notify.topic == "projects/shop/topics/notifications"
    assert notify.push_config.push_endpoint == "http://localhost:8080/_functions/on_event_notify"
    assert notify.ack_deadline_seconds == 60
    assert notify.retry_policy.minimum_backoff == timedelta(seconds=1)
    assert notify.retry_policy.maximum_backoff == timedelta(seconds=60)
    assert notify.dead_letter_policy.dead_letter_topic == "projects/shop/topics/dead-letter"
    assert notify.dead_letter_policy.max_delivery_attempts == 10
    dead = clients.subscriber.get_subscription(subscription="projects/shop/subscriptions/on_dead_letter")
    assert (dead.ack_deadline_seconds, dead.dead_letter_policy.dead_letter_topic) == (10, "")


def test_a_second_time_there_is_nothing_to_do(clients):
    first = provision(clients, NOTIFY)
    again = provision(clients, NOTIFY)

    assert (len(first), again) == (len(topics.ALL) + 1, [])
    assert {step.verb for step in plan(clients, [NOTIFY], DELIVERY)} == {"keep"}


def test_what_differs_is_changed_and_named(clients):
    provision(clients, NOTIFY)
    elsewhere = Delivery(endpoint="http://localhost:9090/{name}", minimum_backoff_s=0.1, maximum_backoff_s=2)

    said = provision(clients, NOTIFY, delivery=elsewhere)

    assert said == [
        "change  subscription  on_event_notify          notifications -> http://localhost:9090/on_event_notify, "
        "retried after 0.1-2 s, 10 deliveries, then dead-letter (push_config, retry_policy)"
    ]
    notify = clients.subscriber.get_subscription(subscription="projects/shop/subscriptions/on_event_notify")
    assert notify.push_config.push_endpoint == "http://localhost:9090/on_event_notify"
    assert notify.retry_policy.maximum_backoff == timedelta(seconds=2)


def test_a_function_that_moves_to_another_topic_gets_its_subscription_anew(clients):
    provision(clients, NOTIFY)

    provision(clients, a_function("on_event_notify", topics.BILLING))

    notify = clients.subscriber.get_subscription(subscription="projects/shop/subscriptions/on_event_notify")
    assert notify.topic == "projects/shop/topics/billing"


def test_with_a_service_account_each_push_carries_its_token(clients):
    invoker = "invoker@shop.iam.gserviceaccount.com"
    provision(clients, NOTIFY, delivery=Delivery(endpoint="https://{name}.example.com", service_account=invoker))

    notify = clients.subscriber.get_subscription(subscription="projects/shop/subscriptions/on_event_notify")
    assert notify.push_config.oidc_token.service_account_email == invoker
    assert notify.push_config.oidc_token.audience == "https://on_event_notify.example.com"


def test_a_dry_run_prints_the_plan_and_makes_nothing(clients, capsys):
    status = command.main(["--project", "shop", "--dry-run"])

    lines = capsys.readouterr().out.splitlines()
    assert status == 0
    assert lines[: len(topics.ALL)] == [f"create  topic         {name}" for name in topics.ALL]
    assert list(clients.publisher.list_topics(project="projects/shop")) == []


def test_the_command_makes_what_the_plan_says(clients, capsys):
    first = command.main(["--project", "shop"])
    told = capsys.readouterr().out.splitlines()[-1]
    again = command.main(["--project", "shop"])

    assert (first, again) == (0, 0)
    made = int(told.split()[0])
    assert made >= len(topics.ALL)
    assert told == f"{made} changed, 0 as wanted."
    assert capsys.readouterr().out.splitlines() == [f"0 changed, {made} as wanted."]
