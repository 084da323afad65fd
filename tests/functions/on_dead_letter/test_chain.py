"""The whole way, with our subscriptions as they are provisioned: failed, given up, kept, replayed, done."""

from collections.abc import Iterator

import pytest

from infra.local.pubsub import running_emulator
from infra.manifest import load
from infra.provision.pubsub import Clients, Delivery, plan
from infra.provision.steps import carry_out
from shared.events.catalogue import CATALOGUE
from shared.events.orders import OrderNudged
from shared.integrations import pubsub
from shared.kit.consumer import Consumer
from shared.kit.db import transaction
from shared.kit.publishing import Publisher, PublishingSettings
from shared.operations.replay import replay
from tests import settings
from tests.builders.outbox import a_nudge, dead_letters, emitted
from tests.infra.endpoint import Endpoint, serving

DELIVERIES = 5


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    """Where the subscriptions of `on_event_notify` and `on_dead_letter` push to."""
    with serving() as endpoint, running_emulator() as emulator:
        monkeypatch.setenv("PUBSUB_EMULATOR_HOST", emulator.host)
        clients = Clients(settings.TEST_SETTINGS["PF_GCP_PROJECT"])
        delivery = Delivery(
            endpoint=f"{endpoint.url}/{{name}}", minimum_backoff_s=0, maximum_backoff_s=0, attempts=DELIVERIES
        )
        carry_out(plan(clients, [load("on_event_notify"), load("on_dead_letter")], delivery), say=lambda _: None)
        yield endpoint
        pubsub.forget()
        clients.close()


def publish() -> None:
    Publisher(pubsub.topics(), CATALOGUE, PublishingSettings()).publish_batch()


def test_what_a_consumer_fails_on_is_kept_and_done_once_it_is_replayed(endpoint):
    from functions.on_dead_letter.main import main

    done = []
    consumer = Consumer("on_event_notify")

    @consumer.on(OrderNudged)
    def remind(_, event):
        done.append(event)

    event = a_nudge()
    [event_id] = emitted(event)
    endpoint.statuses = [500] * DELIVERIES

    publish()
    *failed, given_up = endpoint.wait_for(DELIVERIES + 1)
    kept = main.consumer.deliver(given_up.json)
    [letter] = dead_letters()
    with transaction() as session:
        replay(session, letter.id)
    publish()
    told, again = sorted(endpoint.wait_for(DELIVERIES + 3)[-2:], key=_type)
    acknowledged = consumer.deliver(again.json)

    assert [request.path for request in failed] == ["/on_event_notify"] * DELIVERIES
    assert (given_up.path, kept) == ("/on_dead_letter", True)
    assert (letter.event_id, letter.subscription, letter.attempts) == (event_id, "on_event_notify", DELIVERIES)
    assert letter.message["data"] == failed[0].json["message"]["data"]
    assert (again.path, again.json["message"]["data"]) == ("/on_event_notify", letter.message["data"])
    assert (told.path, _type(told)) == ("/on_event_notify", "dead_letter_kept")
    assert (acknowledged, done) == (True, [event])


def _type(request):
    return request.json["message"]["attributes"]["event_type"]
