"""A Pub/Sub of the test's own, with our topics, and a subscription to each that keeps what arrives."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from infra.local.pubsub import Emulator, running_emulator
from infra.provision.pubsub import Clients, Delivery, plan
from infra.provision.steps import carry_out
from shared.events import topics
from shared.integrations import pubsub
from tests import settings

PROJECT = settings.TEST_SETTINGS["PF_GCP_PROJECT"]


@dataclass
class PubSub:
    """The emulator and what its topics were sent."""

    emulator: Emulator
    clients: Clients

    def received(self, topic: str) -> list[dict[str, Any]]:
        """All that a topic was sent (something, since the last look), in the shape in which functions get it."""
        path = self.clients.subscription(f"kept-{topic}")
        answer = self.clients.subscriber.pull(subscription=path, max_messages=1_000)
        return [
            {
                "message": {
                    "data": base64.b64encode(got.message.data).decode(),
                    "attributes": dict(got.message.attributes),
                    "messageId": got.message.message_id,
                }
            }
            for got in answer.received_messages
        ]

    def counts(self) -> dict[str, int]:
        """How many messages each topic took; those without any are left out."""
        topics = httpx.get(f"{self.emulator.control_url}/stats").json()["topics"]
        return {path.rpartition("/")[2]: held["published"] for path, held in topics.items() if held["published"]}

    def refuse_next(self, publish_calls: int) -> None:
        """Answer the next publish calls as if the service were down."""
        httpx.post(f"{self.emulator.control_url}/faults", json={"refuse_publish": publish_calls}).raise_for_status()


@pytest.fixture
def pub_sub(monkeypatch: pytest.MonkeyPatch) -> Iterator[PubSub]:
    with running_emulator() as emulator:
        monkeypatch.setenv("PUBSUB_EMULATOR_HOST", emulator.host)
        clients = Clients(PROJECT)
        carry_out(plan(clients, [], Delivery(endpoint="")), say=lambda _: None)
        for topic in topics.ALL:
            clients.subscriber.create_subscription(
                name=clients.subscription(f"kept-{topic}"), topic=clients.topic(topic)
            )
        yield PubSub(emulator, clients)
        pubsub.forget()
        clients.close()
